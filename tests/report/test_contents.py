"""Pictures and sounds of items in a page."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.adapter import Fbank
from harness.feeding.front_end import front_end
from harness.report.contents import BINS, facts_of, log_mel, may_copy
from harness.report.text import read_words


@pytest.mark.parametrize("licence", ["Apache-2.0", "MIT", "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0"])
def test_licences_under_which_anybody_may_copy(licence):
    assert may_copy(licence)


@pytest.mark.parametrize(
    "licence", ["", "free for research", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "MIT, but not for you"]
)
def test_licences_that_are_none_of_these(licence):
    assert not may_copy(licence)


def test_a_spectrogram_is_near_that_of_the_front_end():
    """Kaldi's bank has another mel scale and pre-emphasis: alike, and not equal."""
    rng, time = np.random.default_rng(0), np.arange(16_000) / 16_000
    tone = 8000 * np.sin(2 * np.pi * (300 + 2500 * time) * time)
    samples = (tone + rng.normal(0, 50, 16_000)).astype(np.int16)
    ours = log_mel(samples)
    with torch.inference_mode():
        declared = Fbank(bins=BINS, subtract_mean=False)
        theirs = front_end(declared).eval()(torch.from_numpy(samples / 32768).float()[None])
    theirs = theirs[0].numpy().T
    assert ours.shape == theirs.shape == (BINS, 98)
    # The loudest band of each frame follows the tone in both.
    assert np.abs(ours.argmax(0) - theirs.argmax(0)).max() <= 2
    assert np.diff(ours.argmax(0)).min() >= -1


def test_one_sample_has_one_frame():
    assert log_mel(np.zeros(1, np.int16)).shape == (BINS, 1)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "difficulty misleading, gender f, mood calm"),
        ("zh-Hant", "難度 誤導，性別 女，mood calm"),
    ],
)
def test_columns_of_an_item_are_told_in_the_language_that_has_them(language: str, told: str):
    item = {"id": "a", "difficulty": "misleading", "gender": "f", "mood": "calm", "genre": ""}
    assert facts_of(item, ("id",), read_words(language)) == told
