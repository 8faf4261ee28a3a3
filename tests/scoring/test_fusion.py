"""Fusion: no worse than its parts, and what it makes of systems that tell the same or nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.validation import MetricError
from harness.scoring.calibration import ScoreFusion, fit_calibration, fit_fusion


def systems(count: int, trials: int = 1000, seed: int = 0):
    rng = np.random.default_rng(seed)
    is_target = np.arange(trials) % 5 == 0
    use = rng.uniform(0, 2, (count, 1))
    return rng.normal(size=(count, trials)) + use * is_target, is_target


def cross_entropy(llrs, is_target, p_target: float) -> float:
    shift = np.log(p_target / (1 - p_target))
    missed = np.logaddexp(0, -llrs[is_target] - shift).mean()
    accepted = np.logaddexp(0, llrs[~is_target] + shift).mean()
    return float(p_target * missed + (1 - p_target) * accepted)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.sampled_from([0.01, 0.5]), st.integers(0, 1000))
def test_the_fused_objective_is_no_worse_than_that_of_any_system(count, p_target, seed):
    scores, is_target = systems(count, seed=seed)
    fused = fit_fusion(scores, is_target, p_target=p_target).apply(scores)
    together = cross_entropy(fused, is_target, p_target)
    for row in scores:
        alone = fit_calibration(row, is_target, p_target=p_target).apply(row)
        assert together <= cross_entropy(alone, is_target, p_target) + 1e-8


def test_independent_gaussian_systems_add_their_ratios():
    scores, is_target = (
        np.random.default_rng(0).normal(size=(2, 40_000)),
        np.arange(40_000) % 2 == 0,
    )
    scores += np.array([[1.0], [2.0]]) * is_target
    fused = fit_fusion(scores, is_target)
    assert fused.scales == pytest.approx([1, 2], rel=0.05)  # llr of one: d * score - d * d / 2
    assert fused.offset == pytest.approx(-2.5, rel=0.05)


def test_one_system_is_a_calibration():
    scores, is_target = systems(1)
    alone = fit_calibration(scores[0], is_target)
    fused = fit_fusion(scores, is_target)
    assert (fused.scales, fused.offset) == ((alone.scale,), alone.offset)


def test_a_system_given_twice_shares_its_weight():
    scores, is_target = systems(1)
    alone = fit_calibration(scores[0], is_target)
    fused = fit_fusion([scores[0], scores[0]], is_target)
    assert fused.scales == pytest.approx([alone.scale / 2] * 2, rel=1e-6)


def test_the_order_of_systems_is_of_no_matter():
    scores, is_target = systems(3)
    there, back = fit_fusion(scores, is_target), fit_fusion(scores[::-1], is_target)
    assert back.scales == pytest.approx(there.scales[::-1], rel=1e-9)


def test_qualities_come_after_the_systems():
    scores, is_target = systems(2)
    quality = np.random.default_rng(1).normal(size=is_target.size)
    fused = fit_fusion(scores, is_target, [quality])
    assert (len(fused.scales), len(fused.quality_weights)) == (2, 1)
    want = fused.scales @ scores + fused.offset + fused.quality_weights[0] * quality
    np.testing.assert_allclose(fused.apply(scores, [quality]), want, atol=1e-12)


def test_another_count_of_systems_is_refused():
    with pytest.raises(MetricError, match="1 systems, fitted on 2"):
        ScoreFusion((1.0, 2.0), 0.0).apply([[1.0, 2.0]], [[1.0, 2.0]])
    with pytest.raises(MetricError, match="there is no system"):
        fit_fusion([], np.array([True, False]))
