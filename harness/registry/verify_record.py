"""Published numbers computed again, from the scores they came from and the locked lists alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.board.record_paths import is_record
from harness.board.record_store import record_files as published_files
from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.records.details_schema import read_details
from harness.records.provenance import DIRTY
from harness.records.record import Record, Stage
from harness.records.record_files import impossible_numbers, read_record
from harness.registry.attested_scores import (
    attestation_differences,
    idle_attestations,
    is_near,
)
from harness.registry.record_details import bind_details, details_beside, differences
from harness.registry.rescoring import (
    NotHereError,
    Rescoring,
    UnusableError,
    difference_from_artefact,
    find_rescoring,
)
from harness.run.job.record_writing import RECORD
from harness.run.job.results import read_result, stage_folder
from harness.tasks.task import Judgement
from harness.train.training_progress import FINAL

NOT_OF_SCORES = {"training_accuracy"}
"""Metrics of a record that come of training, not of its scores."""

Answer = Literal["verified", "differs", "not verifiable here"]


@dataclass(frozen=True)
class Verdict:
    """The verdict on one record.

    Attributes:
        record: its file.
        answer: `not verifiable here` if something that is needed is not on this machine, or is no
            longer what the record was made with.
        reasons: the differences, or what is needed.
        numbers: how many numbers of the record were computed again and compared.
        details: True if there were details beside it to compare.
        notes: why its checkpoint, of which there is one of the same name here, was not compared;
            attestations that do not lift it.
    """

    record: Path
    answer: Answer
    reasons: tuple[str, ...] = ()
    numbers: int = 0
    details: bool = False
    notes: tuple[str, ...] = ()


def verify(loaded: LoadedBenchmark, path: Path, runs: Path) -> Verdict:
    """Judge a record's stored scores again, and compare every number of the record.

    Hashes are checked of every file of the record that is here: its scores, and its checkpoint if
    that was made here by the same code in the same environment. The details beside it are computed
    again too. A record with impossible numbers differs without its scores.

    Args:
        loaded: the benchmark that the record was made with.
        path: a record; its scores lie beside it.
        runs: the folder whose stages may hold its checkpoint.

    Raises:
        RequestError: the file is not a record, or the one beside it holds no details.
    """
    record = read_record(path)
    if impossible := impossible_numbers(record):
        return Verdict(path, "differs", tuple(impossible))
    try:
        needed = find_rescoring(loaded, record, path)
        checkpoint, notes = _own_checkpoint(record, runs)
        files = {"scores": needed.path, "checkpoint": checkpoint}
        here = {name: file for name, file in files.items() if file and file.is_file()}
        changed = (difference_from_artefact(file, record, name) for name, file in here.items())
        if reasons := tuple(filter(None, changed)):
            return Verdict(path, "differs", reasons, notes=notes)
        notes += tuple(idle_attestations(path, record))
        return replace(_compare(record, path, needed), notes=notes)
    except NotHereError as error:
        return Verdict(path, "not verifiable here", (str(error),))
    except UnusableError as error:
        return Verdict(path, "differs", (str(error),))


def record_files(folder: Path) -> list[Path]:
    """Return the records below a folder: published ones, or those of runs."""
    below = (sorted(folder.rglob(name)) for name in (RECORD, "*.json"))
    found = published_files(folder) or next(filter(None, below), [])
    return [path for path in found if is_record(path.name)]


def _compare(record: Record, path: Path, needed: Rescoring) -> Verdict:
    pairs = list(_pairs(record, needed.judge()))
    reasons = tuple(
        f"{name}: recorded {_brief(there)}, computed {_brief(here)}"
        for name, there, here in pairs
        if (there is not here if there is None or here is None else not is_near(there, here))
    )
    beside = details_beside(path)
    if beside.is_file():
        reasons += differences(read_details(beside), bind_details(path, needed.detail()))
    reasons += tuple(attestation_differences(path, needed))
    answer: Answer = "differs" if reasons else "verified"
    return Verdict(path, answer, reasons, len(pairs), beside.is_file())


def _pairs(
    record: Record, judgement: Judgement
) -> Iterator[tuple[str, float | None, float | None]]:
    """Yield every number of the record that scores decide, as recorded and as computed now."""
    for name in sorted((record.metrics.keys() | judgement.metrics.keys()) - NOT_OF_SCORES):
        both = record.metrics.get(name), judgement.metrics.get(name)
        for part in ("value", "low", "high"):
            there, here = (getattr(metric, part) if metric else None for metric in both)
            yield f"{name}.{part}", there, here
    for name in sorted(record.left_one_out.keys() | judgement.left_one_out.keys()):
        recorded, computed = (each.left_one_out.get(name, {}) for each in (record, judgement))
        for unit in sorted(recorded.keys() | computed.keys()):
            yield f"{name} without {unit}", recorded.get(unit), computed.get(unit)


def _own_checkpoint(record: Record, runs: Path) -> tuple[Path | None, tuple[str, ...]]:
    """Find the checkpoint that has a record's key, and say what sets it apart from the record's.

    An equal key gives equal weights, to the bit, if code and environment are equal too; and the
    training that the record itself names, by its time, has the record's weights in any case.

    Returns:
        The weights, if they must be the record's; notes why they need not be.
    """
    stage = record.stages.get("train")
    if stage is None:
        return None, ()
    folder = stage_folder(runs, "train", stage.key)
    try:
        found = read_result(folder)
    except RequestError as error:
        return None, (f"its checkpoint was not compared: {error}",)
    if found is None:
        return None, ()
    # Times of training are kept in a record of the same environment alone.
    where = record.environment_digest if record.resources.training_seconds is not None else ""
    sides = {
        "key": (stage.key, found["stage"]["key"]),
        "code": (stage.code, found["stage"].get("code", "")),
        "environment": (where, found.get("environment", "")),
    }
    apart = [name for name, both in sides.items() if not _are_equal(*both)]
    if Stage.model_validate(found["stage"]) == stage or not apart:
        return folder / FINAL, ()
    both = "; ".join(
        f"{name} {_short(sides[name][0])}, here {_short(sides[name][1])}" for name in apart
    )
    return None, (f"its checkpoint was not compared with {folder / FINAL}: {both}",)


def _are_equal(there: str, here: str) -> bool:
    """True if both are known and equal; two changed trees of one commit may differ."""
    return there == here != "" and not there.endswith(DIRTY)


def _short(value: str) -> str:
    commit, dirty = value.removesuffix(DIRTY), value.endswith(DIRTY)
    return (commit[:12] + DIRTY * dirty) or "unknown"


def _brief(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.12g}"
