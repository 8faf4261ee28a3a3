"""Probabilities and groups of windows."""

from __future__ import annotations

import numpy as np
import pytest

from harness.scoring.calibration import fit_calibration
from harness.use.classify import softmax
from harness.use.sound_pair import cosine, posterior, two_groups


def test_the_cosine_is_that_of_numpy() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 16)).astype(np.float32)
    wanted = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    assert cosine(first, second) == pytest.approx(wanted, abs=1e-6)


def test_the_posterior_is_bayes_rule() -> None:
    ratio, prior = 3.0, 0.1
    wanted = ratio * prior / (ratio * prior + 1 - prior)
    assert posterior(np.log(ratio), prior) == pytest.approx(wanted)
    assert posterior(-2_000.0, 0.5) == 0


def test_calibrated_probabilities_are_shares_of_targets() -> None:
    generator = np.random.default_rng(0)
    target = generator.random(40_000) < 0.5
    scores = generator.normal(loc=np.where(target, 1.0, -1.0), scale=1.0)
    llr = fit_calibration(scores, target).apply(scores)
    shares = np.array([posterior(each, 0.5) for each in llr])
    inside = (shares > 0.6) & (shares < 0.8)
    assert target[inside].mean() == pytest.approx(shares[inside].mean(), abs=0.02)


def test_two_voices_in_one_sound_part_its_windows() -> None:
    generator = np.random.default_rng(0)
    voices = np.eye(2, 32) * 5
    owner = np.array([0, 1, 1, 0, 0, 1])
    both = (voices[owner] + 0.3 * generator.normal(size=(6, 32))).astype(np.float32)
    one = (voices[0] + 0.3 * generator.normal(size=(6, 32))).astype(np.float32)
    apart, alike = two_groups(both), two_groups(one)
    assert apart is not None
    assert alike is not None
    assert apart < 0.3
    assert alike > 0.8


def test_a_single_window_is_not_parted() -> None:
    assert two_groups(np.ones((1, 4), dtype=np.float32)) is None
    assert two_groups(np.ones((3, 4), dtype=np.float32)) == pytest.approx(1.0)


def test_softmax_bears_large_logits() -> None:
    shares = softmax(np.array([1_000.0, 1_000.0, 0.0], dtype=np.float32))
    assert shares == pytest.approx([0.5, 0.5, 0.0])
