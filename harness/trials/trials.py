"""Trial lists: which pairs are compared, and which of them are of one speaker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.trials.columns import Codes
from harness.trials.complaints import ScoreFileError, counted, listed
from harness.trials.formats import TRIAL_LAYOUTS, named_layouts
from harness.trials.reading import Table, read_table

Keys = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrialList:
    """N different trials; trial i is line `first` + i of its file.

    Attributes:
        path: the file, for errors.
        enrol: `[N]`, positions in `enrol_names`.
        test: `[N]`, positions in `test_names`.
        enrol_names: the names on the enrol side, each once, in no particular order.
        test_names: those on the test side.
        is_target: `[N]`, True where both sides are of one speaker.
        first: the line of the first trial: 2 where the file has a header.
    """

    path: Path
    enrol: Codes
    test: Codes
    enrol_names: tuple[str, ...]
    test_names: tuple[str, ...]
    is_target: NDArray[np.bool_]
    first: int = 1

    def __len__(self) -> int:
        return len(self.is_target)

    @cached_property
    def keys(self) -> Keys:
        """`[N]`, one number a pair of sides."""
        return pair_keys(self.enrol, self.test)

    def pair(self, trial: int) -> tuple[str, str]:
        """The names on both sides of a trial."""
        return self.enrol_names[self.enrol[trial]], self.test_names[self.test[trial]]

    def line(self, trial: int) -> str:
        """Where a trial stands and what it compares, for an error."""
        return f"line {self.first + trial} ({' '.join(self.pair(trial))})"


def read_trials(path: Path, *, layout: str | None = None) -> TrialList:
    """Reads a trial list, plain or gzip, parted by spaces, tabs, commas or semicolons.

    Args:
        path: the file.
        layout: one of `TRIAL_LAYOUTS`; None tells it from the content.

    Raises:
        ScoreFileError: the file cannot be read, lines of it are unreadable or repeat a trial, or
            all trials have one label.
        RequestError: the layout is not known.
    """
    return trials_of(read_table(path, named_layouts(layout, TRIAL_LAYOUTS)))


def trials_of(table: Table) -> TrialList:
    """Takes the trials out of a file that has a label column.

    Raises:
        ScoreFileError: the file has no labels, repeats a trial, or has one label only.
    """
    if "label" not in table.codes:
        raise ScoreFileError(
            f"{table.path}: has no labels ({table.form.layout!r}); give its trial list as well"
        )
    trials = TrialList(
        path=table.path,
        enrol=table.codes["enrol"],
        test=table.codes["test"],
        enrol_names=table.names["enrol"],
        test_names=table.names["test"],
        is_target=table.codes["label"] == 1,
        first=table.first,
    )
    _check_repeats(trials)
    _check_sides(trials)
    return trials


def pair_keys(enrol: Codes, test: Codes) -> Keys:
    """One number for each pair of positions; the same whatever list they stand in.

    >>> pair_keys(np.array([0, 1], dtype=np.int32), np.array([2, 0], dtype=np.int32))
    array([         2, 4294967296])
    """
    keys = enrol.astype(np.int64)
    keys <<= 32
    keys |= test
    return keys


def repeats(keys: Keys) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Finds keys that stood before: where they stand, ascending, and where each stood first.

    >>> repeats(np.array([7, 5, 7, 7]))
    (array([2, 3]), array([0, 0]))
    """
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    again = np.concatenate([[False], ascending[1:] == ascending[:-1]])
    starts = np.maximum.accumulate(np.where(again, 0, np.arange(len(keys))))
    places, firsts = order[again], order[starts[again]]
    by_line = np.argsort(places)
    return places[by_line], firsts[by_line]


def _check_repeats(trials: TrialList) -> None:
    ascending = np.sort(trials.keys)
    if bool(np.all(ascending[1:] != ascending[:-1])):
        return
    places, firsts = repeats(trials.keys)
    changed = int(np.count_nonzero(trials.is_target[places] != trials.is_target[firsts]))
    examples = [
        f"{trials.line(place)} as line {trials.first + first}"
        for place, first in zip(places[:3].tolist(), firsts[:3].tolist(), strict=True)
    ]
    raise ScoreFileError(
        f"{trials.path}: {counted(len(places), 'line')} of {len(trials)} repeat a trial, "
        f"{changed} of them with the other label: {listed(examples, len(places))}; "
        "keep each trial once"
    )


def _check_sides(trials: TrialList) -> None:
    targets = int(np.count_nonzero(trials.is_target))
    if targets in (0, len(trials)):
        only = "target" if targets else "nontarget"
        raise ScoreFileError(
            f"{trials.path}: all {len(trials)} trials are {only}; error rates need target and "
            "nontarget trials"
        )
