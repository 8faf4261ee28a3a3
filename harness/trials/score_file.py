"""Scores put in the order of their trial list, each trial exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.trials.file_table import FileTable, read_table
from harness.trials.formats import SCORE_LAYOUTS, select_layouts
from harness.trials.parsing import Floats
from harness.trials.text_lines import ScoreFileError, count_of, list_examples
from harness.trials.trial_list import Keys, TrialList, find_repeats, pair_keys, trials_of

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class JoinedScores:
    """A trial list with a system's scores.

    Attributes:
        trials: the list.
        scores: `[N]`, finite, higher means more alike, in the order of the list.
    """

    trials: TrialList
    scores: Floats


def read_scores(
    path: Path, trials: TrialList | None = None, *, layout: str | None = None
) -> JoinedScores:
    """Read a score file, plain or gzip, in any order, and join it to its trial list.

    Several systems are joined to one list by a call each. Labels in the score file are checked
    against the list's; without a list they are the list.

    Args:
        path: the file.
        trials: the list; None takes the trials and labels of the score file itself.
        layout: one of `SCORE_LAYOUTS`; None detects it from the content.

    Raises:
        ScoreFileError: the file cannot be read, lines of it are unreadable (NaN and infinite
            scores among them), or a trial is missing, repeated, unknown or labelled otherwise.
        RequestError: the layout is not known.
    """
    layouts = select_layouts(layout, SCORE_LAYOUTS)
    if trials is None:
        table = read_table(path, layouts)
        return JoinedScores(trials_of(table), table.scores)
    # Names of the list come first in both files' numbers, so that equal pairs have equal keys.
    known = {"enrol": trials.enrol_names, "test": trials.test_names}
    table = read_table(path, layouts, known=known)
    return JoinedScores(trials, table.scores[_rows_of_trials(table, trials)])


def _rows_of_trials(table: FileTable, trials: TrialList) -> Rows | slice:
    """Return the row of each trial's score, `[N]`; all rows if the order is the same."""
    found = pair_keys(table.codes["enrol"], table.codes["test"])
    rows = slice(None) if np.array_equal(found, trials.keys) else _match(trials.keys, found)
    if rows is None:
        raise _mismatch(table, trials, found)
    if "label" in table.codes:
        _check_labels(table, trials, rows)
    return rows


def _match(wanted: Keys, found: Keys) -> Rows | None:
    """Return the place of each wanted key, `[N]`; None unless both hold the same keys once each."""
    if len(wanted) != len(found):
        return None
    to_wanted, to_found = np.argsort(wanted), np.argsort(found)
    if not np.array_equal(wanted[to_wanted], found[to_found]):
        return None
    rows = np.empty_like(to_found)
    rows[to_wanted] = to_found
    return rows


def _check_labels(table: FileTable, trials: TrialList, rows: Rows | slice) -> None:
    wrong = np.flatnonzero((table.codes["label"][rows] == 1) != trials.is_target)
    if wrong.size:
        places = np.arange(len(table))[rows][wrong]
        examples = (
            f"{table.describe(places[each])}, line {trials.lines[wrong[each]]} of the list"
            for each in np.argsort(places)
        )
        raise ScoreFileError(
            f"{table.path}: {count_of(len(wrong), 'line')} of {len(table)} have another label than "
            f"the trial list {trials.path}: {list_examples(examples, len(wrong))}; one of the "
            "files is wrong"
        )


def _mismatch(table: FileTable, trials: TrialList, found: Keys) -> ScoreFileError:
    """Return all that keeps a score file, whose lines have the keys `found`, from being joined."""
    again, firsts = find_repeats(found)
    unknown = np.flatnonzero(np.isin(found, trials.keys, invert=True))
    missing = np.flatnonzero(np.isin(trials.keys, found, invert=True))
    lines, listed = f"of {len(table)}", f"of {len(trials)} of the list without a score"
    parts = [
        (again, f"{lines} repeated", table.describe_repeats(again, firsts)),
        (unknown, f"{lines} of no trial in the list", _examples(table, unknown)),
        (missing, listed, _examples(trials, missing)),
    ]
    sentences = [
        f"{count_of(len(at), 'line')} {what}: {shown}" for at, what, shown in parts if at.size
    ]
    if missing.size and _is_swapped(table, trials, missing, found):
        sentences.append(
            "All that are missing are there with enrol and test swapped: swap the columns"
        )
    return ScoreFileError(
        f"{table.path}: does not hold each trial of {trials.path} exactly once. "
        f"{'. '.join(sentences)}. Score each trial of the list once, and no other"
    )


def _examples(listing: FileTable | TrialList, places: Rows) -> str:
    return list_examples(map(listing.describe, places.tolist()), len(places))


def _is_swapped(table: FileTable, trials: TrialList, missing: Rows, found: Keys) -> bool:
    """Return whether the file holds every missing trial with its sides swapped."""
    enrol = pd.Index(table.names["enrol"]).get_indexer(pd.Index(trials.test_names))
    test = pd.Index(table.names["test"]).get_indexer(pd.Index(trials.enrol_names))
    swapped = pair_keys(enrol[trials.test[missing]], test[trials.enrol[missing]])
    return bool(np.isin(swapped, found).all())
