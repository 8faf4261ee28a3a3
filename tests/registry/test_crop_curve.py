"""Settings of test crops: as the lengths of the test and the network allow."""

from __future__ import annotations

import numpy as np

from harness.registry.crop_curve import settings


def listed(seconds: np.ndarray, least: float = 0.0) -> list[tuple[float, int] | None]:
    found = settings(seconds, lambda length: length >= least)
    return [None if each is None else (each.seconds, each.count) for each in found]


def test_lengths_are_those_that_most_utterances_exceed():
    seconds = np.linspace(2.0, 5.0, 100)
    assert listed(seconds) == [
        None, (0.5, 1), (1.0, 1), (2.0, 1), (3.0, 1), (1.0, 2), (1.0, 4), (1.0, 8)
    ]  # fmt: skip


def test_lengths_that_the_network_cannot_embed_are_left_out():
    assert listed(np.full(10, 2.5), least=1.0) == [
        None, (1.0, 1), (2.0, 1), (1.0, 2), (1.0, 4), (1.0, 8)
    ]  # fmt: skip


def test_short_utterances_are_judged_whole_alone():
    assert listed(np.full(10, 0.4)) == [None]
