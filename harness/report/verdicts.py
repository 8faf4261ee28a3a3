"""Wrong verdicts on trials: the hardest, those that several systems share, what they gather at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What a system said of a trial list at one threshold.

    Attributes:
        scores: `[trials]`.
        target: True if both sides are of one speaker, `[trials]`.
        threshold: from which on a trial is accepted.
    """

    scores: Floats
    target: Mask
    threshold: float

    @property
    def wrong(self) -> Mask:
        """`[trials]`, True for false accepts and false rejects."""
        accepted: Mask = self.scores >= self.threshold
        return np.not_equal(accepted, self.target)

    @property
    def margins(self) -> NDArray[np.float64]:
        """`[trials]`, the distance to the threshold in standard deviations of all scores."""
        scores = np.asarray(self.scores, np.float64)
        spread = float(scores.std())
        return np.abs(scores - self.threshold) / (spread or 1.0)

    def hardest(self, most: int, *, accepted: bool) -> NDArray[np.intp]:
        """Return the wrong trials of one kind that lie farthest beyond the threshold.

        Args:
            most: how many at most.
            accepted: True for false accepts, False for false rejects.

        Returns:
            Places in the list, the hardest first; of equal ones the first of the list.
        """
        wrong = np.flatnonzero(self.wrong & (self.target != accepted))
        return farthest(wrong, self.margins[wrong], most)


def farthest(places: NDArray[np.intp], margins: Floats, most: int) -> NDArray[np.intp]:
    """Return at most so many places, by falling margin."""
    if len(places) > most:
        # Ties at the edge stay until all are in order, so that the choice does not depend on
        # how the partition runs.
        edge = np.partition(margins, len(margins) - most)[len(margins) - most]
        places, margins = places[margins >= edge], margins[margins >= edge]
    return places[np.argsort(-margins, kind="stable")][:most]


def shared(systems: Sequence[Verdicts], most: int) -> NDArray[np.intp]:
    """Return the trials that two systems or more got wrong.

    Those that most systems got wrong come first; among these, those with the largest mean margin.

    Args:
        systems: verdicts on the same trials.
        most: how many at most.
    """
    votes = np.sum([each.wrong for each in systems], axis=0)
    margins = np.sum([each.wrong * each.margins for each in systems], axis=0)
    places = np.flatnonzero(votes >= 2)
    # A margin is far below this step, so votes decide before margins do.
    step = 1 + float(margins.max(initial=0.0))
    return farthest(places, votes[places] * step + margins[places] / votes[places], most)


@dataclass(frozen=True)
class Suspect:
    """What many wrong verdicts gather at.

    Attributes:
        place: of the item, or two speakers.
        wrong: verdicts that are wrong, over all systems.
        judged: verdicts of that kind, over all systems.
    """

    place: tuple[int, ...]
    wrong: int
    judged: int


def rejected_items(
    systems: Sequence[Verdicts], sides: Sequence[NDArray[np.int64]], most: int, fewest: int
) -> list[Suspect]:
    """Return the items whose same-speaker trials are rejected most often: perhaps mislabelled.

    Args:
        systems: verdicts on the same trials.
        sides: the items of each side of the trials, each `[trials]`.
        most: how many at most.
        fewest: same-speaker trials that an item has to have.
    """
    target = systems[0].target
    items = np.concatenate([side[target] for side in sides])
    wrong = np.concatenate([np.sum([e.wrong[target] for e in systems], axis=0) for _ in sides])
    size = int(items.max(initial=-1)) + 1
    trials, missed = np.bincount(items, minlength=size), np.bincount(items, wrong, size)
    judged = trials * len(systems)
    able = np.flatnonzero((trials >= fewest) & (missed > 0))
    return _suspects([(int(item),) for item in able], missed[able], judged[able], most)


def accepted_pairs(
    systems: Sequence[Verdicts], speakers: Sequence[NDArray[np.int64]], most: int, fewest: int
) -> list[Suspect]:
    """Return the pairs of speakers accepted as one most often: perhaps one under two names.

    Args:
        systems: verdicts on the same trials.
        speakers: of each side of the trials, each `[trials]`.
        most: how many at most.
        fewest: trials that a pair has to have.
    """
    other = ~systems[0].target
    low, high = np.sort(np.stack([side[other] for side in speakers]), axis=0)
    size = int(high.max(initial=0)) + 1
    codes, place, trials = np.unique(low * size + high, return_inverse=True, return_counts=True)
    wrong = np.sum([each.wrong[other] for each in systems], axis=0)
    accepted, judged = np.bincount(place, wrong, len(codes)), trials * len(systems)
    able = np.flatnonzero((trials >= fewest) & (accepted > 0))
    pairs = [(int(codes[i] // size), int(codes[i] % size)) for i in able]
    return _suspects(pairs, accepted[able], judged[able], most)


def _suspects(
    places: Sequence[tuple[int, ...]], wrong: NDArray[Any], judged: NDArray[np.int64], most: int
) -> list[Suspect]:
    """Order by the share of wrong verdicts, then by their count."""
    order = np.lexsort((-wrong, -wrong / judged))[:most].tolist() if len(places) else []
    return [Suspect(places[i], int(wrong[i]), int(judged[i])) for i in order]
