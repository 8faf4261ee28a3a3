"""The DET curve of a trial list's scores, in as many points as a picture needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.metrics.detection import min_dcf
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.roc import Counts, Roc, roc, thin
from harness.records.details_schema import Det, DetPoint
from harness.tasks.trial_metrics import Sides

POINTS = 120


def det_points(sides: Sides, point: OperatingPoint) -> Det:
    """At most POINTS points of the curve, exact ones all.

    Beside those that `harness.metrics.roc.thin` keeps there are the two between which the EER lies,
    so that the EER drawn from the points is the one that the record tells, and the one of minDCF.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.
    """
    curve = roc(*sides)
    upper = _first_not_below(curve)
    least = int(np.searchsorted(curve.thresholds, min_dcf(*sides, point).threshold))
    thinned = np.searchsorted(curve.thresholds, thin(curve, POINTS - 3).thresholds)
    kept = curve.at(np.union1d(thinned, [upper - 1, upper, least]))
    return Det(
        false_alarm=tuple(kept.false_alarm_rates.tolist()),
        miss=tuple(kept.miss_rates.tolist()),
        targets=curve.all_targets,
        nontargets=curve.all_nontargets,
        min_dcf=DetPoint(
            false_alarm=int(curve.false_alarms[least]) / curve.all_nontargets,
            miss=int(curve.misses[least]) / curve.all_targets,
        ),
    )


def _first_not_below(curve: Roc) -> int:
    """The first point whose miss rate is at least its false-alarm rate; never the first of all."""
    misses, false_alarms = _wide(curve.misses), _wide(curve.false_alarms)
    gaps = misses * curve.all_nontargets - false_alarms * curve.all_targets
    return int(np.searchsorted(gaps, 0))


def _wide(counts: Counts) -> NDArray[np.int64]:
    return counts.astype(np.int64)
