"""Scores put in the order of their trial list, each trial exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.trials.file_table import Table, read_table
from harness.trials.formats import SCORE_LAYOUTS, named_layouts
from harness.trials.parsing import Codes, Floats
from harness.trials.text_lines import EXAMPLES, ScoreFileError, counted, listed
from harness.trials.trial_list import Keys, TrialList, pair_keys, repeats, trials_of


def mismatch(table: Table, trials: TrialList, found: Keys) -> ScoreFileError:
    """Says all that keeps a score file from being joined.

    Args:
        table: the score file; the names of the list have the same numbers in it.
        trials: the list.
        found: `[lines]`, the key of each line of the score file.
    """
    again, firsts = repeats(found)
    unknown = np.flatnonzero(_absent(found, trials.keys))
    missing = np.flatnonzero(_absent(trials.keys, found))
    parts = [
        _repeated(table, again, firsts),
        _unknown(table, unknown),
        _missing(trials, missing),
        _hint(table, trials, missing, found),
    ]
    told = ". ".join(part for part in parts if part)
    return ScoreFileError(
        f"{table.path}: does not hold each trial of {trials.path} exactly once. {told}. "
        "Score each trial of the list once, and no other"
    )


def _repeated(table: Table, again: NDArray[np.intp], firsts: NDArray[np.intp]) -> str:
    examples = [
        f"{_line(table, place)} as line {table.first + first}"
        for place, first in zip(again[:EXAMPLES].tolist(), firsts[:EXAMPLES].tolist(), strict=True)
    ]
    return _told(examples, len(again), f"of {len(table)} repeated")


def _unknown(table: Table, unknown: NDArray[np.intp]) -> str:
    examples = [_line(table, place) for place in unknown[:EXAMPLES].tolist()]
    return _told(examples, len(unknown), f"of {len(table)} of no trial in the list")


def _missing(trials: TrialList, missing: NDArray[np.intp]) -> str:
    examples = [trials.line(place) for place in missing[:EXAMPLES].tolist()]
    return _told(examples, len(missing), f"of {len(trials)} of the list without a score")


def _told(examples: Sequence[str], count: int, what: str) -> str:
    return f"{counted(count, 'line')} {what}: {listed(examples, count)}" if count else ""


def _hint(table: Table, trials: TrialList, missing: NDArray[np.intp], found: Keys) -> str:
    if not missing.size:
        return ""
    enrol = _numbers(trials.test_names, table.names["enrol"])[trials.test[missing]]
    test = _numbers(trials.enrol_names, table.names["test"])[trials.enrol[missing]]
    if not bool(_absent(pair_keys(enrol, test), found).any()):
        return "All that are missing are there with enrol and test swapped: swap the columns"
    return ""


def _absent(keys: Keys, among: Keys) -> NDArray[np.bool_]:
    """`[N]`, which keys are not among others; np.isin does the same, several times slower."""
    ascending = np.sort(among)
    places = np.searchsorted(ascending, keys)
    np.minimum(places, len(ascending) - 1, out=places)
    absent: NDArray[np.bool_] = ascending[places] != keys
    return absent


def _numbers(names: Sequence[str], among: Sequence[str]) -> Codes:
    """The place of each name in `among`, -1 where it has none."""
    places = {name: place for place, name in enumerate(among)}
    return np.array([places.get(name, -1) for name in names], dtype=np.int32)


def _line(table: Table, row: int) -> str:
    enrol = table.names["enrol"][table.codes["enrol"][row]]
    test = table.names["test"][table.codes["test"][row]]
    return f"line {table.first + row} ({enrol} {test})"


Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ScoredTrials:
    """A trial list with a system's scores.

    Attributes:
        trials: the list.
        scores: `[N]`, finite, higher means more alike, in the order of the list.
    """

    trials: TrialList
    scores: Floats


def read_scores(
    path: Path, trials: TrialList | None = None, *, layout: str | None = None
) -> ScoredTrials:
    """Reads a score file, plain or gzip, in any order, and joins it to its trial list.

    Several systems are joined to one list by a call each. Labels in the score file are checked
    against the list's; without a list they are the list.

    Args:
        path: the file.
        trials: the list; None takes the trials and labels of the score file itself.
        layout: one of `SCORE_LAYOUTS`; None tells it from the content.

    Raises:
        ScoreFileError: the file cannot be read, lines of it are unreadable (NaN and infinite
            scores among them), or a trial is missing, repeated, unknown or labelled otherwise.
        RequestError: the layout is not known.
    """
    layouts = named_layouts(layout, SCORE_LAYOUTS)
    if trials is None:
        table = read_table(path, layouts)
        return ScoredTrials(trials_of(table), table.scores)
    # Names of the list come first in both files' numbers, so that equal pairs have equal keys.
    known = {"enrol": trials.enrol_names, "test": trials.test_names}
    table = read_table(path, layouts, known=known)
    return ScoredTrials(trials, table.scores[_rows(table, trials)])


def _rows(table: Table, trials: TrialList) -> Rows | slice:
    """For each trial the row of its score, `[N]`; all rows where the order is the same."""
    found = pair_keys(table.codes["enrol"], table.codes["test"])
    rows = slice(None) if np.array_equal(found, trials.keys) else _matched(trials.keys, found)
    if rows is None:
        raise mismatch(table, trials, found)
    _check_labels(table, trials, rows)
    return rows


def _matched(wanted: Keys, found: Keys) -> Rows | None:
    """Where each wanted key is found, `[N]`; None unless both hold the same keys once each."""
    if len(wanted) != len(found):
        return None
    to_wanted, to_found = np.argsort(wanted), np.argsort(found)
    if not np.array_equal(wanted[to_wanted], found[to_found]):
        return None
    rows = np.empty_like(to_found)
    rows[to_wanted] = to_found
    return rows


def _check_labels(table: Table, trials: TrialList, rows: Rows | slice) -> None:
    labels = table.codes.get("label")
    if labels is None:
        return
    wrong = np.flatnonzero((labels[rows] == 1) != trials.is_target)
    if wrong.size:
        lines = np.arange(len(table))[rows][wrong] + table.first
        order = np.argsort(lines)[:3]
        examples = [
            f"line {lines[place]} ({' '.join(trials.pair(wrong[place]))}), line "
            f"{trials.first + wrong[place]} of the list"
            for place in order
        ]
        raise ScoreFileError(
            f"{table.path}: {counted(len(wrong), 'line')} of {len(table)} have another label than "
            f"the trial list {trials.path}: {listed(examples, len(wrong))}; one of the files is "
            "wrong"
        )
