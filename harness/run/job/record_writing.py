"""Assemble a job's record from its stages' results, and write it. Imports no torch."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import PathError, StorageError, naming, printable
from harness.measure.environment import environment_digest
from harness.records.damage import DamagedFile, set_aside
from harness.records.documents import digest, sha256_file
from harness.records.files import atomic_path, lock, read_bytes, write_bytes
from harness.records.lease import confirm_lease
from harness.records.record import Artefact, Metric, Record, Stage, State
from harness.records.record_files import read_record, write_record
from harness.records.redaction import without_secrets
from harness.run.job.results import INPUTS, SCORES, find_result, measured, utc_now
from harness.run.job.spec import JobSpec
from harness.series.series_file import PUBLISHED

RECORD = "record.json"

FOREIGN_WEIGHTS = (
    "its weights were made elsewhere; whether they had seen the test items was not checked"
)


def build_record(
    spec: JobSpec, results: dict[str, dict[str, Any]], notes: Sequence[str] = ()
) -> Record:
    """Assemble the record of a job that was trained and evaluated.

    Args:
        spec: the job.
        results: stage -> its result; the baseline has `evaluate` alone.
        notes: of this run, for its row.
    """
    evaluation, training = results["evaluate"], results.get("train")
    record = bare_record(spec, "done", "")
    metrics = {name: Metric(**value) for name, value in evaluation["metrics"].items()}
    artefacts = {"scores": Artefact(**evaluation["scores"])}
    if kept := evaluation.get("embeddings"):
        artefacts["embeddings"] = Artefact(**kept)
    resources, on_costs = measured(results.get("measure", {}))
    if training:
        artefacts["checkpoint"] = Artefact(**training["checkpoint"])
        series = training.get("series")  # older results lack it
        if series and _series(spec):
            artefacts["series"] = Artefact(**series)
        if states := training.get("states"):
            # The record binds every kept state: nobody can choose others once an audit is drawn.
            artefacts["states"] = Artefact(sha256=digest(states), bytes=training["states_bytes"])
        if training.get("environment") == record.environment_digest:
            spent = {
                "training_seconds": training["seconds"],
                "data_wait": training.get("data_wait"),
                "cpu_wait": training.get("cpu_wait"),
            }
            resources = resources.model_copy(update=spent)
        if training["accuracy"] is not None:
            metrics["training_accuracy"] = Metric(value=training["accuracy"], unit="%")
    return record.model_copy(
        update={
            "dataset": spec.dataset.model_copy(update={"left_out": spec.left_out}),
            "stages": {name: Stage(**result["stage"]) for name, result in results.items()},
            "metrics": metrics,
            "left_one_out": evaluation["left_one_out"],
            "selected_on": _selection(spec, training),
            "test_looks": evaluation["test_looks"],
            "resources": resources,
            "artefacts": artefacts,
            "searched": evaluation["searched"],
            "notes": (
                *spec.notes,
                *evaluation["notes"],
                *(training or {}).get("notes", ()),
                *on_costs,
                *([FOREIGN_WEIGHTS] if spec.checkpoint else []),
                *([spec.parent.note] if spec.parent else []),
                *([spec.initial.note] if spec.initial else []),
                *notes,
            ),
        }
    )


def build_failure(spec: JobSpec, state: State, reason: str) -> Record:
    """Assemble the record of a job that ended without a result."""
    stages = {
        name: stage
        for name, stage in (("train", spec.train), ("measure", spec.measure))
        if stage is not None
    }
    told = without_secrets(printable(reason))
    return bare_record(spec, state, told).model_copy(update={"stages": stages})


def write_attempt(spec: JobSpec, record: Record, scores: Path | None) -> Record:
    """Write a record as the job's next attempt and as its `record.json`.

    Attempts are never edited; `record.json` is the latest of them.

    Args:
        spec: the job.
        record: its outcome.
        scores: the file of scores, linked (or copied) beside the record; its training's series
            too, if the record names one.

    Returns:
        The record with its attempt's number.

    Raises:
        LeaseLost: another process has taken the job over.
    """
    folder = spec.folder
    confirm_lease(folder)
    with lock(folder / RECORD):
        attempt = 1 + max([0, *(_attempt_number(path) for path in folder.glob("attempt-*.json"))])
        numbered = record.model_copy(update={"attempt": attempt, "finished": utc_now()})
        if scores is not None:
            _link(scores, folder / SCORES)
        if "series" in record.artefacts and (series := _series(spec)):
            _link(series, folder / PUBLISHED)
        write_record(folder / f"attempt-{attempt}.json", numbered)
        write_record(folder / RECORD, numbered)
    return numbered


def write_failure(spec: JobSpec, state: State, reason: str) -> Record:
    """Write the record of a job that ended before its time.

    One that ended while it was measured keeps its metrics: it is `done`, and a note says why its
    costs are unknown. If the disk takes no record either, the failure is returned all the same: its
    row says why.
    """
    record, scores = build_failure(spec, state, reason), None
    try:
        if results := _results_before_measuring(spec):
            notes = [not_measured(record.reason)]
            record_done = build_record(spec, results, notes)
            scores = spec.stage_folder("evaluate", record_done.stages["evaluate"].key) / SCORES
            return write_attempt(spec, record_done, scores)
        return write_attempt(spec, record, None)
    except (PathError, StorageError):
        return record


def _series(spec: JobSpec) -> Path | None:
    """Return the series of the job's training, if it is still there."""
    if spec.train is None:
        return None
    path = spec.stage_folder("train", spec.train.key) / PUBLISHED
    return path if path.is_file() else None


def is_complete(spec: JobSpec, record: Record | None) -> bool:
    """Return whether nothing of a job is to be run again; one that was ended in measuring is."""
    measured = record and (spec.measure is None or "measure" in record.stages)
    return bool(measured and record and record.state == "done")


def not_measured(reason: str) -> str:
    """Return the note of a row some of whose costs are unknown."""
    return f"not all of its costs were measured: {reason}"


def _results_before_measuring(spec: JobSpec) -> dict[str, dict[str, Any]]:
    """Return the results of a job that ended while it was measured; empty for any other."""
    if spec.measure is None or spec.refused:
        return {}
    measuring = spec.stage_folder("measure", spec.measure.key)
    if not (measuring / INPUTS).exists() or find_result(measuring) is not None:
        return {}
    results = {}
    made = spec.checkpoint_sha256 or ""
    if spec.train is not None:
        trained = find_result(spec.stage_folder("train", spec.train.key))
        if trained is None:
            return {}
        results["train"], made = trained, trained["checkpoint"]["sha256"]
    evaluated = find_result(spec.stage_folder("evaluate", spec.evaluate(made).key))
    return {**results, "evaluate": evaluated} if evaluated else {}


def find_record(spec: JobSpec) -> Record | None:
    """Return the job's latest record; None if there is none, or only a damaged one."""
    path = spec.folder / RECORD
    return _readable(path, spec) if path.exists() else None


def mend_record(spec: JobSpec) -> Record | None:
    """Return the job's latest record if it is to be believed; what is damaged is set aside.

    A record is held against its attempt's file, of which it is a copy, and its scores against
    their hash. One is restored from the other where one of them cannot be read; where they are
    two different records, neither is believed and the job is to be judged again.
    """
    path = spec.folder / RECORD
    try:
        with lock(path):
            record = _mend_copies(spec)
    except PathError:  # nothing can be written there
        record = find_record(spec)
    scores = record.artefacts.get("scores") if record and not record.submission else None
    if scores is None:
        return record
    file = spec.folder / SCORES
    if file.is_file() and sha256_file(file) == scores.sha256:
        return record
    set_aside(file, f"not the scores with the sha256 {scores.sha256[:12]} that were written")
    return None


def whole_record(spec: JobSpec) -> Record | None:
    """Return the record of a job of which nothing is to be run again, as `mend_record` reads it.

    None for a job of which a part alone was asked: an earlier record does not answer that.
    """
    record = mend_record(spec) if spec.only is None else None
    return record if is_complete(spec, record) else None


def _mend_copies(spec: JobSpec) -> Record | None:
    """Set aside what is damaged of a job's record and its latest attempt, which are alike.

    A call that was killed between the two has left the attempt alone, which is copied.

    Returns:
        The record; None if none is left.
    """
    attempts = sorted(spec.folder.glob("attempt-*.json"), key=_attempt_number)
    latest = spec.folder / RECORD
    if attempts and not latest.exists() and _readable(attempts[-1], spec) is not None:
        write_bytes(latest, read_bytes(attempts[-1]))
    paths = [path for path in (latest, *attempts[-1:]) if path.exists()]
    is_copy = len(paths) == 2 and read_bytes(latest) == read_bytes(paths[1])
    if is_copy and (whole := _readable(latest, spec)) is not None:
        return whole
    read = {path: _readable(path, spec) for path in paths}
    damaged = [path for path, record in read.items() if record is None]
    found = [record for record in read.values() if record is not None]
    if len(found) == 2 and found[0].attempt == found[1].attempt and found[0] != found[1]:
        damaged = list(read)
    for path in damaged:
        set_aside(path, "not the job's record that was written")
    if len(read) == 2 and len(damaged) == 1:
        (good,) = read.keys() - damaged
        write_bytes(damaged[0], read_bytes(good))
    return find_record(spec)


def _readable(path: Path, spec: JobSpec) -> Record | None:
    """Read a record; None if it is damaged, or is another job's."""
    try:
        record = read_record(path)
    except DamagedFile:
        return None
    return record if _is_of(record, spec) else None


def _is_of(record: Record, spec: JobSpec) -> bool:
    """Return whether a record is of a job: its names and protocol, with its stages' keys."""
    planned = {"train": spec.train, "measure": spec.measure}
    if spec.train is None and not spec.members:
        planned["evaluate"] = spec.evaluate(spec.checkpoint_sha256 or "baseline")
    return _names(record) == _names(spec) and all(
        record.stages[name].key == stage.key
        for name, stage in planned.items()
        if stage is not None and name in record.stages
    )


def _names(of: Record | JobSpec) -> tuple[str | int | None, ...]:
    loss = of.loss.name if of.loss else None
    return of.protocol.suite, of.protocol.version, of.dataset.name, of.model.name, loss, of.seed


def bare_record(spec: JobSpec, state: State, reason: str) -> Record:
    """Return a record of a job that holds what is known before it runs."""
    return Record(
        state=state,
        reason=reason,
        protocol=spec.protocol,
        dataset=spec.dataset,
        model=spec.model,
        loss=spec.loss,
        recipe=spec.recipe.model_dump(mode="json") if spec.recipe else None,
        recipe_name=spec.recipe_name,
        track=spec.track,
        seed=spec.seed,
        code=spec.code,
        environment=spec.environment,
        environment_digest=environment_digest(spec.environment) if spec.environment else "",
        trained_on=spec.trained_on,
    )


def _selection(spec: JobSpec, training: dict[str, Any] | None) -> str:
    if training is None or spec.recipe is None:
        return ""
    step = f"step {training['selected_step']} of {training['steps']}"
    rule = spec.recipe.phases[-1].select
    by = training.get("selected_by")
    where = f"validation by {by}, without labels" if by else "validation"
    chosen = f"{where}, {step}" if rule == "best" else f"{rule} weights"
    first = training.get("before_fine_tuning")
    return f"{chosen}; fine-tuned from step {first['steps']} on" if first else chosen


def _attempt_number(path: Path) -> int:
    match = re.fullmatch(r"attempt-(\d+)\.json", path.name)
    return int(match[1]) if match else 0


def _link(source: Path, target: Path) -> None:
    with naming(target):
        target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without links
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
