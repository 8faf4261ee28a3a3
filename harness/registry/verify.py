"""Published numbers computed again, from the scores they came from and the locked lists alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.board.names import is_record
from harness.board.store.shelf import record_files as published_files
from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.records.code import DIRTY
from harness.records.details import read_details
from harness.records.impossible import impossible_numbers
from harness.records.record import Metric, Record, Stage
from harness.records.store import read_record
from harness.registry.details import details_beside, differences, named
from harness.registry.rescoring import NotHereError, Rejudging, UnusableError, changed, rejudging
from harness.run.job.record_writing import RECORD
from harness.run.job.results import find_result
from harness.tasks.task import Judgement
from harness.train.log import FINAL

TOLERANCE = 1e-9
"""By how much a number may differ: processors round sums of logarithms differently."""

NOT_OF_SCORES = {"training_accuracy"}
"""Metrics of a record that training tells, not its scores."""

Answer = Literal["verified", "differs", "not verifiable here"]


@dataclass(frozen=True)
class Verdict:
    """What came of one record.

    Attributes:
        record: its file.
        answer: `not verifiable here` where something that is needed is not on this machine, or is
            no longer what the record was made with.
        reasons: what differs, or what is needed.
        numbers: how many numbers of the record were computed again and compared.
        details: whether there was a companion beside it to compare.
        notes: why its checkpoint, of which there is one of the same name here, was not compared.
    """

    record: Path
    answer: Answer
    reasons: tuple[str, ...] = ()
    numbers: int = 0
    details: bool = False
    notes: tuple[str, ...] = ()


def verify(loaded: LoadedBenchmark, path: Path, runs: Path) -> Verdict:
    """Judges a record's stored scores again, and holds every number of the record against that.

    Hashes are checked of every file of the record that is here: its scores, and its checkpoint if
    that was made here by the same code in the same environment. What lies beside it in its
    companion is computed again too. A record with impossible numbers differs without its scores.

    Args:
        loaded: the benchmark that the record was made with.
        path: a record; its scores lie beside it.
        runs: the folder whose stages may hold its checkpoint.

    Raises:
        RequestError: the file is not a record, or its companion is none.
    """
    record = read_record(path)
    if impossible := impossible_numbers(record):
        return Verdict(path, "differs", tuple(impossible))
    try:
        needed = rejudging(loaded, record, path)
        trained = _own_training(record, runs)
        reasons = _changed_files(record, needed.path, trained.checkpoint)
        if reasons:
            return Verdict(path, "differs", reasons, notes=trained.notes)
        return replace(_compared(record, path, needed), notes=trained.notes)
    except NotHereError as error:
        return Verdict(path, "not verifiable here", (str(error),))
    except UnusableError as error:
        return Verdict(path, "differs", (str(error),))


def record_files(folder: Path) -> list[Path]:
    """The records below a folder: published ones, or those of runs."""
    below = (sorted(folder.rglob(name)) for name in (RECORD, "*.json"))
    found = published_files(folder) or next(filter(None, below), [])
    return [path for path in found if is_record(path.name)]


def _compared(record: Record, path: Path, needed: Rejudging) -> Verdict:
    pairs = list(_pairs(record, needed.judge()))
    reasons = tuple(
        f"{name}: recorded {_told(there)}, computed {_told(here)}"
        for name, there, here in pairs
        if not _same(there, here)
    )
    beside = details_beside(path)
    if beside.is_file():
        reasons += differences(read_details(beside), named(path, needed.detail()))
    answer: Answer = "differs" if reasons else "verified"
    return Verdict(path, answer, reasons, len(pairs), beside.is_file())


def _changed_files(record: Record, scores: Path, checkpoint: Path | None) -> tuple[str, ...]:
    """The files of a record that are here and are not those it names."""
    files = {"scores": scores, "checkpoint": checkpoint}
    here = {name: file for name, file in files.items() if file is not None and file.is_file()}
    return tuple(filter(None, (changed(file, record, name) for name, file in here.items())))


@dataclass(frozen=True)
class _Training:
    """The training of a runs folder that has a record's key.

    Attributes:
        checkpoint: its weights, if they must be the record's.
        notes: why they need not be.
    """

    checkpoint: Path | None = None
    notes: tuple[str, ...] = ()


def _own_training(record: Record, runs: Path) -> _Training:
    """Find the training that has a record's key, and say what sets it apart from the record's.

    An equal key gives equal weights, to the bit, where code and environment are equal too; and the
    training that the record itself names, by its time, has the record's weights in any case.
    """
    stage = record.stages.get("train")
    if stage is None:
        return _Training()
    folder = runs / "stages" / f"train-{stage.key[:16]}"
    try:
        found = find_result(folder)
    except RequestError as error:
        return _Training(notes=(f"its checkpoint was not compared: {error}",))
    if found is None:
        return _Training()
    # Times of training are kept in a record of the same environment alone.
    where = record.environment_digest if record.resources.training_seconds is not None else ""
    sides = {
        "key": (stage.key, found["stage"]["key"]),
        "code": (stage.code, found["stage"].get("code", "")),
        "environment": (where, found.get("environment", "")),
    }
    apart = [name for name, (there, here) in sides.items() if not _is_equal(there, here)]
    is_its_own = Stage.model_validate(found["stage"]) == stage
    if is_its_own or not apart:
        return _Training(folder / FINAL)
    both = "; ".join(
        f"{name} {_brief(sides[name][0])}, here {_brief(sides[name][1])}" for name in apart
    )
    return _Training(notes=(f"its checkpoint was not compared with {folder / FINAL}: {both}",))


def _is_equal(there: str, here: str) -> bool:
    """True if both are known and equal; two changed trees of one commit may differ."""
    return there == here != "" and not there.endswith(DIRTY)


def _brief(value: str) -> str:
    commit, dirty = value.removesuffix(DIRTY), value.endswith(DIRTY)
    return (commit[:12] + DIRTY * dirty) or "unknown"


def _pairs(
    record: Record, judgement: Judgement
) -> Iterator[tuple[str, float | None, float | None]]:
    """Every number of the record that scores decide, as recorded and as computed now."""
    for name in sorted((record.metrics.keys() | judgement.metrics.keys()) - NOT_OF_SCORES):
        recorded, computed = record.metrics.get(name), judgement.metrics.get(name)
        for part in ("value", "low", "high"):
            yield f"{name}.{part}", _part(recorded, part), _part(computed, part)
    for name in sorted(record.left_one_out.keys() | judgement.left_one_out.keys()):
        left: Mapping[str, float] = judgement.left_one_out.get(name, {})
        there: Mapping[str, float] = record.left_one_out.get(name, {})
        for unit in sorted(left.keys() | there.keys()):
            yield f"{name} without {unit}", there.get(unit), left.get(unit)


def _part(metric: Metric | None, part: str) -> float | None:
    value: float | None = getattr(metric, part) if metric else None
    return value


def _same(there: float | None, here: float | None) -> bool:
    if there is None or here is None:
        return there is here
    return math.isclose(there, here, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _told(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.12g}"
