"""List the runs of a folder, and delete stages that nothing needs any more."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import RequestError
from harness.records.damage import DamagedFile, was_set_aside
from harness.records.lease import is_leased
from harness.records.lease_file import STEM
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.run.job.record_writing import RECORD
from harness.run.job.results import stage_folder, stage_name, turn
from harness.series.series_file import FILE, PUBLISHED
from harness.train.training_progress import RESUME

CACHE = "cache"
"""Folder of packed corpora and of predictions, below a runs folder."""

ASIDE = "damaged, and set aside"

RESUME_FILES = (RESUME, "snapshot-*.safetensors")


def run_rows(runs: Path) -> list[dict[str, Any]]:
    """Return a row for each record: its place, state, result, parent and size."""
    read = {path: _read(path) for path in _records(runs)}
    trained = {
        record.stages["train"].key: _place(runs, path)
        for path, record in read.items()
        if record is not None and "train" in record.stages
    }
    return [_row(runs, path, record, trained) for path, record in read.items()]


def cache_size(runs: Path) -> int:
    """Return the bytes of the packed corpora and predictions beside the records."""
    return size_of(runs / CACHE)


def record_tables(runs: Path) -> set[tuple[str, str]]:
    """Return dataset and profile of every stored record; a fold stands for its dataset."""
    records = [found for path in _records(runs) if (found := _read(path)) is not None]
    return {
        (each.dataset.fold.of if each.dataset.fold else each.dataset.name, each.protocol.profile)
        for each in records
    }


def find_run(runs: Path, run: Path) -> Path:
    """Return the record of a run, given by its place below a runs folder or by its own path.

    Raises:
        RequestError: there is none.
    """
    path = run if run.suffix == ".json" else run / RECORD
    for place in (runs / path, path):
        if place.is_file():
            return place
    raise RequestError(f"{run}: no such run under {runs}; `harness runs list` names all of them")


def find_series(runs: Path, run: Path) -> tuple[Path, Record | None]:
    """Return the folder or file with the series of a run, and the run's record.

    A path that is no run's is its own, and has no record.

    Args:
        runs: the folder of runs.
        run: as for `find_run`; or any log, or a folder of logs.

    Raises:
        RequestError: it is the run of a system that was not trained here.
    """
    here = run if run.exists() else runs / run
    is_record = here.suffix == ".json" or (here / RECORD).is_file()
    if here.exists() and not is_record:
        return here, None
    path = find_run(runs, run)
    record = read_record(path)
    trained = training_series(runs, record)
    beside = (path.with_name(PUBLISHED), path.with_name(f"{path.stem}.{PUBLISHED}"))
    for place in (*([trained] if trained else []), *beside):
        if place.is_file():
            return place, record
    raise RequestError(f"{run}: has no series: it was not trained, or before series were kept")


def training_series(runs: Path, record: Record) -> Path | None:
    """Return where a record's training keeps its series; None if it was not trained here."""
    stage = record.stages.get("train")
    return stage_folder(runs, "train", stage.key) / FILE if stage else None


def collect_garbage(runs: Path, *, delete: bool) -> list[dict[str, Any]]:
    """Find stages that no record names, and resume points of trainings that have ended.

    A stage that did not end is left alone, since it can go on; and while a job is being run,
    so is every stage without a record, since the job's record comes last.

    Args:
        runs: the folder.
        delete: whether to delete what is found.
    """
    running = is_running(runs)  # before the records: a job that ends now has its record then
    records = [_read(path) for path in _records(runs)]
    # What a damaged record names is not known: `harness run` reads what it is made again of.
    running = running or None in records
    named = {
        stage_name(name, stage.key)
        for record in records
        if record is not None
        for name, stage in record.stages.items()
    }
    garbage = []
    for path in _set_aside(runs):
        garbage.append({"path": str(path), "bytes": size_of(path), "why": ASIDE})
        if delete:
            _delete(path)
    for folder in sorted((runs / "stages").glob("*-*")):
        if not folder.is_dir():
            continue
        finished = (folder / "result.json").exists()
        unnamed = finished and folder.name not in named and not running
        why = "no record names it" if unnamed else "its training has ended"
        leftovers = [path for pattern in RESUME_FILES for path in sorted(folder.glob(pattern))]
        for path in [folder] if unnamed else leftovers if finished else []:
            garbage.append({"path": str(path), "bytes": size_of(path), "why": why})
            if delete:
                with turn(folder):
                    _delete(path)
    return garbage


def _set_aside(runs: Path) -> list[Path]:
    """Return the damaged files and folders that were set aside, in the runs and the cache."""
    found = [path for path in runs.rglob("*.damaged-*") if was_set_aside(path)]
    return sorted(path for path in found if path.parent not in found)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _records(runs: Path) -> list[Path]:
    if not runs.is_dir():
        raise RequestError(f"{runs}: no such folder; `harness run` makes it, --runs names another")
    return sorted(runs.glob("*/*/*/*/record.json"))


def _read(path: Path) -> Record | None:
    """Read a record, or its latest attempt if it is damaged; None if no copy can be read."""
    for each in (path, *sorted(path.parent.glob("attempt-*.json"), reverse=True)):
        try:
            return read_record(each)
        except DamagedFile:
            continue
    return None


def is_running(runs: Path) -> bool:
    """Return whether some process is working on a job."""
    folders = {path.parent for path in runs.glob(f"*/*/*/*/{STEM}*")}
    return any(map(is_leased, folders))


def _place(runs: Path, record: Path) -> str:
    return str(record.parent.relative_to(runs))


def _row(
    runs: Path, path: Path, record: Record | None, trained: Mapping[str, str]
) -> dict[str, Any]:
    """Return the row of a record.

    Args:
        runs: the folder.
        path: of the record.
        record: None if it cannot be read.
        trained: key of a training -> the run that it is of.
    """
    run, size = _place(runs, path), size_of(path.parent)
    if record is None:
        mend = f"{path}: damaged; `harness run` makes it again"
        row = {"run": run, "state": "damaged", "result": mend, "finished": "", "parent": None}
        return {**row, "bytes": size}
    parent = record.stages["train"].inputs.get("parent") if "train" in record.stages else None
    metric, result = record.metrics.get(record.protocol.primary), record.reason
    if metric is not None:
        facts = record.protocol.facts[record.protocol.primary]
        factor = 100 if facts.unit == "%" else 1
        value = f"{metric.value * factor:.{facts.decimals}f}"
        result = f"{facts.title} {value} {facts.unit}".rstrip()
    finished = [stage.finished for stage in record.stages.values() if stage.finished]
    stages = [stage_folder(runs, name, stage.key) for name, stage in record.stages.items()]
    return {
        "run": run,
        "state": record.state,
        "result": result,
        "finished": max(finished, default=""),
        "parent": trained.get(parent["train"], parent["train"][:12]) if parent else None,
        "bytes": size + sum(size_of(stage) for stage in stages),
    }


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
