"""How EER and minDCF are commonly computed: what ours is measured against.

All scores are sorted, labels are summed along the order, and every trial is a threshold: the way of
the NIST SRE16 scoring script, of WeSpeaker and of 3D-Speaker, written here from its description.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from harness.metrics.operating_point import OperatingPoint

Floats = NDArray[np.float64]
Least = Callable[[Any], Any]


class Rates(NamedTuple):
    """Error rates at ascending thresholds: misses rise, false alarms fall."""

    miss: Floats
    false_alarm: Floats


class Metrics(NamedTuple):
    """What all contestants must agree on."""

    eer: float
    min_dcf: float


def rates_by_order(scores: NDArray[Any], is_target: NDArray[np.bool_]) -> Rates:
    """Rates when each trial in turn, from the lowest score on, is the highest rejected one."""
    ordered = is_target[np.argsort(scores)].astype(np.float64)
    rejected_targets = np.cumsum(ordered)
    rejected_nontargets = np.cumsum(1 - ordered)
    return Rates(
        rejected_targets / rejected_targets[-1], 1 - rejected_nontargets / rejected_nontargets[-1]
    )


def metrics_of(rates: Rates, point: OperatingPoint, least: Least) -> Metrics:
    """EER by a straight line, and the least cost of any point."""
    c_miss, c_fa = point.weights
    costs = c_miss * rates.miss + c_fa * rates.false_alarm
    return Metrics(_meeting(rates), float(least(costs)))


def rates_of_sklearn(scores: NDArray[Any], is_target: NDArray[np.bool_]) -> Rates:
    """scikit-learn's ROC with all its points, still by descending threshold."""
    false_alarm, hits, _ = roc_curve(is_target, scores, drop_intermediate=False)
    return Rates(1 - hits, false_alarm)


def _meeting(rates: Rates) -> float:
    """Where the line crosses from the last point with fewer misses to the first without."""
    gap = rates.miss - rates.false_alarm
    after = int(np.argmax(gap >= 0))
    before = after - 1
    part = gap[before] / (gap[before] - gap[after])
    return float(rates.miss[before] + part * (rates.miss[after] - rates.miss[before]))
