"""Drawn characters by layout."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.data.corpora.drawings import Drawings
from harness.data.corpus import COLUMNS, DamagedItem
from harness.errors import DataError


def draw(folder, name, ink=True):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.ones((5, 4), bool)
    picture[1, 2] = not ink
    Image.fromarray(picture).save(path)
    return path


def items(folder):
    return Drawings().items("quick", folder)


def read(folder):
    return Drawings().read(next(items(folder).itertuples(index=False)), folder)


def test_the_folder_is_the_label_and_the_name_tells_the_drawer(tmp_path):
    draw(tmp_path, "character02/0710_01.png")
    draw(tmp_path, "character01/0709_12.png")
    table = items(tmp_path)
    assert tuple(sorted(table.columns)) == tuple(sorted(COLUMNS))
    assert table["id"].tolist() == ["character01/0709_12", "character02/0710_01"]
    assert table["unit"].tolist() == ["drawer12", "drawer01"]
    assert table["label"].tolist() == ["character01", "character02"]


def test_ink_is_white_on_black(tmp_path):
    draw(tmp_path, "character01/0709_12.png")
    picture = read(tmp_path)
    assert picture.dtype == np.uint8
    assert picture.shape == (5, 4)
    assert picture.sum() == picture[1, 2] == 255


def test_a_folder_without_drawings(tmp_path):
    with pytest.raises(DataError, match=r"holds no characterNN/NNNN_DD\.png"):
        items(tmp_path)


def test_a_name_that_does_not_tell_the_drawer(tmp_path):
    draw(tmp_path, "character01/letter.png")
    with pytest.raises(DataError, match=r"letter\.png: the name does not tell the drawer"):
        items(tmp_path)


def test_a_blank_drawing(tmp_path):
    draw(tmp_path, "character01/0709_12.png", ink=False)
    with pytest.raises(DamagedItem, match="is blank"):
        read(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.6])
def test_a_truncated_drawing(tmp_path, share):
    path = draw(tmp_path, "character01/0709_12.png")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DamagedItem, match="cannot be decoded"):
        read(tmp_path)


def test_a_drawing_that_is_gone(tmp_path):
    path = draw(tmp_path, "character01/0709_12.png")
    item = next(items(tmp_path).itertuples(index=False))
    path.unlink()
    with pytest.raises(DamagedItem, match="cannot be decoded"):
        Drawings().read(item, tmp_path)


def test_a_drawing_whose_ink_is_in_the_alpha_channel(tmp_path):
    """The same picture on transparent paper is the same item."""
    levels = np.random.default_rng(0).integers(0, 256, (5, 4), dtype=np.uint8)
    found = []
    for name, picture in (
        ("plain", Image.fromarray(levels)),
        ("alpha", Image.fromarray(np.stack([levels * 0] * 3 + [255 - levels], axis=-1))),
        ("deep", Image.fromarray(levels.astype(np.uint16) * 257)),
    ):
        path = tmp_path / name / "character01" / "0709_12.png"
        path.parent.mkdir(parents=True)
        picture.save(path)
        found.append(read(tmp_path / name))
    for each in found:
        np.testing.assert_array_equal(each, 255 - levels)


def test_a_drawing_that_is_all_ink(tmp_path):
    path = draw(tmp_path, "character01/0709_12.png")
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(path)
    with pytest.raises(DamagedItem, match="is blank: 0 throughout"):
        read(tmp_path)


def test_characters_are_classified():
    assert Drawings().trials("quick", Path(), "test") is None


def test_real_letters(shared_data):
    folder = shared_data / "omniglot-latin"
    table = items(folder)
    assert len(table) == 520
    assert table["label"].nunique() == 26
    assert table["unit"].nunique() == 20
    assert (table.groupby("label")["unit"].nunique() == 20).all()
    assert read(folder).shape == (105, 105)
