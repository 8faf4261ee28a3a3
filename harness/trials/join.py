"""Scores put in the order of their trial list, each trial exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.trials.columns import Floats
from harness.trials.complaints import ScoreFileError, counted, listed
from harness.trials.formats import SCORE_LAYOUTS, named_layouts
from harness.trials.mismatch import mismatch
from harness.trials.reading import Table, read_table
from harness.trials.trials import Keys, TrialList, pair_keys, trials_of

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
