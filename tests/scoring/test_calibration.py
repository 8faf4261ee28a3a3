"""Calibration on scores whose likelihood ratios are known, and its laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.validation import MetricError
from harness.scoring.calibration import Calibration, fit_calibration


def gaussian(count: int, means=(1.0, -0.5), deviation: float = 0.8, seed: int = 0, part=0.25):
    """Scores of equal variance: llr = slope * score + offset, both known."""
    rng = np.random.default_rng(seed)
    is_target = np.arange(count) < part * count
    scores = np.where(is_target, *means) + rng.normal(0, deviation, count)
    slope = (means[0] - means[1]) / deviation**2
    offset = -(means[0] ** 2 - means[1] ** 2) / (2 * deviation**2)
    return scores, is_target, slope, offset


def standard_errors(scores, is_target, slope, offset, p_target):
    """Of scale and offset: the sandwich estimate of a weighted regression at the known map."""
    shift = math.log(p_target / (1 - p_target))
    posterior = 1 / (1 + np.exp(-(slope * scores + offset + shift)))
    sides = p_target / is_target.sum(), (1 - p_target) / (~is_target).sum()
    weights = np.where(is_target, *sides)
    design = np.c_[scores, np.ones_like(scores)]
    bend = np.linalg.inv((design * (weights * posterior * (1 - posterior))[:, None]).T @ design)
    pulls = design * (weights * (posterior - is_target))[:, None]
    for side in (is_target, ~is_target):
        pulls[side] -= pulls[side].mean(axis=0)
    return np.sqrt(np.diag(bend @ (pulls.T @ pulls) @ bend))


@pytest.mark.parametrize("p_target", [0.01, 0.5])
@pytest.mark.parametrize("part", [0.05, 0.5])
def test_known_ratios_are_found_within_their_standard_errors(p_target, part):
    scores, is_target, slope, offset = gaussian(40_000, part=part)
    fitted = fit_calibration(scores, is_target, p_target=p_target)
    errors = standard_errors(scores, is_target, slope, offset, p_target)
    assert abs(fitted.scale - slope) < 4 * errors[0]
    assert abs(fitted.offset - offset) < 4 * errors[1]
    assert 4 * errors[0] < slope / 4  # the bounds can fail
    assert 4 * errors[1] < 0.5


@pytest.mark.parametrize("p_target", [0.01, 0.5])
def test_calibrating_calibrated_scores_changes_nothing(p_target):
    scores, is_target, *_ = gaussian(2000)
    llrs = fit_calibration(scores, is_target, p_target=p_target).apply(scores)
    again = fit_calibration(llrs, is_target, p_target=p_target)
    assert again.scale == pytest.approx(1, abs=1e-6)
    assert again.offset == pytest.approx(0, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 1000), st.booleans(), st.floats(-100, 100))
def test_affine_maps_of_the_scores_give_the_same_ratios(scale, is_turned, shift):
    scores, is_target, *_ = gaussian(500)
    mapped = (-scale if is_turned else scale) * scores + shift
    want = fit_calibration(scores, is_target).apply(scores)
    got = fit_calibration(mapped, is_target).apply(mapped)
    np.testing.assert_allclose(got, want, atol=1e-7)


def test_the_order_of_ratios_is_that_of_the_scores():
    scores, is_target, *_ = gaussian(500)
    llrs = fit_calibration(scores, is_target).apply(scores)
    np.testing.assert_array_equal(np.argsort(llrs), np.argsort(scores))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_ratios_are_double_precision(kind):
    scores, is_target, *_ = gaussian(500)
    fitted = fit_calibration(scores.astype(kind), is_target)
    llrs = fitted.apply(scores.astype(kind))
    assert llrs.dtype == np.float64
    want = [fitted.scale * float(score) + fitted.offset for score in scores.astype(kind)]
    np.testing.assert_allclose(llrs, want, atol=1e-12)


def test_a_quality_that_shifts_the_scores_is_taken_out():
    scores, is_target, slope, offset = gaussian(40_000)
    quality = np.random.default_rng(1).normal(size=scores.size)
    fitted = fit_calibration(scores + 0.7 * quality, is_target, [quality])
    assert fitted.quality_weights == pytest.approx([-0.7 * slope], rel=0.05)
    want = slope * scores + offset
    got = fitted.apply(scores + 0.7 * quality, [quality])
    assert np.abs(got - want).mean() < 0.1


def test_qualities_of_the_fit_must_be_given():
    calibration = Calibration(1.0, 0.0, (0.5,))
    with pytest.raises(MetricError, match=r"1 columns .*, fitted on 2"):
        calibration.apply([0.1, 0.2])
    np.testing.assert_allclose(calibration.apply([0.1, 0.2], [[2.0, 4.0]]), [1.1, 2.2])


def test_scores_that_are_not_numbers_are_refused():
    with pytest.raises(MetricError, match="scores 0: 1 of 2 are NaN"):
        fit_calibration([0.1, np.nan], np.array([True, False]))
