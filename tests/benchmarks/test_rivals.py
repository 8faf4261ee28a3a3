"""The rivals compute what ours computes: on a short list, so that this runs with every test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint
from tests.benchmarks.rivals import Least, Rates, metrics_of, rates_by_order, rates_of_sklearn

Trials = tuple[NDArray[Any], NDArray[np.bool_]]


@pytest.fixture(scope="module", params=[0, 1, 2])
def trials(request: pytest.FixtureRequest) -> Trials:
    rng = np.random.default_rng(request.param)
    is_target = rng.random(3000) < 0.1
    return rng.normal(is_target * 2.0, 1.0), is_target


@pytest.mark.parametrize("point", [OperatingPoint(), OperatingPoint(p_target=0.9, c_fa=3)])
@pytest.mark.parametrize("least", [min, np.min])
def test_all_agree(trials: Trials, point: OperatingPoint, least: Least) -> None:
    scores, is_target = trials
    sides = scores[is_target], scores[~is_target]
    expected = pytest.approx((eer(*sides).value, min_dcf(*sides, point).value), rel=0, abs=1e-12)
    curve = rates_of_sklearn(scores, is_target)
    ascending = Rates(curve.miss[::-1], curve.false_alarm[::-1])
    assert metrics_of(rates_by_order(scores, is_target), point, least) == expected
    assert metrics_of(ascending, point, least) == expected
