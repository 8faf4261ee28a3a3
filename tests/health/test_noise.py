"""Noise, stability, moves, and where a curve was best, settled or diverged."""

from __future__ import annotations

import numpy as np
import pytest

from docs.simulation.health.draws import noise
from harness.health.milestones import divergence, find_best, last_gain, patient_stop, settled_since
from harness.health.noise import count_moves, noise_deviation, stability
from harness.health.validation_curves import Curve, Moment


def curve(values: np.ndarray, metric: str = "eer") -> Curve:
    steps = np.arange(1, len(values) + 1)
    return Curve(f"Test/{metric}", metric, steps.astype(float), values, steps, "epoch")


def test_the_deviation_is_that_of_the_noise_whatever_the_course():
    draws = noise(np.random.default_rng(1), 2_000, 30)
    course = 40 * np.exp(-np.arange(30) / 10)
    for curves in (draws, draws + np.arange(30.0)):
        found = np.array([noise_deviation(each) for each in curves])
        assert found.mean() == pytest.approx(1, abs=0.04)
    assert noise_deviation(0.01 * draws[0] + course) < 0.6
    assert np.isnan(noise_deviation(np.ones(3)))


def test_stability_is_what_noise_leaves_of_the_level():
    draws = noise(np.random.default_rng(2), 2_000, 40)
    assert np.mean([stability(10 + each) for each in draws]) == pytest.approx(0.9, abs=0.01)
    assert stability(np.full(10, 0.2)) == 1
    assert stability(draws[0]) == 0


def test_white_noise_has_hardly_a_move_and_leaps_are_counted():
    draws = noise(np.random.default_rng(3), 2_000, 20)
    counted = [count_moves(each) for each in draws]
    # 0.05 with the deviation known; it is estimated from 18 second differences.
    assert np.mean([each.improvements + each.setbacks for each in counted]) < 0.3
    stairs = np.repeat([0.0, 10.0, 20.0, 5.0], 6) + 0.1 * draws[0, :1]
    found = count_moves(stairs + 0.1 * noise(np.random.default_rng(4), 1, 24)[0])
    assert (found.improvements, found.setbacks) == (2, 1)


def test_the_best_is_the_first_of_equal_ones_whichever_way_is_better():
    values = np.array([0.5, 0.2, 0.2, 0.4])
    assert find_best(curve(values)).at == Moment(2.0, "epoch")
    assert find_best(curve(values, "accuracy")).place == 0


def test_a_gain_has_to_beat_noise_and_patience_ends_as_the_loop_does():
    better = np.concatenate([np.linspace(0, 1, 11), 1 + 1e-3 * np.array([0, 1, -1, 2, 0, 1, -1])])
    noisy = better + 0.01 * np.array([1, -1] * 9)
    assert last_gain(noisy) in (10, 11)
    falling = np.concatenate([[0.0, 1.0], np.zeros(12)])
    assert patient_stop(falling, patience=10) == 11
    assert patient_stop(np.arange(20.0)) is None


def test_a_loss_that_ends_above_its_beginning_diverged_and_others_did_not():
    falling = 5 * np.exp(-np.arange(100) / 20) + 0.05 * noise(np.random.default_rng(5), 1, 100)[0]
    assert divergence(curve(falling, "loss")) is None
    flat = 5 + noise(np.random.default_rng(6), 500, 100)
    assert np.mean([divergence(curve(each, "loss")) is not None for each in flat]) < 0.01
    blown = np.concatenate([falling[:50], np.linspace(1, 40, 50)])
    at = divergence(curve(blown, "loss"))
    assert at is not None
    assert 50 < at.number < 65


def test_a_threshold_settles_where_it_stays_near_its_last_level():
    random = noise(np.random.default_rng(7), 1, 30)[0]
    moving = np.concatenate([np.linspace(0, 1, 10), np.ones(20)]) + 0.005 * random
    since = settled_since(curve(moving, "threshold"))
    assert since is not None
    assert 8 <= since.number <= 14
    assert settled_since(curve(np.linspace(0, 1, 30) + 0.005 * random, "threshold")) is None
    assert settled_since(curve(moving[:5], "threshold")) is None
