"""The confidence interval of a rate from its values with each unit left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, stdtrit

from harness.metrics.comparison import ROUNDING, jackknife_error
from harness.metrics.errors import MetricError, usable_scores
from harness.metrics.intervals import Interval, logit_interval


def jackknife_interval(
    estimate: float, left_out: ArrayLike, level: float = 0.95, *, floor: float
) -> Interval:
    """Computes logit(estimate) +- t(S - 1) * jackknife standard error of the logit.

    For metrics of which no replicates are known, as those that are joined over folds. The standard
    error is that of `harness.metrics.comparison.jackknife_error`, over the logits of the
    left-one-out values. Rates of 0 and 1 are treated as `harness.metrics.intervals.logit_interval`
    does.

    Args:
        estimate: the rate on the whole sample, from 0 to 1.
        left_out: `[S]`, the rate without each unit.
        level: confidence, between 0 and 1.
        floor: the least rate told from 0; half a trial.

    Raises:
        MetricError: fewer than two units, NaN, or a value out of its range.

    >>> found = jackknife_interval(0.1, [0.09, 0.10, 0.11], floor=0.001)
    >>> round(found.low, 3), round(found.high, 3)
    (0.06, 0.162)
    """
    values = usable_scores(left_out, "left-one-out values").astype(np.float64)
    if len(values) < 2:
        raise MetricError("1 left-one-out value has no spread; give at least 2 units")
    # Its checks, and what it answers where there is no spread at an end of the scale.
    plain = logit_interval(estimate, values, len(values), level, floor=floor)
    if estimate in (0.0, 1.0) and float(np.ptp(values)) <= ROUNDING:
        return plain
    logits = logit(np.clip(values, floor, 1 - floor))
    centre = float(logit(np.clip(estimate, floor, 1 - floor)))
    reach = float(stdtrit(len(values) - 1, (1 + level) / 2)) * jackknife_error(logits)
    low, high = float(expit(centre - reach)), float(expit(centre + reach))
    return Interval(min(low, estimate), max(high, estimate))
