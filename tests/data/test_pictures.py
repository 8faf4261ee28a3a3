"""Folders of pictures: classes, splits and groups, and what is refused before anything trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.config.loader import load
from harness.data.corpora.pictures import Pictures
from harness.data.corpus import COLUMNS, DamagedItem
from harness.datasets.inventory import check_dataset_files
from harness.errors import ConfigError, DataError


def save(folder: Path, *names: str) -> None:
    """Save small pictures of random pixels, each its own."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(sum(name.encode()))
        Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8)).save(path)


def two_classes(folder: Path) -> None:
    save(folder, "cat/1.png", "cat/2.jpg", "dog/1.png", "dog/2.png")


def test_the_folder_is_the_class_and_each_picture_its_own_group(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "cat" / "notes.txt").write_text("left away")
    (tmp_path / ".hidden").mkdir()
    table = Pictures().items("quick", tmp_path)
    assert set(table.columns) == set(COLUMNS)
    assert table["label"].tolist() == ["cat", "cat", "dog", "dog"]
    assert table["unit"].tolist() == table["id"].tolist() == table["source"].tolist()
    assert set(table["split"]) == {""}
    assert Pictures().unit == "picture"


def test_folders_of_splits(tmp_path):
    for split in ("train", "val", "test"):
        two_classes(tmp_path / split)
    corpus = Pictures(train="train", validation="val", test="test", group_name="photo")
    table = corpus.items("quick", tmp_path)
    assert table.groupby("split").size().to_dict() == {"train": 4, "validation": 4, "test": 4}
    assert set(table["label"]) == {"cat", "dog"}
    assert corpus.unit == "photo"
    # Without a validation folder the benchmark holds training groups out.
    held_out = Pictures(train="train", test="test").items("quick", tmp_path)
    assert set(held_out["split"]) == {"", "test"}


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        (
            {"groups": "folder"},
            ["cat/ann/1.png", "cat/bo/1.png", "dog/ann/2.png", "dog/bo/x/3.png"],
        ),
        (
            {"groups": "name", "name": r"(?P<group>ann|bo)_\d\.png"},
            ["cat/ann_1.png", "cat/bo_1.png", "dog/ann_2.png", "dog/bo_3.png"],
        ),
        (
            {"groups": "table", "table": "groups.tsv"},
            ["cat/1.png", "cat/2 b.png", "dog/3.png", "dog/4.png"],
        ),
    ],
    ids=["folder", "name", "table"],
)
def test_groups(tmp_path, fields, files):
    save(tmp_path, *files)
    lines = [f"{file}\t{group}" for file, group in zip(files, ["ann", "bo"] * 2, strict=True)]
    (tmp_path / "groups.tsv").write_text("\n".join(["path\tgroup", *lines]))
    table = Pictures(**fields).items("quick", tmp_path).set_index("id")
    assert table.loc[files, "unit"].tolist() == ["ann", "bo", "ann", "bo"]
    assert table["unit"].tolist() == ["ann", "ann", "bo", "bo"]  # a group stands together


def test_a_picture_without_a_group_is_named(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "groups.tsv").write_text("cat/1.png\tann\n")
    with pytest.raises(DataError, match=r"cat/1\.png: lies in no folder below its class's"):
        Pictures(groups="folder").items("quick", tmp_path)
    with pytest.raises(DataError, match=r"cat/1\.png: its name does not tell its group"):
        Pictures(groups="name", name="(?P<group>x+)").items("quick", tmp_path)
    with pytest.raises(DataError, match=r"groups\.tsv: no line for 'cat/2\.jpg'"):
        Pictures(groups="table", table="groups.tsv").items("quick", tmp_path)
    (tmp_path / "groups.tsv").write_text("cat/1.png ann\n")
    with pytest.raises(DataError, match=r"groups\.tsv: line 1: .* is not a path, a tab"):
        Pictures(groups="table", table="groups.tsv").items("quick", tmp_path)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"groups": "name"}, "`name` is missing"),
        ({"name": "(?P<group>x)"}, "`name` is given"),
        ({"groups": "name", "name": "("}, "no regular expression"),
        ({"groups": "name", "name": "x"}, r"no part \(\?P<group>"),
        ({"size": 0}, "`size` is 0"),
        ({"test": "test"}, "give `train`"),
    ],
)
def test_fields_that_say_nothing_together(tmp_path, fields, told):
    two_classes(tmp_path)
    with pytest.raises(ConfigError, match=told):
        Pictures(**fields).items("quick", tmp_path)


def test_two_classes_that_differ_in_letter_case_alone(tmp_path):
    save(tmp_path, "Cat/1.png", "Cat/2.png", "cat/1.png", "cat/2.png")
    with pytest.raises(DataError, match=r"classes 'Cat' \(.*Cat\) and 'cat' \(.*cat\) differ"):
        Pictures().items("quick", tmp_path)


def test_a_class_of_one_picture_and_a_class_without(tmp_path):
    two_classes(tmp_path)
    save(tmp_path, "fox/1.png")
    with pytest.raises(DataError, match=r"fox/1\.png: is the only picture of the class 'fox'"):
        Pictures().items("quick", tmp_path)
    (tmp_path / "fox" / "1.png").unlink()
    with pytest.raises(DataError, match="fox: no picture is below it"):
        Pictures().items("quick", tmp_path)


def test_a_class_that_a_split_lacks(tmp_path):
    two_classes(tmp_path / "train")
    save(tmp_path, "test/cat/9.png")
    with pytest.raises(DataError, match=r"dog/1\.png: the class 'dog' has no picture in .* test"):
        Pictures(train="train", test="test").items("quick", tmp_path)


def test_links(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside.png"
    two_classes(inside)
    save(tmp_path, "outside.png")
    (inside / "cat" / "3.png").symlink_to(inside / "cat" / "1.png")
    assert "cat/3.png" in set(Pictures().items("quick", inside)["id"])
    link = inside / "cat" / "4.png"
    link.symlink_to(outside)
    with pytest.raises(DataError, match=r"cat/4\.png: links to .*outside\.png, which is outside"):
        Pictures().items("quick", inside)
    link.unlink()
    link.symlink_to(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"cat/4\.png: links to .*gone\.png, which is not there"):
        Pictures().items("quick", inside)
    link.unlink()
    link.symlink_to(inside)
    with pytest.raises(DataError, match="links to a folder above it"):
        Pictures().items("quick", inside)


def test_files_that_are_no_pictures(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "cat" / "film.mp4").write_bytes(b"film")
    with pytest.raises(DataError, match=r"1 with \.mp4.*'cat/film\.mp4'"):
        Pictures().items("quick", tmp_path)
    assert len(Pictures(ignore=("*.mp4",)).items("quick", tmp_path)) == 4
    save(tmp_path, "loose.png")
    with pytest.raises(DataError, match=r"loose\.png: lies in no class's folder"):
        Pictures(ignore=("*.mp4",)).items("quick", tmp_path)


def test_damage_is_named_with_its_path_before_training(tmp_path):
    folder = tmp_path / "shots"
    save(folder, *(f"{label}/{number}.png" for label in ("cat", "dog") for number in range(6)))
    whole = (folder / "cat" / "0.png").read_bytes()
    (folder / "cat" / "0.png").write_bytes(whole[: len(whole) // 2])
    (folder / "cat" / "1.png").write_text("a text that calls itself a picture")
    Image.new("RGB", (1, 1), "red").save(folder / "dog" / "0.png")
    Image.new("RGB", (9, 9), "red").save(folder / "dog" / "1.png")
    file = tmp_path / "benchmark.toml"
    file.write_text(
        '[datasets.shots]\nadapter = "harness.data.corpora.pictures:Pictures"\n'
        f'path = "{folder}"\nlicence = "MIT"\nsize = 8\n'
        "split = { seed = 0, validation = 2, test = 4 }\n"
    )
    found = check_dataset_files(
        load(file), "shots", "quick", tmp_path / "c", lambda _: lambda _: None
    )
    reasons = {each["id"]: each["reason"] for each in found.damaged}
    assert set(reasons) == {"cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"}
    assert "cannot be decoded" in reasons["cat/0.png"]
    assert "cannot be decoded" in reasons["cat/1.png"]
    assert "is 1 x 1 pixels" in reasons["dog/0.png"]
    assert "is blank: 255, 0, 0 throughout" in reasons["dog/1.png"]
    assert str(folder / "cat" / "0.png") in found.report
    assert found.pictures is not None
    assert found.pictures.scores["size"].median == 10


def test_an_item_is_read_as_its_fields_say(tmp_path):
    two_classes(tmp_path)
    for fields, shape in (({"size": 6}, (6, 6, 3)), ({"size": 5, "colour": False}, (5, 5))):
        corpus = Pictures(**fields)
        first = next(corpus.items("quick", tmp_path).itertuples(index=False))
        assert corpus.read(first, tmp_path).shape == shape
    (tmp_path / first.source).unlink()
    with pytest.raises(DamagedItem, match="cannot be decoded"):
        corpus.read(first, tmp_path)
