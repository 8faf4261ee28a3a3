"""Whether a curve goes up, down or stays, in noise whose neighbours may resemble one another.

The test is a ratio of marginal likelihoods (Kalbfleisch and Sprott, J. R. Stat. Soc. B 32, 1970;
King and Hillier, J. R. Stat. Soc. B 47, 1985): how probable the values are as a trend in white
noise, against how probable they are as no trend in noise whose autocorrelation is 0 to 0.7. Height,
scale and slope are integrated out, so the ratio depends on none of them. Its critical value is the
largest one over these autocorrelations, found by simulation: a flat curve is called improving at
most 5 times in 100, whichever of them is true. docs/health.md has the tables, and why Kendall's
test, however corrected, does not do both that and find an improvement of two deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, stdtr

from harness.health.critical_values import CRITICAL, FEWEST, MOST

Floats = NDArray[np.float64]
Verdict = Literal["improving", "flat", "declining", "cannot tell"]

AUTOCORRELATIONS = np.arange(8) / 10
NULL_WEIGHTS = np.array([4, 1, 1, 1, 1, 1, 1, 2]) / 12
"""Weight of each autocorrelation among the curves without a trend."""

SHAPE_WEIGHTS = np.array([0.94, 0.02, 0.02, 0.02])
"""Weight of each shape of a trend: a line, mostly; see `trend_shapes`."""

WORTH = 2.0
"""Change over the whole curve, in noise deviations, that has to be ruled out to call it flat."""


@dataclass(frozen=True)
class Trend:
    """The trend of a curve.

    Attributes:
        verdict: `improving` or `declining`, each at the level 5 %, one-sided; `flat` where the same
            test rules out a change of two noise deviations either way; else `cannot tell`.
        slope: Theil-Sen slope, in units of the values an epoch; positive is upwards.
        tau: Kendall's rank correlation of time and value, -1 to 1.
        count: validations that it rests on.
    """

    verdict: Verdict
    slope: float
    tau: float
    count: int


def find_trend(times: Floats, values: Floats, *, higher_is_better: bool) -> Trend:
    """Judge a curve's trend.

    Args:
        times: when, ascending, `[N]`.
        values: `[N]`, finite.
        higher_is_better: which way an improvement goes.
    """
    slope, tau = theil_sen(times, values), kendall(values)
    verdict: Verdict = "cannot tell"
    if len(values) >= FEWEST:
        better = thin(values) if higher_is_better else -thin(values)
        verdict = _judge(better)
    return Trend(verdict, slope, tau, len(values))


def _judge(better: Floats) -> Verdict:
    """Judge values of which higher ones are better."""
    if np.ptp(better) == 0:
        return "flat"
    if has_risen(better):
        return "improving"
    if has_risen(-better):
        return "declining"
    count = len(better)
    line = trend_shapes(count)[0]
    residuals = better - better.mean() - line * (line @ better)
    deviation = float(np.sqrt(residuals @ residuals / (count - 2)))
    ramp = WORTH * deviation * np.linspace(0, 1, count)
    return "flat" if has_risen(better + ramp) and has_risen(ramp - better) else "cannot tell"


def has_risen(values: Floats) -> bool:
    """Test if a curve rises, one-sided, at the level 5 %.

    Args:
        values: `[N]`, between `FEWEST` and `MOST` of them.
    """
    return bool(evidence_of_rise(values[None])[0] > CRITICAL[len(values)])


def evidence_of_rise(values: Floats) -> Floats:
    """Return the logarithm of the ratio of both marginal likelihoods.

    Args:
        values: curves, `[curves, N]`.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    return _log_trend(centred) - _log_no_trend(centred)


def trend_shapes(count: int) -> Floats:
    """Return the shapes of a trend, `[4, count]`: each of mean 0 and length 1, and rising.

    A line; exponentials that settle with a quarter and a twelfth of the curve as their time
    constant; and the first of them backwards. Without the curved ones a clean curve that bends
    looks more like autocorrelated noise than like a line.
    """
    time = np.arange(count, dtype=np.float64)
    quarter = np.exp(-4 * time / count)
    shapes = np.stack([time, -quarter, -np.exp(-12 * time / count), quarter[::-1]])
    shapes -= shapes.mean(axis=1, keepdims=True)
    return np.asarray(shapes / np.linalg.norm(shapes, axis=1, keepdims=True))


def _log_trend(centred: Floats) -> Floats:
    """Log marginal likelihood of a rise in white noise, `[curves]`, but for constants of N."""
    count = centred.shape[1]
    along = centred @ trend_shapes(count).T
    total = (centred**2).sum(axis=1, keepdims=True)
    left = np.maximum(total - along**2, 1e-14 * total)
    rising = stdtr(count - 2, along / np.sqrt(left / (count - 2)))
    likelihood = np.log(np.maximum(rising, 1e-300)) - (count - 2) / 2 * np.log(left)
    mixed: Floats = logsumexp(likelihood, axis=1, b=SHAPE_WEIGHTS) - np.log(count) / 2
    return mixed


def _log_no_trend(centred: Floats) -> Floats:
    """Log marginal likelihood of no trend, over the autocorrelations, `[curves]`."""
    count, rho = centred.shape[1], AUTOCORRELATIONS
    squares = (centred**2).sum(axis=1, keepdims=True)
    inner = (centred[:, 1:-1] ** 2).sum(axis=1, keepdims=True)
    products = (centred[:, 1:] * centred[:, :-1]).sum(axis=1, keepdims=True)
    ends = centred[:, :1] + centred[:, -1:]
    # Sums with the inverse of the AR(1) correlation matrix, which has three diagonals; each is
    # multiplied by 1 - rho^2.
    form = squares + rho**2 * inner - 2 * rho * products
    with_ones = rho * (1 - rho) * ends
    ones = count - 2 * rho * (count - 1) + rho**2 * (count - 2)
    left = (form - with_ones**2 / ones) / (1 - rho**2)
    likelihood = (
        -(count - 1) / 2 * np.log(1 - rho**2)
        - np.log(ones / (1 - rho**2)) / 2
        - (count - 1) / 2 * np.log(left)
    )
    mixed: Floats = logsumexp(likelihood, axis=1, b=NULL_WEIGHTS)
    return mixed


def thin(values: Floats) -> Floats:
    """Return at most `MOST` values: means of stretches that are as long as one another."""
    if len(values) <= MOST:
        return values
    return np.array([part.mean() for part in np.array_split(values, MOST)])


def theil_sen(times: Floats, values: Floats) -> float:
    """Return the median of the slopes between all pairs (Sen, J. Am. Stat. Assoc. 63, 1968).

    >>> theil_sen(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 3, 40]))
    7.0
    """
    early, late = np.triu_indices(len(values), 1)
    apart = times[late] - times[early]
    kept = apart > 0
    if not kept.any():
        return 0.0
    return float(np.median((values[late] - values[early])[kept] / apart[kept]))


def kendall(values: Floats) -> float:
    """Return Kendall's tau-a of time and value (Mann, Econometrica 13, 1945).

    >>> kendall(np.array([1.0, 2, 4, 3]))
    0.6666666666666666
    """
    early, late = np.triu_indices(len(values), 1)
    return float(np.sign(values[late] - values[early]).mean()) if len(early) else 0.0
