"""Where a curve will be: power laws and exponentials, averaged, with an interval.

Each family is a limit and a way to it: `a + b u^-c` (Hestness et al., arXiv:1712.00409, 2017) and
`a + b exp(-u / s)` (Domhan, Springenberg and Hutter, IJCAI 2015, have both among theirs). They are
fitted by least squares, `c` and `s` over a grid, `a` and `b` in closed form, and weighed by
Akaike's weights (Burnham and Anderson, 2002). Interval: the residuals are drawn again in blocks
(Künsch, Ann. Stat. 17, 1989), the curve is fitted anew, and a residual is laid upon its forecast;
the middle 80 % of these. docs/health.md says how often it holds what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.health.noise import MOST_ALIKE, inflation
from harness.health.validation_curves import Curve, Moment

Floats = NDArray[np.float64]

FEWEST = 8
"""Values that a forecast needs."""

FARTHEST = 2.0
"""A forecast reaches so many times as far as the curve has come, at most."""

MISFIT = 0.6
"""Autocorrelation of the residuals from which on neither family follows the curve."""

LEVEL = 0.8
DRAWS = 500
POWERS = np.geomspace(0.1, 3.0, 64)
SCALES = np.geomspace(0.04, 20.0, 112)
"""Exponents of the power laws; and time constants, as shares of the curve's length: the largest are
all but straight, for a curve that has not begun to settle."""

PARAMETERS = 3


@dataclass(frozen=True)
class Forecast:
    """What a validation at one time will be.

    Attributes:
        at: when.
        value: the middle of what is likely.
        low, high: between them it lies 8 times in 10.
    """

    at: Moment
    value: float
    low: float
    high: float


def forecast_curve(curve: Curve, times: Sequence[float], *, seed: int = 0) -> tuple[Forecast, ...]:
    """Forecast a curve at some times.

    Nothing is forecast of under `FEWEST` values, nor where neither family follows the curve.

    Args:
        curve: rates stay between 0 and 1.
        times: in the unit of the curve's, each after its last and within `FARTHEST`.
        seed: of the bootstrap.
    """
    usable = [each for each in times if curve.times[-1] < each <= FARTHEST * curve.times[-1]]
    if len(curve) < FEWEST or not usable:
        return ()
    fit = _fit(curve.times, curve.values, np.array(usable))
    if neighbours(fit.residuals) >= MISFIT:
        return ()
    drawn = _draw(fit, np.random.default_rng(seed))
    if curve.is_rate:
        drawn = np.clip(drawn, 0, 1)
    edges = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
    low, middle, high = np.quantile(drawn, edges, axis=0)
    return tuple(
        Forecast(Moment(float(at), curve.unit), float(middle[i]), float(low[i]), float(high[i]))
        for i, at in enumerate(usable)
    )


def usual_times(curve: Curve) -> tuple[float, ...]:
    """Return the times at which a forecast is of use: a quarter, half and as much again later."""
    last = float(curve.times[-1])
    return tuple(float(round(last * more)) for more in (1.25, 1.5, 2.0))


@dataclass(frozen=True, eq=False)
class _Fit:
    """Both families fitted to a curve, and averaged.

    Attributes:
        families: those that were fitted.
        course: the average's values, `[N]`.
        residuals: what it leaves, of mean 0, `[N]`.
        rho: autocorrelation of the residuals, 0 to `MOST_ALIKE`.
        weighty: values as many as which the curve has independent ones.
    """

    families: tuple[_Family, ...]
    course: Floats
    residuals: Floats
    rho: float
    weighty: float


def _fit(times: Floats, values: Floats, later: Floats) -> _Fit:
    count = len(values)
    families = tuple(_Family(design, count) for design in _designs(times, later))
    left = np.stack([family.fit(values[None])[0] for family in families])
    courses = np.stack([family.course(values) for family in families])
    rho = resemblance(values - _weights(left, count)[:, 0] @ courses)
    weighty = count * (1 - rho) / (1 + rho)
    course = _weights(left, weighty)[:, 0] @ courses
    residuals = values - course
    return _Fit(families, course, residuals - residuals.mean(), rho, weighty)


def _draw(fit: _Fit, random: np.random.Generator) -> Floats:
    """Return drawn future values, `[DRAWS, times]`."""
    count = len(fit.course)
    # The fit took as much more of the noise as neighbours resemble one another.
    taken = PARAMETERS * count / fit.weighty
    residuals = fit.residuals * np.sqrt(count / max(count / 4, count - taken))
    length = max(1, round(count ** (1 / 3) * (1 + 2 * fit.rho)))
    again = fit.course + _stretch(length, fit.rho) * residuals[_blocks(count, length, random)]
    fits = [family.fit(again) for family in fit.families]
    shares = _weights(np.stack([left for left, _ in fits]), fit.weighty)
    chosen = (random.random(DRAWS)[None] > np.cumsum(shares, axis=0)).sum(axis=0)
    ahead = np.stack([forecasts for _, forecasts in fits])
    course = ahead[np.minimum(chosen, len(fits) - 1), np.arange(DRAWS)]
    return np.asarray(course + random.choice(residuals, course.shape))


class _Family:
    """Curves of one family: each member is linear in its two coefficients.

    Args:
        designs: of the values and of what comes after them, `[members, N + T, 2]`.
        count: N.
    """

    def __init__(self, designs: Floats, count: int) -> None:
        self.axes, mixing = np.linalg.qr(designs[:, :count])
        self.ahead = designs[:, count:] @ np.linalg.inv(mixing)

    def fit(self, curves: Floats) -> tuple[Floats, Floats]:
        """Fit curves `[C, N]`; return their squares left, `[C]`, and forecasts, `[C, T]`."""
        along = np.tensordot(curves, self.axes, axes=(1, 1))
        left = (curves**2).sum(axis=1, keepdims=True) - (along**2).sum(axis=2)
        member = left.argmin(axis=1)
        every = np.arange(len(curves))
        forecasts = np.einsum("ca,cta->ct", along[every, member], self.ahead[member])
        return np.maximum(left[every, member], 1e-300), forecasts

    def course(self, values: Floats) -> Floats:
        """Return the best member's values, `[N]`."""
        along = np.einsum("n,mna->ma", values, self.axes)
        member = int((along**2).sum(axis=1).argmax())
        return np.asarray(self.axes[member] @ along[member])


def _designs(times: Floats, later: Floats) -> tuple[Floats, Floats]:
    """Return the designs of both families, each `[members, N + T, 2]`."""
    every = np.concatenate([times, later])
    # A log may count from 0, where a power law has no value.
    counted = every - times[0] + np.median(np.diff(times))
    powers = counted[None] ** -POWERS[:, None]
    scales = np.exp(-(every - times[0])[None] / (SCALES[:, None] * (times[-1] - times[0])))
    both = [np.stack([np.ones_like(each), each], axis=2) for each in (powers, scales)]
    return both[0], both[1]


def _weights(left: Floats, count: float) -> Floats:
    """Return Akaike's weights of families with as many parameters, `[families, curves]`."""
    logs = -count / 2 * np.log(left)
    shares = np.exp(logs - logs.max(axis=0))
    return np.asarray(shares / shares.sum(axis=0))


def neighbours(residuals: Floats) -> float:
    """Return the autocorrelation of neighbouring residuals; 0 where there are none to speak of.

    Args:
        residuals: of mean 0, `[N]`.
    """
    squares = residuals @ residuals
    return float(residuals[1:] @ residuals[:-1] / squares) if squares > 0 else 0.0


def resemblance(residuals: Floats) -> float:
    """Return the noise's autocorrelation, 0 to `MOST_ALIKE`: what the fit took is given back.

    Args:
        residuals: of a fit with `PARAMETERS`, `[N]`.
    """
    count = len(residuals)
    found = neighbours(residuals - residuals.mean())
    return float(np.clip((count * found + PARAMETERS) / (count - PARAMETERS - 1), 0, MOST_ALIKE))


def _blocks(count: int, length: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return places of values drawn in blocks, `[DRAWS, count]`; blocks wrap around the end."""
    starts = random.integers(0, count, (DRAWS, -(-count // length)))
    places = (starts[:, :, None] + np.arange(length)) % count
    return np.asarray(places.reshape(DRAWS, -1)[:, :count])


def _stretch(length: int, rho: float) -> float:
    """Return what gives blocks of AR(1) noise the long-run deviation that cutting takes."""
    return float(np.sqrt((1 + rho) / (1 - rho) / inflation(length, rho)))
