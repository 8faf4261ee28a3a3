"""What a check says of pictures: the worst by each score, near-duplicates, missing classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from harness.config.loader import LoadedBenchmark, load
from harness.data.synthesis.characters import draw
from harness.datasets.inventory import DatasetCheck, check_dataset_files
from harness.datasets.picture_quality import near_duplicates
from tests.pictures import PICTURE_FOLDERS


def save(folder: Path, name: str, picture: Image.Image) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def drawn(artist: int, who: str) -> Image.Image:
    return Image.fromarray(draw(f"artist{artist:03d}/{who}-0@64"))


@pytest.fixture
def shots(tmp_path) -> LoadedBenchmark:
    """Pictures of two classes; of three of them there are copies in another split."""
    folder = tmp_path / "shots"
    for place, split in enumerate(("train", "validation", "test")):
        for who in ("aki", "gus"):
            for number in range(2):
                save(folder, f"{split}/{who}/{number}.png", drawn(2 * place + number, who))
    first = drawn(0, "aki")
    save(folder, "test/aki/copy.png", first)
    save(folder, "test/gus/mirror.png", drawn(0, "gus").transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    save(folder, "validation/gus/soft.jpg", drawn(1, "gus").resize((90, 90)))
    save(folder, "train/aki/blurred.png", drawn(9, "aki").filter(ImageFilter.GaussianBlur(6)))
    file = tmp_path / "benchmark.toml"
    file.write_text(PICTURE_FOLDERS)
    return load(file)


def checked(loaded: LoadedBenchmark) -> DatasetCheck:
    return check_dataset_files(
        loaded, "shots", "quick", loaded.folder / "c", lambda _: lambda _: None
    )


def test_copies_across_splits_are_named_and_others_are_not(shots):
    found = checked(shots).pictures
    assert found is not None
    told = {(*each.ids, each.mirrored) for each in found.near_duplicates}
    assert told == {
        ("test/aki/copy.png", "train/aki/0.png", False),
        ("test/gus/mirror.png", "train/gus/0.png", True),
        ("train/gus/1.png", "validation/gus/soft.jpg", False),
    }
    exact = next(each for each in found.near_duplicates if "copy" in each.ids[0])
    assert (exact.bits, exact.splits) == (0, ("test", "train"))


def test_the_worst_pictures_by_each_score(shots):
    found = checked(shots).pictures
    assert found is not None
    assert set(found.scores) == {"sharpness", "contrast", "size"}
    assert found.scores["sharpness"].worst[0]["id"] == "train/aki/blurred.png"
    assert found.scores["sharpness"].worst[0]["source"].endswith("shots/train/aki/blurred.png")
    assert found.scores["size"].median == 64
    for score in found.scores.values():
        assert score.low <= score.median <= score.high
        values = [each["value"] for each in score.worst]
        assert values == sorted(values)


def test_a_class_that_a_drawn_split_lacks_is_told(tmp_path):
    for number in range(8):
        save(tmp_path / "few", f"aki/{number}.png", drawn(number, "aki"))
    for number in range(2):
        save(tmp_path / "few", f"gus/{number}.png", drawn(number, "gus"))
    file = tmp_path / "benchmark.toml"
    split = "split = { seed = 0, validation = 1, test = 1 }"
    file.write_text(PICTURE_FOLDERS.partition("train =")[0].replace("shots", "few") + split + "\n")
    found = check_dataset_files(
        load(file), "few", "quick", tmp_path / "c", lambda _: lambda _: None
    )
    assert set(found.missing) <= {"validation", "test"}
    assert found.missing  # one picture a split cannot be of both classes
    assert all(len(labels) == 1 for labels in found.missing.values())


def test_pairs_of_one_group_are_not_compared():
    hashes = np.zeros((4, 2), np.uint64)
    thumbnails = np.random.default_rng(0).random((1, 16, 16), np.float32).repeat(4, axis=0)
    found = near_duplicates(hashes, thumbnails, np.array([0, 0, 1, 1]))
    assert [pair[:2] for pair in found] == [(0, 2), (0, 3), (1, 2), (1, 3)]
    far = hashes.copy()
    far[2:] = np.uint64(2**64 - 1)
    assert near_duplicates(far, thumbnails, np.array([0, 0, 1, 1])) == []
