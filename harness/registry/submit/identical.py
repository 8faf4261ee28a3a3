"""Whether scores are those of an entry that is there already, under another name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError, RequestError
from harness.records.record import Record
from harness.records.store import read_record
from harness.run.job.record_writing import RECORD
from harness.run.job.results import SCORES, load_scores
from harness.tasks.task import Scores

JUDGED = ("scores", "logits")
"""Arrays that hold what a system makes of test."""

ALIKE = 0.01
"""Of the deviation of scores, how far rounding in a text may move them, root mean square. Two
trainings of one network are ten times as far apart and more."""

TELLING = 10
"""Distinct scores from which on an equal order is no chance."""

TELLING_CLASSES = 4
"""Classes from which on an equal order of them in every row is no chance."""

PUBLISHED = ".scores.npz"

Array = NDArray[Any]


def check_new(scores: Scores, own: Record, folders: Iterable[Path]) -> None:
    """Refuse scores that an entry of the same data has already.

    The same submission may stand in tables of several suites that share their trials.

    Args:
        scores: what was submitted.
        own: its record, as far as it is known.
        folders: published tables, and runs.

    Raises:
        RequestError: they are the same, named with the entry.
    """
    name = next(name for name in JUDGED if name in scores)
    for file, record_file in _stored(folders):
        how = same(scores[name], _array(file, name))
        if not how:
            continue
        record = read_record(record_file)
        if _elsewhere(record, own):
            continue
        seed = "" if record.seed is None else f", seed {record.seed}"
        raise RequestError(
            f"these are the scores of {record.entry}{seed} ({record_file}){how}; "
            "an entry is submitted once"
        )


def same(ours: Array, theirs: Array | None) -> str:
    """How two systems' scores, `[trials]` or `[items, classes]`, are the same; empty: they are not.

    Metrics see the order of scores alone, so a scale, an offset or any rising map makes no other
    system of one; in a row of classes what is added to all of them decides nothing.

    >>> same(np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 9.0]))
    ' but for scale and offset'
    """
    if theirs is None or ours.shape != theirs.shape:
        return ""
    first, second = (array.astype(np.float64) for array in (ours, theirs))
    if np.array_equal(first, second):
        return " to the last digit"
    if _affine(first, second):
        return " but for scale and offset"
    return " by the order that they put everything in" if _same_order(first, second) else ""


def _affine(first: Array, second: Array) -> bool:
    x, y = (array - array.mean(axis=-1, keepdims=True) for array in (first, second))
    power, spread = float(np.sum(x * x)), float(np.sqrt(np.mean(y * y)))
    if power == 0 or spread == 0:
        return False
    scale = float(np.sum(x * y)) / power
    return float(np.sqrt(np.mean((y - scale * x) ** 2))) <= ALIKE * spread


def _same_order(first: Array, second: Array) -> bool:
    if first.ndim > 1:
        order, other = (np.argsort(array, axis=1, kind="stable") for array in (first, second))
        return first.shape[1] >= TELLING_CLASSES and np.array_equal(order, other)
    (values, places), (_, others) = (np.unique(a, return_inverse=True) for a in (first, second))
    return len(values) >= TELLING and np.array_equal(places, others)


def _stored(folders: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Every file of scores with its record: published ones, and those of runs."""
    for folder in folders:
        for file in sorted((folder / "records").rglob(f"*{PUBLISHED}")):
            yield file, file.with_name(file.name.removesuffix(PUBLISHED) + ".json")
        for file in sorted(folder.glob(f"*/*/*/*/{SCORES}")):
            yield file, file.with_name(RECORD)


def _array(file: Path, name: str) -> Array | None:
    """One array of a file; None where it has none of that name.

    Raises:
        RequestError: the file cannot be read.
    """
    try:
        return load_scores(file).get(name)
    except DataError as error:
        raise RequestError(f"{error}; restore it") from error


def _elsewhere(record: Record, own: Record) -> bool:
    """Whether a record is this submission in the table of another suite."""
    another = record.protocol.suite != own.protocol.suite
    return another and record.submission is not None and record.model.name == own.model.name
