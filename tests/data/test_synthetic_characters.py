"""The drawn characters: the same bytes everywhere, who is drawn by whom, and shapes' distances."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest

from harness.data.corpora.open_characters import OpenCharacters
from harness.data.corpus import COLUMNS, item_dimensions
from harness.data.synthesis.cast import CHARACTERS, artist
from harness.data.synthesis.characters import ARTISTS, draw, pictures
from harness.data.synthesis.shapes import (
    Canvas,
    Placement,
    capsule,
    cut,
    ellipse,
    moved,
    polygon,
    union,
    within,
)

# Of the bytes that this corpus was locked with; other arithmetic gives other bytes.
FIXED = {
    "artist000/aki-0@64": "af8ee623f025ac07",
    "artist071/xeno-1@64": "83fde60caccc07a6",
    "artist017/wren-3@96": "5f74706bb961e46b",
}


@pytest.mark.parametrize(("source", "wanted"), FIXED.items())
def test_a_picture_has_the_bytes_that_are_locked(source, wanted):
    assert hashlib.sha256(draw(source).tobytes()).hexdigest()[:16] == wanted


def test_the_lists():
    for profile, each in (("quick", 2), ("full", 4)):
        table = pictures(profile)
        assert len(CHARACTERS) == 26
        assert len(table) == 26 * sum(ARTISTS.values()) * each
        assert table.groupby("artist")["split"].nunique().max() == 1
        assert (table.groupby(["artist", "character"]).size() == each).all()
        by_split = table.groupby("split")["artist"].nunique().to_dict()
        assert by_split == ARTISTS
    quick, full = pictures("quick"), pictures("full")
    assert set(quick["id"]) < set(full["id"])


def test_no_single_mark_tells_who_a_character_is():
    for mark in ("skin", "hair", "worn", "outfit", "build"):
        assert min(Counter(getattr(each, mark) for each in CHARACTERS).values()) >= 2
    pairs = [(each.hair, each.hair_colour, each.outfit) for each in CHARACTERS]
    assert len(set(pairs)) == 26


def test_artists_differ_and_are_made_from_their_names():
    assert artist("artist001") == artist("artist001")
    manners = {(a.head, a.line, a.saturation) for a in map(artist, ("artist001", "artist002"))}
    assert len(manners) == 2


def test_the_corpus_gives_items_in_colour():
    corpus = OpenCharacters()
    table = corpus.items("quick", None)
    assert set(COLUMNS) == set(table.columns)
    item = next(table.itertuples(index=False))
    pixels = corpus.read(item, None)
    assert pixels.shape == (64, 64, 3)
    assert pixels.dtype == np.uint8
    assert pixels.std() > 10
    assert item_dimensions(corpus) == 3


def grid():
    return np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-2, 2, 81))


def test_distances_of_shapes():
    x, y = grid()
    circle = ellipse(0.5, 0, 0.7, 0.7)
    np.testing.assert_allclose(circle.distance(x, y), np.hypot(x - 0.5, y) - 0.7, atol=1e-12)
    line = capsule((-1.0, 0.0), (1.0, 0.0), 0.2, 0.2)
    wanted = np.hypot(np.maximum(np.abs(x) - 1, 0), y) - 0.2
    np.testing.assert_allclose(line.distance(x, y), wanted, atol=1e-12)
    square = polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    out = np.hypot(np.maximum(np.abs(x) - 1, 0), np.maximum(np.abs(y) - 1, 0))
    box = out + np.minimum(np.maximum(np.abs(x), np.abs(y)) - 1, 0)
    np.testing.assert_allclose(square.distance(x, y), box, atol=1e-12)


def test_shapes_are_put_together():
    x, y = grid()
    one, other = ellipse(-0.5, 0, 0.8, 0.8), ellipse(0.5, 0, 0.8, 0.8)
    inside = [shape.distance(x, y) < 0 for shape in (one, other)]
    assert np.array_equal(union(one, other).distance(x, y) < 0, inside[0] | inside[1])
    assert np.array_equal(within(one, other).distance(x, y) < 0, inside[0] & inside[1])
    far = moved(one, 1.0, 0.0).distance(x, y)
    np.testing.assert_allclose(far, other.distance(x, y), atol=1e-12)
    away = cut(one, other).distance(x, y)
    assert np.array_equal(away < 0, inside[0] & (other.distance(x, y) > 0))


def test_painted_area_is_the_shapes():
    canvas = Canvas(100, Placement(50.0, 50.0, 40.0, turns=0.1, mirrored=True))
    canvas.paint(ellipse(0.2, 0.1, 0.5, 0.5), (255.0, 0.0, 0.0))
    area = canvas.pixels[..., 0].sum() / 255
    assert area == pytest.approx(np.pi * (0.5 * 40) ** 2, rel=0.01)
    assert canvas.finished().shape == (100, 100, 3)
    outside = Canvas(20, Placement(0.0, 0.0, 10.0))
    outside.paint(ellipse(50.0, 50.0, 1.0, 1.0), (255.0, 0.0, 0.0))
    assert not outside.pixels.any()
