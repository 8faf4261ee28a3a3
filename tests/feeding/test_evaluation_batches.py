"""What is judged of an item: whole, or crops evenly spaced, with every batch full of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapter import Fbank, Image, Spectrogram
from harness.config.recipes import EvenCrops
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.errors import ConfigError
from harness.feeding.evaluation_batches import even_starts, excerpts_of, whole_batches

SECOND = 16_000


def sounds(*lengths: int) -> Subset:
    """Sounds each of whose samples tells its own place."""
    values = np.concatenate([np.arange(length) % 30_000 for length in lengths]).astype(np.int16)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    pack = Pack(values, offsets, np.array(lengths)[:, None], "", {})
    rows = np.arange(len(lengths))
    return Subset(pd.DataFrame({"id": [f"u{row}" for row in rows]}), rows, rows + 1, pack)


@given(st.integers(0, 10**7), st.integers(2, 40))
def test_crops_begin_evenly_from_the_first_place_to_the_last(spare: int, count: int) -> None:
    """As numpy's linspace rounds down, but in whole numbers alone."""
    starts = even_starts(spare, count)
    assert starts == [int(spare * np.longdouble(k) // (count - 1)) for k in range(count)]
    assert (starts[0], starts[-1]) == (0, spare)
    gaps = np.diff(starts)
    assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("declared", [Fbank(), Spectrogram()])
def test_ten_crops_of_a_sound(declared: Fbank | Spectrogram) -> None:
    """A crop of half a second has 48 frames of 25 ms, which end 5 ms before it does."""
    subset = sounds(2 * SECOND)
    found = excerpts_of(subset, 0, declared, EvenCrops(seconds=0.5, count=10))
    assert [piece.start for piece in found] == [24_000 * number // 9 for number in range(10)]
    assert {piece.shape for piece in found} == {(400 + 47 * 160,)}
    for piece in found:
        content = piece.content(subset)
        assert content[0] == piece.start % 30_000
        assert len(content) == 7920


@pytest.mark.parametrize("length", [500, 7999, 8000])
def test_a_sound_no_longer_than_a_crop_stays_whole_and_comes_once(length: int) -> None:
    subset = sounds(length)
    crops = EvenCrops(seconds=0.5, count=10)
    assert excerpts_of(subset, 0, Fbank(), crops) == excerpts_of(subset, 0, Fbank())


@pytest.mark.parametrize("most", [1, 10_000, 10**7])
def test_batches_hold_every_crop_once(most: int) -> None:
    subset, crops = sounds(9000, 20_000, 30_000, 8000), EvenCrops(seconds=0.5, count=3)
    seen = []
    for rows, raw in whole_batches(subset, Fbank(), most, crops):
        assert len(rows) == 1 or raw.numel() <= most
        starts = (raw[:, 0] * 32768).round().int().tolist()
        seen += list(zip(rows.tolist(), starts, strict=True))
    wanted = [(3, 0)]
    wanted += [(0, 0), (0, 500), (0, 1000), (1, 0), (1, 6000), (1, 12_000)]
    assert sorted(seen) == sorted([*wanted, (2, 0), (2, 11_000), (2, 22_000)])


def test_what_cannot_be_cropped_is_refused() -> None:
    crops = EvenCrops(seconds=0.02, count=2)
    with pytest.raises(ConfigError, match="test_crops: 320 samples are shorter than one frame"):
        excerpts_of(sounds(8000), 0, Fbank(), crops)
    pictures = Subset(
        pd.DataFrame({"id": ["a"]}), np.array([0]), np.array([1]),
        Pack(np.zeros(6, np.uint8), np.array([0, 6]), np.array([[2, 3]]), "", {}),
    )  # fmt: skip
    with pytest.raises(ConfigError, match="the network takes images"):
        excerpts_of(pictures, 0, Image(size=8), EvenCrops(seconds=1.0, count=2))
