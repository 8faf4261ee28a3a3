"""Scores that an entry has already under another name: refused; nearly the same ones: told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError, RequestError
from harness.records.damage import set_aside
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.submit.likeness import (
    CLOSE,
    TELLING,
    TELLING_CLASSES,
    closeness,
    ranks_of,
    told_likeness,
)
from harness.run.job.record_writing import RECORD
from harness.run.job.results import SCORES, load_scores
from harness.tasks.task import Scores

ALIKE = 0.01
"""Of the deviation of scores, how far rounding in a text may move them, root mean square. Two
trainings of one network are ten times as far apart and more."""

PUBLISHED = ".scores.npz"

Array = NDArray[Any]


def check_new(
    scores: Scores, decided: Sequence[str], own: Record, folders: Iterable[Path]
) -> list[str]:
    """Refuse scores that an entry of the same data has already, and tell of those that are close.

    The same submission may stand in tables of several suites that share their trials.

    Args:
        scores: what was submitted.
        decided: arrays of it that validation decides.
        own: its record, as far as it is known.
        folders: published tables, and runs.

    Returns:
        A note on the stored scores that are closest, if some are close.

    Raises:
        RequestError: they are the same, named with the entry; or a published file cannot be read.
    """
    names = telling_arrays(scores, decided)
    ours, close = ranks_of(scores, names), []
    for file, record_file in _score_files(folders) if names else ():
        try:
            stored = load_scores(file)
        except DataError as error:
            if file.name != SCORES:
                raise RequestError(f"{error}; restore it from git") from error
            set_aside(file, str(error), "`harness run` makes it again")
            continue
        if any(name not in stored or stored[name].shape != scores[name].shape for name in names):
            continue
        how = same_system(scores, stored, names)
        near = 0.0 if how else closeness(ours, ranks_of(stored, names))
        if not how and near < CLOSE:
            continue
        record = read_record(record_file)
        is_own = record.submission is not None and record.model.name == own.model.name
        if not how:
            close += [] if is_own else [(near, told_likeness(record, record_file.name, near))]
        elif not is_own or record.protocol.suite == own.protocol.suite:
            raise RequestError(
                f"these are the scores of {told_entry(record)} ({record_file}){how}; "
                "an entry is submitted once"
            )
    return [note for _, note in sorted(close)[-1:]]


def telling_arrays(scores: Scores, decided: Sequence[str]) -> list[str]:
    """Return the names of the arrays by which systems are compared.

    They are the floating-point numbers that test alone gives: whole numbers and names (clusters,
    say) may be equal by chance.
    """
    return [
        name
        for name, array in scores.items()
        if array.dtype.kind == "f" and array.ndim and name not in decided
    ]


def same_system(scores: Scores, stored: Scores, names: Sequence[str]) -> str:
    """Return how all of some arrays are the same as stored ones; empty if one is not."""
    found = [same(scores[name], stored.get(name)) for name in names]
    return found[0] if found and all(found) else ""


def told_entry(record: Record) -> str:
    """Return an entry's name with its seed."""
    return record.entry if record.seed is None else f"{record.entry}, seed {record.seed}"


def same(ours: Array, theirs: Array | None) -> str:
    """Return how two systems' scores are the same; empty if they are not.

    Metrics see the order of scores alone, so a scale, an offset or any rising map makes no other
    system of one; in a row of classes what is added to all of them decides nothing.

    Args:
        ours: `[trials]`, or `[items, classes]`.
        theirs: the same; None if they have no such array.

    >>> same(np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 9.0]))
    ' but for scale and offset'
    """
    if theirs is None or ours.shape != theirs.shape or theirs.dtype.kind not in "fiu":
        return ""
    first, second = (array.astype(np.float64) for array in (ours, theirs))
    if np.array_equal(first, second):
        return " to the last digit"
    if _are_affine(first, second):
        return " but for scale and offset"
    return " by the order that they put everything in" if _have_one_order(first, second) else ""


def _are_affine(first: Array, second: Array) -> bool:
    x, y = (array - array.mean(axis=-1, keepdims=True) for array in (first, second))
    power, spread = float(np.sum(x * x)), float(np.sqrt(np.mean(y * y)))
    if power == 0 or spread == 0:
        return False
    scale = float(np.sum(x * y)) / power
    return float(np.sqrt(np.mean((y - scale * x) ** 2))) <= ALIKE * spread


def _have_one_order(first: Array, second: Array) -> bool:
    if first.ndim > 1:
        order, other = (np.argsort(array, axis=1, kind="stable") for array in (first, second))
        return first.shape[1] >= TELLING_CLASSES and np.array_equal(order, other)
    (values, places), (_, others) = (np.unique(a, return_inverse=True) for a in (first, second))
    return len(values) >= TELLING and np.array_equal(places, others)


def _score_files(folders: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield every file of scores with its record: published ones, and those of runs."""
    for folder in folders:
        for file in sorted((folder / "records").rglob(f"*{PUBLISHED}")):
            yield file, file.with_name(file.name.removesuffix(PUBLISHED) + ".json")
        for file in sorted(folder.glob(f"*/*/*/*/{SCORES}")):
            yield file, file.with_name(RECORD)
