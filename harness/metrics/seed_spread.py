"""The spread over training seeds, pooled over entries, and joined with the test sample's error.

An entry trained again with another seed has another error rate. Few entries are trained often
enough to know that spread by themselves, so it is pooled: the sums of squares over the degrees of
freedom of all entries with two seeds or more. An entry with one seed borrows it; if no entry has
two there is none.

Error rates spread in proportion to themselves rather than by so many points, so rates are pooled on
the logit scale, to first order: a deviation of x counts as x / (m * (1 - m)), m the entry's mean
over its seeds, and a spread s is s * m * (1 - m) for an entry of rate m (the delta method: G. W.
Oehlert, American Statistician 46, 1992). Unlike logits of the seeds themselves this needs no floor
for rates of 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError, usable_scores

Floats = NDArray[np.float64]

Scale = Literal["logit", "plain"]
"""On which scale spreads are alike: `logit` for rates, `plain` for what is not bound to [0, 1]."""


@dataclass(frozen=True)
class SeedSpread:
    """The standard deviation of one training's metric over seeds.

    Attributes:
        sd: on the scale, at least 0.
        freedom: degrees of freedom it was computed with.
        scale: on which it holds for all entries.
    """

    sd: float
    freedom: int
    scale: Scale = "logit"

    def at(self, value: float) -> float:
        """Return the standard deviation of an entry of this value, in the metric's own unit.

        Raises:
            MetricError: a value out of [0, 1] on the logit scale.

        >>> round(SeedSpread(0.2, freedom=3).at(0.05), 6)
        0.0095
        """
        return self.sd * _slope(value, self.scale)


def pool_spread(seeds: Iterable[Sequence[float]], scale: Scale = "logit") -> SeedSpread | None:
    """Pool the spread over seeds: sum of squares / sum of (n - 1), over entries with n >= 2 seeds.

    On the logit scale an entry all of whose seeds are exactly 0 or 1 shows nothing of its spread,
    and counts as an entry with one seed.

    Args:
        seeds: for each entry, the metric of each of its seeds.
        scale: `logit` for rates from 0 to 1, `plain` for other metrics.

    Returns:
        The spread; None if no entry shows one.

    Raises:
        MetricError: NaN or infinite values, or on the logit scale values out of [0, 1].

    >>> pool_spread([[1.0, 3.0], [5.0], [2.0, 2.0, 2.0]], scale="plain")
    SeedSpread(sd=0.816496580927726, freedom=3, scale='plain')
    >>> pool_spread([[0.05], [0.07]])
    """
    several = [usable_scores(entry, "a metric over seeds") for entry in seeds if len(entry) > 1]
    known = [entry for entry in several if _slopes(entry, scale) > 0]
    freedom = sum(len(entry) - 1 for entry in known)
    if not freedom:
        return None
    squares = sum(float(np.sum(_deviations(entry, scale) ** 2)) for entry in known)
    return SeedSpread(math.sqrt(squares / freedom), freedom, scale)


def seed_variance(estimate: float, seeds: int, spread: SeedSpread) -> float:
    """Compute the variance over seeds of an entry's mean over its seeds.

    Args:
        estimate: the mean.
        seeds: their number; 0 if nothing is trained, and no seed can change a thing.
        spread: that of one training.

    >>> round(seed_variance(0.5, 4, SeedSpread(0.2, freedom=3)), 6)
    0.000625
    """
    return spread.at(estimate) ** 2 / seeds if seeds else 0.0


def combine_errors(
    test_errors: ArrayLike, test_freedom: int, seed_variances: ArrayLike, seed_freedom: int
) -> tuple[Floats, Floats]:
    """Join standard errors over the test sample with variances over seeds.

    SE^2 = SE_test^2 + V_seed, with SE^4 / (SE_test^4 / f_test + V_seed^2 / f_seed) degrees of
    freedom (F. E. Satterthwaite, Biometrics Bulletin 2, 1946; B. L. Welch, Biometrika 34, 1947).

    Args:
        test_errors: `[M]`, standard errors over the test sample.
        test_freedom: their degrees of freedom, S - 1.
        seed_variances: `[M]`, of a difference: the sum of the two entries' `seed_variance`.
        seed_freedom: those of the pooled spread.

    Returns:
        Standard errors `[M]` and degrees of freedom `[M]`.

    >>> errors, freedom = combine_errors([3.0], 10, [16.0], 4)
    >>> errors, freedom.round(3)
    (array([5.]), array([8.669]))
    """
    test = np.square(np.asarray(test_errors, dtype=np.float64))
    seeds = np.asarray(seed_variances, dtype=np.float64)
    variances = test + seeds
    parts = test**2 / test_freedom + seeds**2 / seed_freedom
    # Without any variance no degrees of freedom are needed; squares of tiny ones may vanish too.
    freedom = np.full(variances.shape, float(test_freedom))
    np.divide(variances**2, parts, out=freedom, where=parts > 0)
    return np.sqrt(variances), freedom


def _deviations(entry: NDArray[np.floating], scale: Scale) -> Floats:
    return np.asarray((entry - entry.mean()) / _slopes(entry, scale), dtype=np.float64)


def _slopes(entry: NDArray[np.floating], scale: Scale) -> float:
    """Return a step of 1 on the scale in the metric's unit, at the entry's mean."""
    for value in (entry.min(), entry.max()):
        _slope(float(value), scale)
    return _slope(float(entry.mean()), scale)


def _slope(value: float, scale: Scale) -> float:
    if scale == "plain":
        return 1.0
    if not 0 <= value <= 1:
        raise MetricError(
            f"a metric of {value} has no logit: seeds are pooled on the logit scale for rates, "
            "given as fractions; for other metrics give scale='plain'"
        )
    return value * (1 - value)
