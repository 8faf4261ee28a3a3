"""Notes on scores that are no scores of likeness, for whoever gave them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIKE_DISTANCES = 0.6
"""The EER from which on scores are taken for distances: chance alone is near a half."""

ONE_VALUE = "all scores are one value: nobody is told apart"


def distance_note(eer: float) -> str:
    """A note on scores that put nontarget trials above target trials; empty where they do not.

    Negated scores have the complement of the EER.

    >>> distance_note(0.93)[:51]
    'these look like distances, as the EER is 93.00 %: h'
    >>> distance_note(0.52)
    ''
    """
    if eer < LIKE_DISTANCES:
        return ""
    return (
        f"these look like distances, as the EER is {100 * eer:.2f} %: higher scores must mean more "
        f"alike, so negate them (EER {100 * (1 - eer):.2f} %)"
    )


def cautions(scores: NDArray[np.floating], eer: float) -> tuple[str, ...]:
    """All that a reader must know of a system's scores `[trials]` before their metrics."""
    alike = ONE_VALUE if scores.min() == scores.max() else ""
    return tuple(filter(None, (alike, distance_note(eer))))
