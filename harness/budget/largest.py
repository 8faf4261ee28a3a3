"""The largest batch that fits."""

from __future__ import annotations

from collections.abc import Callable


def largest_batch(fits: Callable[[int], bool], *, least: int = 1, most: int = 2**16) -> int:
    """The largest batch that fits, 0 where not even the least one does.

    Batches are doubled until one does not fit: trying one may itself take what it would take.

    Holes in an allocator's segments come and go as a batch grows, so a batch above the one that is
    found may fit again; the one right above it does not.

    Args:
        fits: whether a batch fits.
        least: no smaller one can be computed; 1 or more.
        most: no larger one is of interest.

    >>> largest_batch(lambda batch: 100 + 7 * batch <= 1000)
    128
    """
    low, high = least - 1, most + 1
    doubled = least
    while high - low > 1:
        middle = min((low + high) // 2, doubled)
        doubled *= 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low if low >= least else 0
