"""Wrong verdicts on trials: the hardest, those that several systems share, what they gather at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]
Places = NDArray[np.integer[Any]]

EACH = 3
"""Trials of one speaker that are chosen at most, so that others are seen too."""


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

    def hardest(self, most: int, speakers: Sequence[Places], *, accepted: bool) -> Chosen:
        """Choose the wrong trials of one kind that lie farthest beyond the threshold.

        Args:
            most: how many at most.
            speakers: of each side of the trials, each `[trials]`.
            accepted: True for false accepts, False for false rejects.
        """
        wrong = np.flatnonzero(self.wrong & (self.target != accepted))
        return farthest(wrong, self.margins[wrong], most, speakers)


class Chosen(NamedTuple):
    """Places in a list, chosen by falling margin.

    Attributes:
        places: the chosen, the hardest first; of equal ones the first of the list.
        left_out: places that are as hard, of speakers that are among the chosen often enough.
    """

    places: list[int]
    left_out: list[int]


def farthest(
    places: NDArray[np.intp], margins: Floats, most: int, speakers: Sequence[Places]
) -> Chosen:
    """Choose at most so many places, by falling margin, and `EACH` of one speaker at most.

    Args:
        places: in the list, `[N]`.
        margins: theirs, `[N]`.
        most: how many at most.
        speakers: of each side of the whole list, or of its items.
    """
    chosen = Chosen([], [])
    seen: Counter[int] = Counter()
    for place in places[np.argsort(-margins, kind="stable")].tolist():
        if len(chosen.places) == most:
            break
        own = {int(side[place]) for side in speakers}
        if any(seen[speaker] >= EACH for speaker in own):
            chosen.left_out.append(place)
        else:
            seen.update(own)
            chosen.places.append(place)
    return chosen


def shared(systems: Sequence[Verdicts], most: int, speakers: Sequence[Places]) -> Chosen:
    """Choose among the trials that two systems or more got wrong.

    Those that most systems got wrong come first; among these, those with the largest mean margin.

    Args:
        systems: verdicts on the same trials.
        most: how many at most.
        speakers: of each side of the trials, each `[trials]`.
    """
    votes = np.sum([each.wrong for each in systems], axis=0)
    margins = np.sum([each.wrong * each.margins for each in systems], axis=0)
    places = np.flatnonzero(votes >= 2)
    # A margin is far below this step, so votes decide before margins do.
    step = 1 + float(margins.max(initial=0.0))
    return farthest(places, votes[places] * step + margins[places] / votes[places], most, speakers)


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
    systems: Sequence[Verdicts], sides: Sequence[Places], most: int, fewest: int
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
    systems: Sequence[Verdicts], speakers: Sequence[Places], most: int, fewest: int
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
