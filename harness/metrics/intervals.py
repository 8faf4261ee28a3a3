"""Confidence intervals of rates, from replicates on resampled units or from left-one-out values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, stdtrit

from harness.metrics.validation import MetricError, check_finite, check_vector, usable_scores

ROUNDING = 1e-12
"""Differences and spreads up to this are taken for rounding, and so for none."""


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval of a rate, in the rate's own unit."""

    low: float
    high: float


def logit_interval(
    estimate: float,
    replicates: ArrayLike,
    units: int,
    level: float = 0.95,
    *,
    floor: float,
) -> Interval:
    """Compute logit(estimate) +- t(units - 1) * standard deviation of the logit replicates.

    Rates of exactly 0 or 1 have no logit: estimate and replicates are first clipped to
    `[floor, 1 - floor]`. The interval always contains the estimate, so it begins at 0 (ends at 1)
    for an estimate of exactly 0 (1). An estimate of 0 or 1 of which no replicate differs says
    nothing about its spread; its other end is then the Clopper-Pearson limit for no error in
    `units` trials, 1 - (alpha / 2) ** (1 / units).

    Args:
        estimate: the rate on the whole sample, from 0 to 1.
        replicates: `[R]`, the rate on R resamples of the units.
        units: how many units were resampled.
        level: confidence, between 0 and 1.
        floor: the least rate that counts as above 0; half a trial: `half_trial(count)`.

    Raises:
        MetricError: fewer than two units or replicates, NaN, or a value out of its range.

    >>> round(logit_interval(0.0, [0.0, 0.0], units=10, floor=0.01).high, 6)
    0.308497
    """
    values = _usable_replicates(estimate, replicates, units, level, floor)
    tail = (1 - level) / 2
    if estimate in (0.0, 1.0) and bool(np.all(values == estimate)):
        reach = -math.expm1(math.log(tail) / units)
        return Interval(0.0, reach) if estimate == 0 else Interval(1 - reach, 1.0)
    spread = float(np.std(logit(np.clip(values, floor, 1 - floor)), ddof=1))
    return _around(estimate, float(stdtrit(units - 1, 1 - tail)) * spread, floor)


def half_trial(count: int) -> float:
    """Return half of the smallest step of a rate over `count` trials, the floor of its logit.

    For EER and minDCF `count` is that of the side with fewer trials.

    Raises:
        MetricError: fewer than two trials.

    >>> half_trial(50)
    0.01
    """
    if count < 2:
        raise MetricError(f"{count} trials: a rate over them has no interval; give at least 2")
    return 0.5 / count


def draw_units(rng: np.random.Generator, units: int, resamples: int) -> NDArray[np.int64]:
    """Draw `units` units with replacement, `resamples` times.

    Returns:
        `[resamples, units]`: how often each unit was drawn.

    Raises:
        MetricError: no units or no resamples.

    >>> draw_units(np.random.default_rng(0), units=3, resamples=2).sum(axis=1)
    array([3, 3])
    """
    if units < 1 or resamples < 1:
        raise MetricError(f"{resamples} resamples of {units} units; give at least 1 of each")
    return rng.multinomial(units, np.full(units, 1 / units), size=resamples)


def _usable_replicates(
    estimate: float, replicates: ArrayLike, units: int, level: float, floor: float
) -> NDArray[np.float64]:
    values = usable_scores(replicates, "replicates").astype(np.float64)
    check_spread(units, len(values))
    if not (0 < level < 1 and 0 < floor < 0.5):
        raise MetricError(f"level is {level} and floor {floor}; want (0, 1) and (0, 0.5)")
    outside = int(np.count_nonzero((values < 0) | (values > 1)))
    if outside or not 0 <= estimate <= 1:
        raise MetricError(
            f"estimate {estimate}, and {outside} of {len(values)} replicates out of [0, 1]; "
            "this interval is for rates, given as fractions"
        )
    return values


def jackknife_interval(
    estimate: float, left_out: ArrayLike, level: float = 0.95, *, floor: float
) -> Interval:
    """Compute logit(estimate) +- t(S - 1) * jackknife standard error of the logit.

    For metrics of which no replicates are known, as those that are joined over folds. The standard
    error is that of `jackknife_error`, over the logits of the left-one-out values. Rates of 0 and 1
    are treated as `logit_interval` does.

    Args:
        estimate: the rate on the whole sample, from 0 to 1.
        left_out: `[S]`, the rate without each unit.
        level: confidence, between 0 and 1.
        floor: the least rate that counts as above 0; half a trial.

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
    reach = float(stdtrit(len(values) - 1, (1 + level) / 2)) * jackknife_error(logits)
    return _around(estimate, reach, floor)


def jackknife_error(left_out: ArrayLike) -> float:
    """Compute the jackknife standard error, sqrt((S - 1) / S * sum((x_s - mean)^2)).

    B. Efron and C. Stein, "The jackknife estimate of variance", Annals of Statistics 9, 1981.

    Args:
        left_out: `[S]`, a metric, or the difference of two, without each unit.

    Raises:
        MetricError: fewer than two values, or NaN or infinite ones.

    >>> round(jackknife_error([0.0, 1.0, 2.0]), 6)
    1.154701
    """
    values = np.asarray(left_out, dtype=np.float64)
    check_vector(values, "left-one-out values")
    check_finite(values, "left-one-out values")
    if len(values) < 2:
        raise MetricError("1 left-one-out value has no spread; give at least 2 units")
    return float(np.std(values) * np.sqrt(len(values) - 1))


def check_spread(units: int, replicates: int) -> None:
    """Raise MetricError if there are too few units or replicates to show any spread."""
    if units < 2 or replicates < 2:
        raise MetricError(
            f"{units} units and {replicates} replicates: no spread to see; give at least 2 of each"
        )


def _around(estimate: float, reach: float, floor: float) -> Interval:
    """Return the interval that reaches as far to both sides on the logit scale."""
    centre = float(logit(np.clip(estimate, floor, 1 - floor)))
    low, high = float(expit(centre - reach)), float(expit(centre + reach))
    return Interval(min(low, estimate), max(high, estimate))
