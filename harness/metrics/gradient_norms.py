"""How gradients are spread over easy and hard items: histograms, weights by bin, evenness.

The norm of an item's gradient lies from 0 (easy) to 1 (hard): of softmax cross-entropy it is
g = 1 - p_y (B. Li, Y. Liu and X. Wang, "Gradient Harmonized Single-stage Detector", AAAI 2019,
arXiv:1811.05181, whose figures 2 to 4 show these distributions).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

BINS = 10
"""Unit regions of the norm, whatever the loss: losses are compared bin by bin."""

HARDEST = 0.1
"""Share of the items that count as the hardest."""


@dataclass(frozen=True)
class NormStatistics:
    """A distribution over items in nine numbers.

    Attributes:
        count, mean, median, minimum, maximum, deviation: of the values; the deviation is that of
            all items, not of a sample of more.
        fullest, emptiest: index of the bin with most and with fewest items; of equal ones the
            first.
        evenness: of the items over the bins (see `evenness`).
    """

    count: float
    mean: float
    median: float
    minimum: float
    maximum: float
    deviation: float
    fullest: float
    emptiest: float
    evenness: float


def bin_of(norms: Floats, bins: int = BINS) -> NDArray[np.int64]:
    """Return the bin of each norm, of `bins` equal ones from 0 to 1; 1 is in the last, `[items]`.

    >>> bin_of(np.array([0.0, 0.31, 1.0])).tolist()
    [0, 3, 9]
    """
    return np.clip((np.asarray(norms, np.float64) * bins).astype(np.int64), 0, bins - 1)


def sums_by_bin(norms: Floats, values: Floats | None = None, bins: int = BINS) -> Floats:
    """Return how much of some values each bin of the norm holds, `[bins]`; items without values."""
    return np.bincount(bin_of(norms, bins), values, minlength=bins).astype(np.float64)


def density(counts: Floats) -> Floats:
    """Return the density of a histogram over 0 to 1, `[bins]`: 1 everywhere if it is even.

    The paper's GD(g) over the number of items (equation 5), with bins in place of a window.

    >>> density(np.array([3.0, 1.0])).tolist()
    [1.5, 0.5]
    """
    share: Floats = counts / max(1.0, float(counts.sum())) * len(counts)
    return share


def mean_weights(norms: Floats, weights: Floats, bins: int = BINS) -> Floats:
    """Return the mean weight of the items in each bin of the norm, `[bins]`; 0 in empty ones."""
    counts = sums_by_bin(norms, bins=bins)
    mean: Floats = sums_by_bin(norms, weights, bins) / np.maximum(counts, 1)
    return mean


def evenness(parts: Floats) -> float:
    """Return how evenly something is spread over bins: 1 if alike over all, 0 if all is in one.

    Shannon's entropy of the shares over its largest value (E. C. Pielou, "The measurement of
    diversity in different types of biological collections", Journal of Theoretical Biology 13,
    1966).

    Args:
        parts: what each bin holds, not negative, `[bins]`.

    Returns:
        NaN if the bins hold nothing.

    >>> evenness(np.array([2.0, 2.0, 2.0, 2.0])), evenness(np.array([0.0, 5.0]))
    (1.0, 0.0)
    """
    total = float(np.sum(parts))
    if not total > 0:
        return math.nan
    shares = np.asarray(parts, np.float64) / total
    shares = shares[shares > 0]
    entropy = -float(np.sum(shares * np.log(shares)))
    return max(0.0, entropy / math.log(len(parts)))


def spread(values: Floats, counts: Floats) -> NormStatistics:
    """Summarise values.

    Args:
        values: one an item, `[items]`, one item at least.
        counts: items in each bin, `[bins]`.
    """
    found = np.asarray(values, np.float64)
    return NormStatistics(
        count=float(len(found)),
        mean=float(found.mean()),
        median=float(np.median(found)),
        minimum=float(found.min()),
        maximum=float(found.max()),
        deviation=float(found.std()),
        fullest=float(np.argmax(counts)),
        emptiest=float(np.argmin(counts)),
        evenness=evenness(counts),
    )


def hardest_share(norms: Floats, weights: Floats, share: float = HARDEST) -> float:
    """Return the share of all weight that the hardest items have: `share` if all weigh alike.

    Items of equal norm at the edge count in part, so that their order is of no matter.

    Args:
        norms: `[items]`.
        weights: `[items]`, not negative.
        share: of the items that count as the hardest.

    Returns:
        NaN if nothing has weight.

    >>> round(hardest_share(np.array([0.1] * 9 + [0.9]), np.ones(10)), 3)
    0.1
    >>> hardest_share(np.array([0.1] * 9 + [0.9]), np.array([0.0] * 9 + [1.0]))
    1.0
    """
    total = float(np.sum(weights))
    if not total > 0:
        return math.nan
    wanted = share * len(norms)
    edge = np.sort(norms)[::-1][max(0, math.ceil(wanted) - 1)]
    above, at = norms > edge, norms == edge
    part = (wanted - np.count_nonzero(above)) / np.count_nonzero(at)
    return float((np.sum(weights[above]) + part * np.sum(weights[at])) / total)
