"""Steps in a series of nightly figures: changes of level beyond what noise does.

A series is split in two where the sum of absolute deviations from the medians of both parts is
least, and the split is judged by how much that sum shrinks:

    ratio = sum |x - median(x)|  /  min over k of (sum |left - median| + sum |right - median|)

This is the likelihood ratio of a change of location under Laplace's distribution (J. Bai,
"Estimation of multiple-regime regressions with least absolute deviation", Journal of Statistical
Planning and Inference 74, 1998), and needs neither the level nor the width of the noise. Its
distribution if nothing changed is simulated with normal noise, the search over places included
(as K. J. Worsley does for the t statistic, Journal of the American Statistical Association 74,
1979). Tails heavier than the normal's give fewer false steps, as an outlier stands in both sums.

Both parts hold two figures or more, so one night alone is never a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError

Floats = NDArray[np.float64]

SMALLEST = 2
"""Figures in each part of a split."""

FEWEST = 7
"""Figures below which nothing is judged: noise alone shrinks the sum of fewer too much."""

DRAWS = 10_000
"""Simulated series behind a p-value."""


@dataclass(frozen=True)
class Step:
    """A change of level.

    Attributes:
        place: number of figures before it.
        before: median of the figures back to the step before, or to the first figure.
        after: median of the figures up to the next step, or to the last figure.
        p: how often noise alone gives a split as good, at its best place.
    """

    place: int
    before: float
    after: float
    p: float


def best_split(values: ArrayLike) -> tuple[int, float]:
    """Find the split with the least absolute deviations, the first of equal ones.

    Args:
        values: `[N]`, a series of four figures or more.

    Returns:
        The number of figures before it, and the ratio: 1 or more, infinite if no deviation is
        left, 1 if there was none.

    Raises:
        MetricError: fewer figures, NaN or infinite ones.

    >>> best_split([5.0, 5.1, 4.9, 5.0, 7.1, 6.9, 7.0])
    (4, 15.25)
    """
    array = _series(values, 2 * SMALLEST)
    sums = _split_sums(array[None])[0]
    place = int(np.argmin(sums))
    ratio = _ratio(_deviation(array[None]), sums[None, place])[0]
    return place + SMALLEST, float(np.round(ratio, 12))


def split_p(ratio: float, figures: int) -> float:
    """Compute how often noise alone splits as well: (1 + draws as good) / (1 + draws).

    Args:
        ratio: of the best split.
        figures: how many the series has.

    >>> split_p(1.0, 10)
    1.0
    """
    return _p(_noise_ratios(figures), ratio)


def find_steps(values: ArrayLike, alpha: float) -> list[Step]:
    """Find a series' steps from its best split on: that one, then those to the right of it.

    What lies to the left of a step no longer matters for the level of today, and is not searched.

    Args:
        values: `[N]`, a series; of fewer than `FEWEST` figures nothing is told.
        alpha: how often a series of noise alone may be said to have a step.

    Returns:
        The steps, in their order.

    Raises:
        MetricError: NaN or infinite figures.

    >>> series = [5.0, 5.1, 4.9, 5.0, 5.0, 5.1, 7.1, 6.9, 7.0, 7.0]
    >>> [(step.place, step.before, step.after) for step in find_steps(series, 0.01)]
    [(6, 5.0, 7.0)]
    """
    array = _series(values, 0)
    places, ps = [0], []
    while len(array) - places[-1] >= FEWEST:
        rest = array[places[-1] :]
        place, ratio = best_split(rest)
        p = split_p(ratio, len(rest))
        if p > alpha:
            break
        places.append(places[-1] + place)
        ps.append(p)
    levels = [float(np.median(part)) for part in np.split(array, places[1:])] if ps else []
    return [Step(*each) for each in zip(places[1:], levels, levels[1:], ps, strict=False)]


def last_alone_p(values: ArrayLike) -> float:
    """Compute how often noise alone takes the last figure so far from the level before it.

    Its distance from the median of the others, as a multiple of their mean distance, is held
    against the same of simulated normal noise.

    Args:
        values: `[N]`, a series of `FEWEST` figures or more.

    Raises:
        MetricError: fewer figures, NaN or infinite ones.

    >>> last_alone_p([5.0, 5.1, 4.9, 5.0, 5.0, 5.1, 8.0]) < 0.01
    True
    """
    array = _series(values, FEWEST)
    return _p(_noise_distances(len(array)), float(_distances(array[None])[0]))


def _p(noise: Floats, found: float) -> float:
    """Return the share of simulated values from `found` on, up to rounding."""
    as_good = len(noise) - int(np.searchsorted(noise, found * (1 - 1e-12), side="left"))
    return (1 + as_good) / (1 + len(noise))


@lru_cache(maxsize=256)
def _noise_ratios(figures: int) -> Floats:
    noise = _noise(figures)
    return np.sort(_ratio(_deviation(noise), _split_sums(noise).min(axis=1)))


@lru_cache(maxsize=256)
def _noise_distances(figures: int) -> Floats:
    return np.sort(_distances(_noise(figures)))


def _noise(figures: int) -> Floats:
    return np.random.Generator(np.random.PCG64(figures)).normal(size=(DRAWS, figures))


def _distances(series: Floats) -> Floats:
    """Return the relative distance of the last figure, `[M, N]` -> `[M]`."""
    others = series[:, :-1]
    far = np.abs(series[:, -1] - np.median(others, axis=1))
    return _ratio(far, _deviation(others) / others.shape[1], of_nothing=0.0)


def _split_sums(series: Floats) -> Floats:
    """Sum the deviations that each split leaves: `[M, N]` -> `[M, N - 2 * SMALLEST + 1]`."""
    places = range(SMALLEST, series.shape[1] - SMALLEST + 1)
    sums = [_deviation(series[:, :place]) + _deviation(series[:, place:]) for place in places]
    return np.stack(sums, axis=1)


def _deviation(series: Floats) -> Floats:
    """Sum of absolute deviations from the median, `[M, N]` -> `[M]`."""
    middle = np.median(series, axis=1, keepdims=True)
    sums: Floats = np.abs(series - middle).sum(axis=1)
    return sums


def _ratio(whole: Floats, left: Floats, *, of_nothing: float = 1.0) -> Floats:
    """Divide; the quotient is infinite if nothing is left, and `of_nothing` for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = np.where(whole > 0, whole / left, of_nothing)
    return ratios


def _series(values: ArrayLike, fewest: int) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise MetricError(f"a series: shape {array.shape}, want one dimension")
    if not np.isfinite(array).all():
        raise MetricError("a series: NaN or infinite figures; leave such nights out")
    if len(array) < fewest:
        raise MetricError(f"a series of {len(array)} figures; give {fewest} or more")
    return array
