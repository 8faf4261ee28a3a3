"""Trial lists: which pairs are compared, and which of them are of one speaker."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.errors import DataError
from harness.trials.file_table import FileTable, parse_table, read_table
from harness.trials.formats import TRIAL_LAYOUTS, Format, select_layouts
from harness.trials.parsing import Codes
from harness.trials.text_lines import Lines, ScoreFileError, count_of, list_examples, read_blocks

CorpusLayout = Literal["enrol test label", "label enrol test"]
Keys = NDArray[np.int64]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class TrialList:
    """N trials in the order of their list.

    Attributes:
        path: the file, for errors.
        enrol: `[N]`, positions in `enrol_names`.
        test: `[N]`, positions in `test_names`.
        enrol_names: the names on the enrol side, each once, in no particular order.
        test_names: those on the test side.
        is_target: `[N]`, True if both sides are of one speaker.
        lines: `[N]`, the line of each trial in the file; 1, 2, ... by default.
    """

    path: Path
    enrol: Codes
    test: Codes
    enrol_names: tuple[str, ...]
    test_names: tuple[str, ...]
    is_target: NDArray[np.bool_]
    lines: Lines = range(1, sys.maxsize)

    @classmethod
    def from_table(cls, table: FileTable) -> TrialList:
        """Take the trials out of a file that has a label column; nothing else is checked."""
        codes, names = table.codes, table.names
        sides = codes["enrol"], codes["test"], names["enrol"], names["test"]
        return cls(table.path, *sides, codes["label"] == 1, table.lines)

    def __len__(self) -> int:
        return len(self.is_target)

    @cached_property
    def keys(self) -> Keys:
        """`[N]`, one number a pair of sides."""
        return pair_keys(self.enrol, self.test)

    def pair(self, trial: int) -> tuple[str, str]:
        """Return the names on both sides of a trial."""
        return self.enrol_names[self.enrol[trial]], self.test_names[self.test[trial]]

    def describe(self, trial: int) -> str:
        """Return the line of a trial and the names it compares, for an error."""
        return f"line {self.lines[trial]} ({' '.join(self.pair(trial))})"

    def first_lines(self) -> dict[str, int]:
        """Return the first line in which each name stands, on whichever side."""
        first: dict[str, int] = {}
        sides = ((self.enrol, self.enrol_names), (self.test, self.test_names))
        for codes, names in sides:
            lines = np.zeros(len(names), dtype=np.int32)
            lines[codes[::-1]] = self.lines[::-1]  # of several, the last one written stays
            for name, line in zip(names, lines.tolist(), strict=True):
                first[name] = min(line, first.get(name, line))
        return first

    def table(
        self, enrol: Sequence[str], test: Sequence[str], kind: pd.Categorical
    ) -> pd.DataFrame:
        """Return the trials with `TRIAL_COLUMNS`, names as categories.

        Args:
            enrol: an id for each of `enrol_names`.
            test: an id for each of `test_names`.
            kind: `[N]`.
        """
        sides = {"enrol": word_column(self.enrol, enrol), "test": word_column(self.test, test)}
        return pd.DataFrame({**sides, "target": self.is_target, "kind": kind})

    def check_enrolled(self, known: Collection[str], where: str) -> None:
        """Refuse trials whose enrol side is not known.

        Args:
            known: the names that are.
            where: the file or folder that should have them.

        Raises:
            DataError: how many trials, and the first of them.
        """
        unknown = [code for code, name in enumerate(self.enrol_names) if name not in known]
        trials = np.flatnonzero(np.isin(self.enrol, unknown)).tolist()
        if trials:
            examples = (f"line {self.lines[each]} ({self.pair(each)[0]})" for each in trials)
            raise DataError(
                f"{self.path}: {len(trials)} of {len(self)} trials name models that {where} does "
                f"not have: {list_examples(examples, len(trials))}; the two lists are of two "
                "releases"
            )


def word_column(codes: NDArray[np.integer[Any]], values: Sequence[str]) -> pd.Categorical:
    """Return a column of words from positions in them; words may repeat.

    >>> word_column(np.array([2, 0, 1]), ["song", "talk", "song"]).tolist()
    ['song', 'song', 'talk']
    """
    places, distinct = pd.factorize(np.array(values, dtype=object), sort=True)
    return pd.Categorical.from_codes(places[codes], categories=pd.Index(distinct))


def pair_keys(enrol: NDArray[np.integer[Any]], test: NDArray[np.integer[Any]]) -> Keys:
    """Return one number for each pair of positions; the same whatever list they stand in.

    >>> pair_keys(np.array([0, 1], dtype=np.int32), np.array([2, 0], dtype=np.int32))
    array([         2, 4294967296])
    """
    keys = enrol.astype(np.int64)
    keys <<= 32
    keys |= test
    return keys


def find_repeats(keys: NDArray[np.integer[Any]]) -> tuple[Places, Places]:
    """Find keys that stood before: where they stand, ascending, and where each stood first.

    >>> find_repeats(np.array([7, 5, 7, 7]))
    (array([2, 3]), array([0, 0]))
    """
    ascending = np.sort(keys)  # faster than the stable order, and mostly enough
    if bool(np.all(ascending[1:] != ascending[:-1])):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    order = np.argsort(keys, kind="stable")
    again = np.concatenate([[False], ascending[1:] == ascending[:-1]])
    starts = np.maximum.accumulate(np.where(again, 0, np.arange(len(keys))))
    places, firsts = order[again], order[starts[again]]
    by_line = np.argsort(places)
    return places[by_line], firsts[by_line]


def read_trials(path: Path, *, layout: str | None = None) -> TrialList:
    """Read a trial list, plain or gzip, parted by spaces, tabs, commas or semicolons.

    Args:
        path: the file.
        layout: one of `TRIAL_LAYOUTS`; None detects it from the content.

    Raises:
        ScoreFileError: the file cannot be read, lines of it are unreadable or repeat a trial, or
            all trials have one label.
        RequestError: the layout is not known.
    """
    return trials_of(read_table(path, select_layouts(layout, TRIAL_LAYOUTS)))


def trials_of(table: FileTable) -> TrialList:
    """Take the trials out of a file that has a label column.

    Raises:
        ScoreFileError: the file has no labels, repeats a trial, or has one label only.
    """
    if "label" not in table.codes:
        raise ScoreFileError(
            f"{table.path}: has no labels ({table.form.layout!r}); give its trial list as well"
        )
    trials = TrialList.from_table(table)
    places, firsts = find_repeats(trials.keys)
    if places.size:
        changed = np.count_nonzero(trials.is_target[places] != trials.is_target[firsts])
        raise ScoreFileError(
            f"{table.path}: {count_of(len(places), 'line')} of {len(table)} repeat a trial, "
            f"{changed} of them with the other label: {table.describe_repeats(places, firsts)}; "
            "keep each trial once"
        )
    targets = int(np.count_nonzero(trials.is_target))
    if targets in (0, len(trials)):
        raise ScoreFileError(
            f"{table.path}: all {len(trials)} trials are {'target' if targets else 'nontarget'}; "
            "error rates need target and nontarget trials"
        )
    return trials


def read_corpus_trials(path: Path, layout: CorpusLayout) -> TrialList:
    """Read a corpus's own list: labels are 1 and 0, blank lines and trailing blanks are skipped.

    A trial that is listed twice counts twice. The last list read is cached: a corpus's items and
    its trials come from one file.

    Raises:
        DataError: the file cannot be read, lines of it are unreadable, or give a trial both labels.
    """
    try:
        state = os.stat(path)
        return _read_corpus_trials(path, layout, (state.st_mtime_ns, state.st_size))
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no such trial list; it comes with the corpus, so unpack or copy that again"
        ) from error
    except ScoreFileError as error:
        raise DataError(str(error)) from error


@lru_cache(maxsize=1)
def _read_corpus_trials(path: Path, layout: CorpusLayout, state: tuple[int, int]) -> TrialList:
    del state  # another state of the file is another entry of the cache
    table = parse_table(read_blocks(path), Format(layout, " "), path, skip_blank=True)
    trials = TrialList.from_table(table)
    places, firsts = find_repeats(pair_keys(trials.enrol, trials.test))
    changed = trials.is_target[places] != trials.is_target[firsts]
    pairs = zip(places[changed], firsts[changed], strict=True)
    examples = [f"line {trials.lines[a]} against line {trials.lines[b]}" for a, b in pairs]
    if examples:
        raise DataError(
            f"{path}: {len(examples)} of {len(trials)} trials stand there with the other label "
            f"before: {list_examples(examples, len(examples))}; copy the list again"
        )
    return trials
