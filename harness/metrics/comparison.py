"""Paired differences of entries on the same test units: intervals and p values.

Two entries scored on the same trials move together when other speakers are drawn, so it is the
difference whose spread counts, not the two entries' own. A difference has its interval in the
metric's own unit, and symmetric: it may be negative or 0, and has no logit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from harness.metrics.intervals import ROUNDING, check_spread
from harness.metrics.validation import MetricError, check_finite, check_same_length, usable_scores

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two entries' metrics on the same test units.

    Attributes:
        value: the first less the second, in the metric's own unit.
        low, high: the two-sided confidence interval of the difference.
        error: its standard error.
        p: two-sided, that of no difference.
        freedom: degrees of freedom.
    """

    value: float
    low: float
    high: float
    error: float
    p: float
    freedom: int


def compare_replicates(
    estimate_a: float,
    replicates_a: ArrayLike,
    estimate_b: float,
    replicates_b: ArrayLike,
    units: int,
    *,
    level: float = 0.95,
) -> PairedDifference:
    """Compare two entries by replicates on the same draws of the same units.

    difference +- t(S - 1) * standard deviation of the replicates' differences, and p of
    difference / standard deviation under Student's t(S - 1): the interval holds 0 exactly where
    p > 1 - level. For the bootstrap's standard error of a paired difference see B. Efron and
    R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 6 and 8; for
    t on the number of units less one, chapter 12.

    Args:
        estimate_a: the metric of the first entry on the whole sample: EER, minDCF, accuracy.
        replicates_a: `[R]`, the same on R draws of the units.
        estimate_b: the metric of the second entry.
        replicates_b: `[R]`, on the same draws in the same order, hence of the same trials and seed.
        units: S, how many units were resampled.
        level: confidence, between 0 and 1.

    Raises:
        MetricError: replicates that differ in number, fewer than two of them or of the units, NaN
            or infinite values, or a level out of its range.

    >>> found = compare_replicates(0.10, [0.09, 0.12, 0.09], 0.06, [0.05, 0.06, 0.07], units=3)
    >>> round(found.value, 3), round(found.error, 3), round(found.p, 3)
    (0.04, 0.02, 0.184)
    """
    first = usable_scores(replicates_a, "replicates of the first entry").astype(np.float64)
    second = usable_scores(replicates_b, "replicates of the second entry").astype(np.float64)
    check_same_length(replicates_a=first, replicates_b=second)
    check_spread(units, len(first))
    if not 0 < level < 1:
        raise MetricError(f"level is {level}; give a value between 0 and 1")
    check_finite(np.array([estimate_a, estimate_b]), "estimates of the two entries")
    value, error = estimate_a - estimate_b, float(np.std(first - second, ddof=1))
    reach = float(stdtrit(units - 1, (1 + level) / 2)) * error
    p = float(two_sided_p(np.array([value]), np.array([error]), units - 1)[0])
    return PairedDifference(value, value - reach, value + reach, error, p, units - 1)


def two_sided_p(differences: Floats, errors: Floats, freedom: ArrayLike) -> Floats:
    """Compute the p values of differences, by Student's t.

    If there is no spread, p is 0 for a difference and 1 for none.

    Args:
        differences: `[M]`, of either sign.
        errors: `[M]`, their standard errors.
        freedom: degrees of freedom: one number, or `[M]`.

    >>> two_sided_p(np.array([-2.0, 0.0, 0.1]), np.array([1.0, 0.0, 0.0]), 10).round(3)
    array([0.073, 1.   , 0.   ])
    """
    sizes, spread = np.abs(differences), errors > ROUNDING
    p = np.where(sizes > ROUNDING, 0.0, 1.0)
    degrees = np.broadcast_to(np.asarray(freedom, dtype=np.float64), errors.shape)
    p[spread] = 2 * stdtr(degrees[spread], -(sizes[spread] / errors[spread]))
    return p


def holm(p_values: ArrayLike) -> Floats:
    """Adjust p values `[M]` for M comparisons by Holm's step-down rule.

    S. Holm, Scandinavian Journal of Statistics 6, 1979.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
