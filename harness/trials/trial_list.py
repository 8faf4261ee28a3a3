"""Trial lists: which pairs are compared, and which of them are of one speaker."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.errors import DataError
from harness.trials.file_table import Table, read_table
from harness.trials.formats import TRIAL_LAYOUTS, Format, named_layouts
from harness.trials.parsing import Codes, Columns, Numbering, fast_columns, line_columns
from harness.trials.text_lines import (
    EXAMPLES,
    Block,
    Complaints,
    ScoreFileError,
    blocks,
    counted,
    listed,
)

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


Layout = Literal["enrol test label", "label enrol test"]


@dataclass(frozen=True, eq=False)
class ListedTrials:
    """N trials, as they are listed; a trial that is listed twice counts twice.

    Attributes:
        path: the file, for errors.
        enrol: `[N]`, positions in `enrol_names`.
        test: `[N]`, positions in `test_names`.
        enrol_names: the names on the enrol side, each once, in no particular order.
        test_names: those on the test side.
        is_target: `[N]`.
        line: `[N]`, the line of each, counted from 1.
    """

    path: Path
    enrol: Codes
    test: Codes
    enrol_names: tuple[str, ...]
    test_names: tuple[str, ...]
    is_target: NDArray[np.bool_]
    line: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.line)

    def first_lines(self) -> dict[str, int]:
        """The line in which each name, on whichever side, stands first."""
        first: dict[str, int] = {}
        sides = ((self.enrol, self.enrol_names), (self.test, self.test_names))
        for codes, names in sides:
            lines = np.zeros(len(names), dtype=np.int32)
            lines[codes[::-1]] = self.line[::-1]  # of several, the last one written stays
            for name, line in zip(names, lines.tolist(), strict=True):
                first[name] = min(line, first.get(name, line))
        return first

    def table(
        self, enrol: Sequence[str], test: Sequence[str], kind: pd.Categorical
    ) -> pd.DataFrame:
        """The trials with `TRIAL_COLUMNS`, names as categories.

        Args:
            enrol: an id for each of `enrol_names`.
            test: an id for each of `test_names`.
            kind: `[N]`.
        """
        columns = {"enrol": words(self.enrol, enrol), "test": words(self.test, test)}
        return pd.DataFrame({**columns, "target": self.is_target, "kind": kind})

    def check_enrolled(self, known: Collection[str], where: str) -> None:
        """Refuse trials whose enrol side is not known.

        Args:
            known: the names that are.
            where: what should have them.

        Raises:
            DataError: how many trials, and the first of them.
        """
        unknown = [code for code, name in enumerate(self.enrol_names) if name not in known]
        trials = np.flatnonzero(np.isin(self.enrol, unknown))
        if trials.size:
            examples = [
                f"line {self.line[trial]} ({self.enrol_names[self.enrol[trial]]})"
                for trial in trials[:EXAMPLES].tolist()
            ]
            raise DataError(
                f"{self.path}: {len(trials)} of {len(self)} trials name models that {where} does "
                f"not have: {listed(examples, len(trials))}; the two lists are of two releases"
            )


def words(codes: NDArray[np.integer[Any]], values: Sequence[str]) -> pd.Categorical:
    """A column of words from positions in them; words may repeat.

    >>> words(np.array([2, 0, 1]), ["song", "talk", "song"]).tolist()
    ['song', 'song', 'talk']
    """
    places, distinct = pd.factorize(np.array(values, dtype=object), sort=True)
    return pd.Categorical.from_codes(places[codes], categories=pd.Index(distinct))


def read_trial_list(path: Path, layout: Layout) -> ListedTrials:
    """Read a list whose labels are 1 and 0; blank lines and trailing blanks are no part of it.

    The last list read is kept: a corpus's items and its trials come from one file.

    Raises:
        DataError: the file cannot be read, lines of it are unreadable, or give a trial both labels.
    """
    try:
        state = os.stat(path)
        return _read(path, layout, (state.st_mtime_ns, state.st_size))
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no such trial list; it comes with the corpus, so unpack or copy that again"
        ) from error
    except ScoreFileError as error:
        raise DataError(str(error)) from error


@lru_cache(maxsize=1)
def _read(path: Path, layout: Layout, state: tuple[int, int]) -> ListedTrials:
    del state  # another state of the file is another entry of the cache
    form = Format(layout, " ")
    numberings = {"enrol": Numbering(), "test": Numbering(), "label": Numbering.of(form.labels)}
    complaints, parts = Complaints(path), list[tuple[Columns, NDArray[np.int32]]]()
    for block in blocks(path):
        parts.append(_block_columns(block, form, numberings, complaints))
    line = np.concatenate([numbers for _, numbers in parts])
    complaints.stop(len(line), layout)
    codes = Columns.joined([columns for columns, _ in parts]).codes
    enrol_names, test_names = numberings["enrol"].names, numberings["test"].names
    is_target = codes["label"] == 1
    trials = ListedTrials(
        path, codes["enrol"], codes["test"], enrol_names, test_names, is_target, line
    )
    _check_labels(trials)
    return trials


def _block_columns(
    block: Block, form: Format, numberings: Mapping[str, Numbering], complaints: Complaints
) -> tuple[Columns, NDArray[np.int32]]:
    """The lines of a block that hold something, and the number of each."""
    columns = fast_columns(block, form, numberings)
    if columns is not None:
        return columns, _numbers(block)
    runs = list(_runs(block))
    numbers = np.concatenate([_numbers(run) for run in runs])
    filled = Block(block.first, b"".join(run.text for run in runs), len(numbers))
    columns = fast_columns(filled, form, numberings)
    if columns is None:
        columns = Columns.joined([line_columns(run, form, numberings, complaints) for run in runs])
    return columns, numbers


def _runs(block: Block) -> Iterator[Block]:
    """What stands between blank lines."""
    lines = enumerate(block.text.split(b"\n")[:-1], block.first)
    for filled, run in groupby(lines, key=lambda numbered: bool(numbered[1].strip())):
        if filled:
            numbers, texts = zip(*run, strict=True)
            yield Block(numbers[0], b"\n".join(texts) + b"\n", len(texts))


def _numbers(block: Block) -> NDArray[np.int32]:
    return np.arange(block.first, block.first + block.lines, dtype=np.int32)


def _check_labels(trials: ListedTrials) -> None:
    keys = pair_keys(trials.enrol, trials.test)
    ascending = np.sort(keys)
    if bool(np.all(ascending[1:] != ascending[:-1])):
        return
    places, firsts = repeats(keys)
    changed = trials.is_target[places] != trials.is_target[firsts]
    examples = [
        f"line {trials.line[place]} against line {trials.line[first]}"
        for place, first in zip(places[changed][:EXAMPLES], firsts[changed][:EXAMPLES], strict=True)
    ]
    if examples:
        raise DataError(
            f"{trials.path}: {int(changed.sum())} of {len(trials)} trials stand there with the "
            f"other label before: {listed(examples, int(changed.sum()))}; copy the list again"
        )
