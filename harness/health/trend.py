"""Whether a curve goes up, down or stays, in noise whose neighbours may resemble one another.

A curve rises if either of two statistics says so.

`evidence_of_rise` is a ratio of marginal likelihoods (Kalbfleisch and Sprott, J. R. Stat. Soc. B
32, 1970; King and Hillier, J. R. Stat. Soc. B 47, 1985): how probable the values are as a rise in
white noise, against how probable they are as no trend in noise whose autocorrelation is 0 to 0.7.
Height and scale are integrated out, so it depends on neither. `lift` is for clear curves of
whatever shape: how much the last third lies above the first, in noise deviations.

Their critical values are found by simulation (`critical_values.py`), so that together they call a
flat curve improving at most 5 times in 100, in white noise and at an autocorrelation of 0.7.
docs/health.md has the tables, and why Kendall's test, however corrected, does not do both that and
find a rise of two deviations 75 times in 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, stdtr

from harness.health.critical_values import CRITICAL, FEWEST, MOST
from harness.health.noise import NORMAL_MAD, noise_deviation

Floats = NDArray[np.float64]
Verdict = Literal["improving", "flat", "declining", "cannot tell"]

AUTOCORRELATIONS = np.arange(8) / 10
NULL_WEIGHTS = np.array([5, 2, 2, 2, 2, 2, 2, 4]) / 21
"""Weight of each autocorrelation among the curves without a trend."""

RISE = 2.0
"""Rise over the whole curve, in noise deviations, that the test is made to find."""

LARGER = np.array([4.0, 8.0, 8.0, 8.0])
"""Scale of larger rises of each shape, as a length of the rise's values in noise deviations."""

WEIGHTS = np.array([0.75, 0.13, 0.04, 0.04, 0.04])
"""Weight of a rise of `RISE`, and of larger ones of each of `rising_shapes`."""

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
    """Judge a curve's trend; one of more than `MOST` values by the means of its stretches.

    Args:
        times: when, ascending, `[N]`.
        values: `[N]`, finite.
        higher_is_better: which way an improvement goes.
    """
    few = thin(values)
    slope, tau = theil_sen(thin(times), few), kendall(few)
    verdict: Verdict = "cannot tell"
    if len(few) >= FEWEST:
        verdict = _judge(few if higher_is_better else -few)
    return Trend(verdict, slope, tau, len(values))


def _judge(better: Floats) -> Verdict:
    """Judge values of which higher ones are better."""
    if np.ptp(better) == 0:
        return "flat"
    # A curve that turns round may fit a bend well and yet lie, pair by pair, the other way.
    way = kendall(better)
    if way > 0 and has_risen(better):
        return "improving"
    if way < 0 and has_risen(-better):
        return "declining"
    # Noise of second differences, not of what a line leaves: a curve that bends is not flat.
    ramp = WORTH * noise_deviation(better) * np.linspace(0, 1, len(better))
    return "flat" if has_risen(better + ramp) and has_risen(ramp - better) else "cannot tell"


def has_risen(values: Floats) -> bool:
    """Test if a curve rises, one-sided, at the level 5 %.

    Args:
        values: `[N]`, between `FEWEST` and `MOST` of them.
    """
    return bool(have_risen(values[None])[0])


def have_risen(values: Floats) -> NDArray[np.bool_]:
    """Test several curves at once.

    Args:
        values: `[curves, N]`.
    """
    evidence, least_lift = CRITICAL[values.shape[1]]
    found: NDArray[np.bool_] = (evidence_of_rise(values) > evidence) | (lift(values) > least_lift)
    return found


def lift(values: Floats) -> Floats:
    """Return how much the last third lies above the first, in noise deviations, `[curves]`.

    Args:
        values: `[curves, N]`.
    """
    third = values.shape[1] // 3
    apart = values[:, -third:].mean(axis=1) - values[:, :third].mean(axis=1)
    deviations = np.abs(np.diff(values, 2, axis=1))
    noise = NORMAL_MAD * np.median(deviations, axis=1) / np.sqrt(6)
    return np.asarray(apart / np.maximum(noise, 1e-12 * np.abs(values).max(axis=1) + 1e-300))


def evidence_of_rise(values: Floats) -> Floats:
    """Return the logarithm of the ratio of both marginal likelihoods, `[curves]`.

    Args:
        values: `[curves, N]`.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.maximum(size, 1e-300)
    return _log_trend(unit) - _log_no_trend(unit)


def _log_trend(unit: Floats) -> Floats:
    """Log marginal likelihood of a rise in white noise, `[curves]`.

    Args:
        unit: curves of mean 0 and length 1.
    """
    count = unit.shape[1]
    shapes = rising_shapes(count)
    along = unit @ shapes.T
    length = float(np.linalg.norm(np.linspace(-RISE / 2, RISE / 2, count)))
    known = _log_rise(count, length, along[:, 0])
    # Heights of a half-normal distribution: the integral over them has a closed form.
    share = LARGER**2 / (1 + LARGER**2)
    left = 1 - share * along**2
    is_up = 2 * stdtr(count - 1, along * np.sqrt(share * (count - 1) / left))
    larger = np.log(is_up) - np.log(1 + LARGER**2) / 2 - (count - 1) / 2 * np.log(left)
    mixed: Floats = logsumexp(np.column_stack([known, larger]), axis=1, b=WEIGHTS)
    return mixed


def rising_shapes(count: int) -> Floats:
    """Return shapes of a rise, `[4, count]`, each of mean 0 and length 1.

    A line; exponentials that settle with a quarter and a twelfth of the curve as their time
    constant; and the first of them backwards.
    """
    time = np.arange(count, dtype=np.float64)
    quarter = np.exp(-4 * time / count)
    shapes = np.stack([time, -quarter, -np.exp(-12 * time / count), quarter[::-1]])
    shapes -= shapes.mean(axis=1, keepdims=True)
    return np.asarray(shapes / np.linalg.norm(shapes, axis=1, keepdims=True))


def _log_rise(count: int, length: float, along: Floats) -> Floats:
    """Log marginal likelihood of a rise of a known length, whose scale is integrated out."""
    return np.interp(along, *_rise_table(count, length))


@cache
def _rise_table(count: int, length: float) -> tuple[Floats, Floats]:
    """Return places between -1 and 1, and the log likelihood there, which is smooth.

    It is the integral of `z**(N-2) exp(-z**2/2 + z length along - length**2/2)` over z > 0, over
    that of `z**(N-2) exp(-z**2/2)`.
    """
    grid = np.linspace(-1, 1, 201)
    z = np.linspace(0, length + np.sqrt(count) + 8, 400)[1:]
    density = (count - 2) * np.log(z) - z**2 / 2
    whole = logsumexp(density[None] + grid[:, None] * length * z[None], axis=1)
    return grid, whole - logsumexp(density) - length**2 / 2


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
        - np.log(ones / (1 - rho**2) / count) / 2
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
