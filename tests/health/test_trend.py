"""The trend's test: against direct formulas, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import kendalltau, norm, theilslopes

from docs.simulation.health.draws import noise, ramp
from harness.health.critical_values import FEWEST, MOST
from harness.health.trend import (
    AUTOCORRELATIONS,
    LARGER,
    NULL_WEIGHTS,
    WEIGHTS,
    evidence_of_rise,
    find_trend,
    have_risen,
    kendall,
    lift,
    rising_shapes,
    theil_sen,
    thin,
)

VALUES = np.random.default_rng(5).standard_normal(13)


def integrated(shape: np.ndarray | None, covariance: np.ndarray, heights: np.ndarray) -> float:
    """Log marginal likelihood by sums over a grid of scales and heights, from the matrices.

    The mean is integrated out by projecting on what it does not enter; heights are in deviations.
    """
    count = len(VALUES)
    axes = np.linalg.qr(np.column_stack([np.ones(count), np.eye(count)[:, 1:]]))[0][:, 1:]
    inverse = np.linalg.inv(axes.T @ covariance @ axes)
    centred = axes.T @ (VALUES - VALUES.mean()) / np.linalg.norm(VALUES - VALUES.mean())
    way = axes.T @ shape if shape is not None else 0 * centred
    scales = np.exp(np.linspace(-4, 4, 1_201))
    errors = centred[None, None] / scales[:, None, None] - heights[None, :, None] * way
    squares = np.einsum("shi,ij,shj->sh", errors, inverse, errors)
    logs = -squares / 2 - (count - 1) * np.log(scales)[:, None]
    return float(logsumexp(logs - np.log(len(heights)))) + np.linalg.slogdet(inverse)[1] / 2


def test_the_evidence_is_the_ratio_of_likelihoods_summed_over_scales_and_heights():
    count = len(VALUES)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    none = np.zeros(1)
    null = [
        integrated(None, rho**apart if rho else np.eye(count), none) for rho in AUTOCORRELATIONS
    ]
    shapes = rising_shapes(count)
    length = np.linalg.norm(np.linspace(-1, 1, count))
    rising = [integrated(shapes[0], np.eye(count), np.array([length]))]
    for shape, scale in zip(shapes, LARGER, strict=True):
        halves = scale * norm.ppf(0.5 + (np.arange(800) + 0.5) / 1_600)
        rising.append(integrated(shape, np.eye(count), halves))
    expected = logsumexp(rising, b=WEIGHTS) - logsumexp(null, b=NULL_WEIGHTS)
    assert evidence_of_rise(VALUES[None])[0] == pytest.approx(expected, abs=2e-3)


def test_height_and_scale_do_not_matter():
    moved = 1e3 + 1e-3 * VALUES[None]
    assert evidence_of_rise(moved) == pytest.approx(evidence_of_rise(VALUES[None]), rel=1e-6)
    assert lift(moved) == pytest.approx(lift(VALUES[None]), rel=1e-6)


def test_slope_and_tau_are_those_of_scipy():
    times = np.cumsum(np.abs(VALUES) + 0.1)
    assert theil_sen(times, VALUES) == pytest.approx(theilslopes(VALUES, times).slope)
    assert kendall(VALUES) == pytest.approx(kendalltau(np.arange(len(VALUES)), VALUES).statistic)


@pytest.mark.parametrize("rho", [0.0, 0.7])
@pytest.mark.parametrize("count", [FEWEST, 12, 20, MOST])
def test_a_flat_curve_rises_at_most_five_times_in_a_hundred(rho: float, count: int):
    """With 20,000 curves the share's standard error is 0.15 in 100."""
    curves = noise(np.random.default_rng([7, count]), 20_000, count, rho)
    assert 0 < have_risen(curves).mean() < 0.05 + 3 * 0.0015


def test_a_rise_of_two_deviations_over_twenty_validations_is_found():
    """At least 75 times in 100, beyond the simulation's own error (0.3 in 100)."""
    curves = noise(np.random.default_rng(8), 20_000, 20) + ramp(20, 2)
    assert have_risen(curves).mean() > 0.75 + 0.003


@pytest.mark.parametrize(
    "course",
    [
        np.linspace(0, 1, 20),
        1 - np.exp(-np.arange(20) / 2),
        1 - 1 / np.arange(1, 21),
        1 / (1 + np.exp(10 - np.arange(20))),
        np.repeat([0.0, 1.0], 10),
        np.maximum(0, np.arange(20) - 14) / 5,
    ],
    ids=["line", "exponential", "power", "logistic", "step", "late"],
)
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_clear_course_is_told_whatever_its_shape(course: np.ndarray, higher_is_better: bool):
    values = course + 0.01 * np.random.default_rng(9).standard_normal(20)
    verdict = "improving" if higher_is_better else "declining"
    found = find_trend(np.arange(20.0), values, higher_is_better=higher_is_better)
    assert found.verdict == verdict


def test_few_values_tell_nothing_and_equal_ones_are_flat():
    few = find_trend(np.arange(5.0), np.arange(5.0), higher_is_better=True)
    assert (few.verdict, few.slope, few.tau) == ("cannot tell", 1, 1)
    assert find_trend(np.arange(9.0), np.ones(9), higher_is_better=True).verdict == "flat"


def test_a_curve_that_turns_round_is_no_improvement():
    values = np.concatenate([[9.0, 3.0, 1.0], np.linspace(1.0, 4.0, 20)])
    assert find_trend(np.arange(23.0), values, higher_is_better=False).verdict != "improving"


def test_long_curves_are_averaged_in_stretches():
    values = np.arange(10 * MOST, dtype=float)
    assert thin(values) == pytest.approx(np.arange(MOST) * 10 + 4.5)
    many = np.arange(200_000.0)  # all pairs of these would not fit into memory
    found = find_trend(many, many, higher_is_better=True)
    assert (found.verdict, found.count) == ("improving", 200_000)
    assert found.slope == pytest.approx(1)
