"""A file is read for a network as the pictures of its training were."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.data.corpora.digits import Digits
from harness.data.corpora.drawings import Drawings
from harness.data.corpora.open_characters import OpenCharacters
from harness.data.corpora.pictures import Pictures
from harness.data.corpus import Corpus
from harness.datasets.leak import CopiedPictures
from harness.errors import RequestError
from harness.use.picture_reading import PictureReading, picture_reading


def listing(corpus: Corpus, folder: Path) -> Any:
    return SimpleNamespace(
        corpus=corpus, folder=folder, items=corpus.items("quick", folder).reset_index(drop=True)
    )


def test_a_folder_of_pictures_and_its_copies(tmp_path):
    for label in ("cat", "dog"):
        for number in range(2):
            path = tmp_path / label / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 256, (9, 12, 3), np.uint8)
            Image.fromarray(pixels).save(path)
    corpus = Pictures(size=6, fit="pad")
    reading = picture_reading(listing(corpus, tmp_path))
    assert reading == PictureReading(colour=True, size=6, fit="pad")
    first = next(corpus.items("quick", tmp_path).itertuples(index=False))
    np.testing.assert_array_equal(
        reading.read(tmp_path / first.source), corpus.read(first, tmp_path)
    )
    copies = CopiedPictures(corpus, 2)
    assert picture_reading(listing(copies, tmp_path)) == reading


def test_ink_is_white_for_a_network_of_drawings(tmp_path):
    path = tmp_path / "character01" / "0001_01.png"
    path.parent.mkdir()
    paper = np.full((5, 4), 255, np.uint8)
    paper[2, 1] = 0
    Image.fromarray(paper).save(path)
    corpus = Drawings()
    reading = picture_reading(listing(corpus, tmp_path))
    item = next(corpus.items("quick", tmp_path).itertuples(index=False))
    np.testing.assert_array_equal(reading.read(path), corpus.read(item, tmp_path))
    assert reading.read(path)[2, 1] == 255


def test_corpora_that_come_with_the_harness(tmp_path):
    assert picture_reading(listing(Digits(), tmp_path)) == PictureReading()
    assert picture_reading(listing(OpenCharacters(), tmp_path)) == PictureReading(
        colour=True, size=64
    )


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    path = tmp_path / "text.png"
    path.write_text("text")
    for reading in (PictureReading(), PictureReading(size=8)):
        with pytest.raises(RequestError, match=r"text\.png: cannot be decoded"):
            reading.read(path)
