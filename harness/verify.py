"""Published numbers computed again, from the scores they came from and the locked lists alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.board.names import scores_path
from harness.board.published import record_files as published_files
from harness.config.loader import LoadedBenchmark
from harness.data.listed import list_dataset
from harness.data.listing import Listing
from harness.data.lock import pinned_dataset
from harness.errors import ConfigError, CorpusAbsent, DataError, LockError
from harness.job.evaluation_files import SCORES, load_scores
from harness.job.join import RECORD
from harness.job.parts import make_task
from harness.metrics.errors import MetricError
from harness.records.canonical import sha256_file
from harness.records.record import Artefact, Metric, Record
from harness.records.store import read_record
from harness.tasks.task import Judgement, Task
from harness.train.log import FINAL

TOLERANCE = 1e-9
"""By how much a number may differ: processors round sums of logarithms differently."""

Answer = Literal["verified", "differs", "not verifiable here"]


@dataclass(frozen=True)
class Verdict:
    """What came of one record.

    Attributes:
        record: its file.
        answer: `not verifiable here` where something that is needed is not on this machine, or is
            no longer what the record was made with.
        reasons: what differs, or what is needed.
        numbers: how many numbers were computed again and compared.
    """

    record: Path
    answer: Answer
    reasons: tuple[str, ...] = ()
    numbers: int = 0


class _NotHereError(Exception):
    """Why a record cannot be verified on this machine."""


def verify(loaded: LoadedBenchmark, path: Path, runs: Path) -> Verdict:
    """Judges a record's stored scores again, and holds every number of the record against that.

    Hashes are checked of every file of the record that is here: its scores, its checkpoint.

    Args:
        loaded: the benchmark that the record was made with.
        path: a record; its scores lie beside it.
        runs: the folder whose stages may hold its checkpoint.

    Raises:
        RequestError: the file is not a record.
    """
    record = read_record(path)
    try:
        scores, listing, task = _needed(loaded, record, path)
    except _NotHereError as error:
        return Verdict(path, "not verifiable here", (str(error),))
    changed = _changed_files(record, scores, runs)
    if changed:
        return Verdict(path, "differs", changed)
    try:
        judgement = task.judge(
            task.lists(listing, "test", record.dataset.left_out), load_scores(scores)
        )
    except (DataError, MetricError, ConfigError, KeyError) as error:
        return Verdict(path, "differs", (f"its scores cannot be judged by its lists: {error}",))
    pairs = list(_pairs(record, judgement))
    reasons = tuple(
        f"{name}: recorded {_told(there)}, computed {_told(here)}"
        for name, there, here in pairs
        if not _same(there, here)
    )
    return Verdict(path, "differs" if reasons else "verified", reasons, len(pairs))


def record_files(folder: Path) -> list[Path]:
    """The records below a folder: published ones, or those of runs."""
    return published_files(folder) or sorted(folder.rglob(RECORD)) or sorted(folder.rglob("*.json"))


def _needed(loaded: LoadedBenchmark, record: Record, path: Path) -> tuple[Path, Listing, Task]:
    """The scores, the lists and the task of a record.

    Raises:
        _NotHereError: one of them is not here.
    """
    if record.state != "done":
        raise _NotHereError(f"it is {record.state} and holds no numbers")
    scores = _scores_beside(path)
    if not scores.is_file():
        raise _NotHereError(f"its scores are not beside it ({scores.name})")
    return scores, _listing(loaded, record), _task(loaded, record)


def _scores_beside(path: Path) -> Path:
    return path.with_name(SCORES if path.name == RECORD else scores_path(path.name))


def _listing(loaded: LoadedBenchmark, record: Record) -> Listing:
    name, profile = record.dataset.name, record.protocol.profile
    if name not in loaded.benchmark.datasets and loaded.fold(name) is None:
        raise _NotHereError(f"{loaded.path} has no dataset {name!r}")
    pinned = pinned_dataset(loaded.lock_path, f"{name}/{profile}", loaded.base_lock_paths)
    if pinned is None or pinned[0].digest != record.dataset.lock:
        raise _NotHereError(
            f"it was made with lock {record.dataset.lock[:12]} of {name}, which is not this "
            f"benchmark's; check out {record.code[:12]}"
        )
    try:
        return list_dataset(loaded, name, "quick" if profile == "quick" else "full")
    except (CorpusAbsent, DataError, LockError) as error:
        raise _NotHereError(str(error)) from error


def _task(loaded: LoadedBenchmark, record: Record) -> Task:
    protocol = record.protocol
    suite = loaded.benchmark.suites.get(protocol.suite)
    if suite is None:
        raise _NotHereError(f"{loaded.path} has no suite {protocol.suite!r}")
    task = make_task(loaded, protocol.suite)
    if suite.protocol != protocol.version or task.parameters() != protocol.parameters:
        raise _NotHereError(
            f"it was judged by version {protocol.version} of the protocol of {protocol.suite}, "
            f"this benchmark has {suite.protocol}; check out {record.code[:12]}"
        )
    return task


def _changed_files(record: Record, scores: Path, runs: Path) -> tuple[str, ...]:
    """The files of a record that are here and are not those it names."""
    files = {"scores": scores, "checkpoint": _checkpoint(record, runs)}
    named = {
        name: (file, record.artefacts[name])
        for name, file in files.items()
        if name in record.artefacts and file.is_file()
    }
    return tuple(
        f"{file}: not the {name} that the record names (sha256 {artefact.sha256[:12]})"
        for name, (file, artefact) in named.items()
        if not _is(file, artefact)
    )


def _is(file: Path, artefact: Artefact) -> bool:
    return file.stat().st_size == artefact.bytes and sha256_file(file) == artefact.sha256


def _checkpoint(record: Record, runs: Path) -> Path:
    key = record.stages["train"].key[:16] if "train" in record.stages else ""
    return runs / "stages" / f"train-{key}" / FINAL


def _pairs(
    record: Record, judgement: Judgement
) -> Iterator[tuple[str, float | None, float | None]]:
    """Every number of the record that scores decide, as recorded and as computed now."""
    for name, metric in judgement.metrics.items():
        recorded = record.metrics.get(name)
        for part in ("value", "low", "high"):
            yield f"{name}.{part}", _part(recorded, part), _part(metric, part)
    for name, left in judgement.left_one_out.items():
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
