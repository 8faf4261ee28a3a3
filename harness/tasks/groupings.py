"""Groups of items, and of a list's trials: by kind, genre, session, duration, other columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import COLUMNS
from harness.data.reading.item_table import UNKNOWN
from harness.records.details_schema import Breakdown, Group
from harness.trials.index import Models, TrialIndex

Codes = NDArray[np.int64]

FEWEST = 5
"""A rate is given of at least so many targets and nontargets (or items), and an interval over at
least so many units."""

MOST = 40
"""Groups of one breakdown that are shown; a column with more values is not broken down by."""

NOT_TOLD = "not told"
"""The group of trials and items of which the corpus does not say it."""

EDGES = (2.0, 5.0, 10.0)
BINS = ("under 2 s", "2 to 5 s", "5 to 10 s", "10 s and more", NOT_TOLD)

SEVERAL = -2
"""The value of a model whose items have different ones."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of trials or of items.

    Attributes:
        title: the property that they differ in.
        rule: which trials or items are of a group, for readers.
        names: of the groups, in the order in which they are shown.
        group: `[N]`, positions in `names`; -1 for what is of no group.
    """

    title: str
    rule: str
    names: tuple[str, ...]
    group: Codes

    @property
    def counts(self) -> Codes:
        """`[groups]`, how many are of each."""
        found: Codes = np.bincount(self.group[self.group >= 0], minlength=len(self.names))
        return found

    def broken_down(self, judge: Callable[[str, NDArray[np.bool_]], Group]) -> Breakdown:
        """Judge the groups that hold anything; of more than MOST the largest.

        Args:
            judge: makes a group of its name and its members, a mask `[N]`.
        """
        counts = self.counts
        held = np.count_nonzero(counts)
        largest = np.argsort(-counts, kind="stable")[: min(MOST, held)]
        groups = tuple(judge(self.names[index], self.group == index) for index in sorted(largest))
        return Breakdown(
            title=self.title, rule=self.rule, groups=groups, untold=int(held) - len(groups)
        )


def telling(groupings: Mapping[str, Grouping]) -> dict[str, Grouping]:
    """Return the groupings of which two groups at least hold anything."""
    return {name: each for name, each in groupings.items() if np.count_nonzero(each.counts) > 1}


def values(column: pd.Series[Any]) -> tuple[Codes, tuple[str, ...]]:
    """Return an item table's column as codes `[items]`, -1 if unknown, and their sorted names.

    >>> values(pd.Series(["m", "", "f", "m"]))
    (array([ 1, -1,  0,  1]), ('f', 'm'))
    """
    known = column.where(~column.isin(UNKNOWN) & column.notna())
    codes, names = pd.factorize(known.map(str, na_action="ignore"), sort=True)
    return codes.astype(np.int64), tuple(str(name) for name in names)


def categories(items: pd.DataFrame, apart: Sequence[str] = ()) -> Iterator[str]:
    """Yield the corpus's own columns that hold from 2 to MOST different values, without some."""
    for name in sorted(str(column) for column in items.columns):
        if name not in (*COLUMNS, *apart) and 2 <= len(values(items[name])[1]) <= MOST:
            yield name


def by_value(codes: Codes, names: tuple[str, ...], title: str, rule: str) -> Grouping:
    """Return a group for each value, and one for unknown values."""
    return Grouping(title, rule, (*names, NOT_TOLD), np.where(codes < 0, len(names), codes))


def by_frequency(
    labels: NDArray[np.str_], classes: Sequence[str], counts: Sequence[int]
) -> Grouping:
    """Return items by how often training has their class: a third of the classes each.

    Args:
        labels: of the items, `[items]`.
        classes: C names.
        counts: training items of each, `[C]`; equal ones are ordered by name.
    """
    order = sorted(range(len(classes)), key=lambda place: (-counts[place], classes[place]))
    third = {classes[place]: rank * 3 // len(order) for rank, place in enumerate(order)}
    rule = "items of the third of the classes that training has most, middling, or least items of"
    found = np.array([third[label] for label in labels], dtype=np.int64)
    return Grouping("frequency of the class", rule, ("head", "middle", "tail"), found)


def by_duration(seconds: NDArray[np.float64], rule: str) -> Grouping:
    """Return bins of durations that begin at their lower edge; a duration of 0 is unknown."""
    bins = np.digitize(seconds, EDGES)
    return Grouping("duration", rule, BINS, np.where(seconds > 0, bins, len(BINS) - 1))


def trial_groupings(items: pd.DataFrame, trials: TrialIndex) -> dict[str, Grouping]:
    """Return every grouping that parts a list's trials, by its name.

    A genre is that of the test item, as CN-Celeb's results give it; beside it, whether the model
    was enrolled in that genre. Sessions are compared among targets alone: two speakers have no
    session in common. A duration is that of the shorter side, a model's that of all its items. Any
    other column of the corpus (gender, nationality, device) parts the trials by whether both sides
    have the same value; one that is called `genre match`, `duration` or `kind` is left out.

    Args:
        items: a split's items.
        trials: rows of it.
    """
    found = {
        column: _by_both_sides(items[column], trials)
        for column in categories(items, apart=("genre", "session"))
    }
    if "genre" in items:
        codes, names = values(items["genre"])
        rule = "trials whose test item is of that genre, targets and nontargets"
        found["genre"] = by_value(codes[trials.test], names, "genre of the test item", rule)
        found["genre match"] = Grouping(
            "genre of both sides",
            "trials whose test item is of a genre that its model was enrolled in, or of another "
            "one, targets and nontargets",
            ("an enrolled genre", "another genre", NOT_TOLD),
            _match(codes, trials),
        )
    if "session" in items:
        found["session"] = Grouping(
            "session",
            "targets whose two sides are of one session, or of two, each against all nontargets",
            ("same session", "other session", NOT_TOLD),
            np.where(trials.target, _match(values(items["session"])[0], trials), -1),
        )
    rule = "trials whose shorter side lasts so long, targets and nontargets"
    found["duration"] = by_duration(shorter_side(items, trials), rule)
    if not _are_plain(trials, items):
        kinds, words = pd.factorize(trials.kind, sort=True)
        rule = "trials that the list calls so"
        names = tuple(str(word) for word in words)
        found["kind"] = Grouping("kind of trial", rule, names, kinds.astype(np.int64))
    return telling(found)


def _are_plain(trials: TrialIndex, items: pd.DataFrame) -> bool:
    """True if kinds only repeat which trials are targets, or the genres of the test items."""
    if all(len(np.unique(trials.kind[side])) <= 1 for side in (trials.target, ~trials.target)):
        return True
    genres = items["genre"].to_numpy(str)[trials.test] if "genre" in items else None
    return genres is not None and bool(np.array_equal(trials.kind, genres))


def _by_both_sides(column: pd.Series[Any], trials: TrialIndex) -> Grouping:
    codes, names = values(column)
    enrol, test = _enrol_values(codes, trials), codes[trials.test]
    group = np.where(enrol == test, test, len(names))
    group[(enrol == -1) | (test == -1)] = len(names) + 1
    both = (*(f"both {name}" for name in names), "different", NOT_TOLD)
    rule = (
        f"trials whose two sides are of that {column.name}, targets and nontargets; `different`: "
        "of two"
    )
    return Grouping(str(column.name), rule, both, group)


def _match(codes: Codes, trials: TrialIndex) -> Codes:
    """Return 0 if the test item's value is one that its model was enrolled in, 1 if not; 2 unknown.

    Args:
        codes: of a split's items, `[items]`.
        trials: rows of it.
    """
    test, models = codes[trials.test], trials.models
    if models is None:
        same = codes[trials.enrol] == test
    else:
        size, known = int(codes.max(initial=0)) + 1, codes[models.item]
        pairs = (models.owner * size + known)[known >= 0]
        same = np.isin(trials.enrol * size + test, pairs) & (test >= 0)
    both_known = (_enrol_values(codes, trials) != -1) & (test >= 0)
    return np.where(both_known, np.where(same, 0, 1), 2)


def shorter_side(items: pd.DataFrame, trials: TrialIndex) -> NDArray[np.float64]:
    """Return seconds of each trial's shorter side, `[trials]`; 0 if a length is unknown.

    Args:
        items: a split's items.
        trials: rows of it; a model lasts as long as all its items together.
    """
    seconds = items["seconds"].to_numpy(np.float64)
    enrolled = seconds if trials.models is None else _model_seconds(seconds, trials.models)
    shorter: NDArray[np.float64] = np.minimum(enrolled[trials.enrol], seconds[trials.test])
    return shorter


def _model_seconds(seconds: NDArray[np.float64], models: Models) -> NDArray[np.float64]:
    """Return the duration of all that enrols each model; 0 if a part of it is unknown."""
    owned = seconds[models.item]
    sums = np.bincount(models.owner, owned, minlength=len(models.names)).astype(np.float64)
    sums[models.owner[owned <= 0]] = 0.0
    return sums


def _enrol_values(codes: Codes, trials: TrialIndex) -> Codes:
    """Return the value of each trial's enrolled side: -1 if a part of it is unknown."""
    models = trials.models
    if models is None:
        return codes[trials.enrol]
    known = codes[models.item]
    least, most = np.full((2, len(models.names)), known[0])
    least[models.owner], most[models.owner] = known, known
    np.minimum.at(least, models.owner, known)
    np.maximum.at(most, models.owner, known)
    one: Codes = np.where((least == most) | (least < 0), least, SEVERAL)
    return one[trials.enrol]
