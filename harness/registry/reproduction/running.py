"""A record's job run anew in a folder of its own, and its result held against the record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.datasets.dataset import open_dataset
from harness.datasets.listed import list_dataset
from harness.errors import JobFailed, LockError, RequestError
from harness.measure.device import choose_device, default_threads
from harness.records.attestation import Attestation, write_attestation
from harness.records.canonical import sha256_file
from harness.records.code import DIRTY
from harness.records.files import keep_from_git
from harness.records.record import Record
from harness.records.store import read_record
from harness.registry.guarding.consistency import contradictions
from harness.registry.reproduction.planning import check_reproducible, planned_again, request_for
from harness.registry.reproduction.tolerance import Range, allowed, others_of
from harness.registry.verify import verify
from harness.run.events import Watch, message_sender, reading_counter
from harness.run.execute.executor import make_executor, run_jobs
from harness.run.job.record_writing import RECORD
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.request import DatasetState, RunRequest, listing_state


@dataclass(frozen=True)
class Reproduction:
    """What came of making a record again.

    Attributes:
        record: its file.
        metric: the primary one.
        recorded: what the record says of it.
        reproduced: what came out now.
        within: what counts as made again.
        made: the new record's file.
        attestation: the file that says so beside the record; None where it is out of the range.
    """

    record: Path
    metric: str
    recorded: float
    reproduced: float
    within: Range
    made: Path
    attestation: Path | None


def reproduce(
    loaded: LoadedBenchmark,
    path: Path,
    runs: Path,
    *,
    settings: dict[str, Any],
    by: str = "",
    watch: Watch,
) -> Reproduction:
    """Make a record again, and attest it where it comes out alike.

    Args:
        loaded: the benchmark that the record was made with.
        path: a published record, or one of a run.
        runs: a folder that holds nothing made before: what is cached is not made again.
        settings: recipe keys that the record's run changed, as `--set` gave them.
        by: who makes it again.
        watch: receives the progress of its data and of the job.

    Raises:
        RequestError: the folder is not fresh; the record cannot be made again, contradicts itself
            or its scores; this benchmark plans another job.
        JobFailed: the job ended without a result.
    """
    record, content = read_record(path), sha256_file(path)
    check_reproducible(record, path)
    _check_fresh(runs, path)
    _check_honest(loaded, record, path)
    job = _planned(loaded, record, runs, settings, watch)
    WORKERS.close()
    within = allowed(record, others_of(path, record))
    ((_, made),) = run_jobs([job], make_executor("local", job.device, 1), watch)
    if made.state != "done":
        raise JobFailed(f"{job.title}: {made.state}: {made.reason}")
    metric = record.protocol.primary
    recorded, value = record.metrics[metric].value, made.metrics[metric].value
    if value == recorded:
        within = Range(value, value, "equal", "the same to the last bit")
    attested = None
    if within.holds(value):
        attested = write_attestation(path, _attestation(record, content, made, within, by))
    return Reproduction(path, metric, recorded, value, within, job.folder / RECORD, attested)


def _check_fresh(runs: Path, path: Path) -> None:
    """Refuse a folder in which results are: what is found made is not made again."""
    if (runs / "stages").exists() or any(runs.glob(f"*/*/*/*/{RECORD}")):
        raise RequestError(
            f"{runs}: holds results already, and what is cached is not made again; give a new "
            "folder with --runs"
        )
    if path.resolve().is_relative_to(runs.resolve()):
        raise RequestError(f"{runs}: holds the record itself; give a new folder with --runs")


def _check_honest(loaded: LoadedBenchmark, record: Record, path: Path) -> None:
    """Refuse a record that does not say what its own keys and scores say."""
    wrong = contradictions(record)
    if not wrong:
        verdict = verify(loaded, path, path.parent)
        wrong = list(verdict.reasons) if verdict.answer == "differs" else []
    if wrong:
        raise RequestError(f"{path}: not as it was made: {'; '.join(wrong[:3])}; restore it")


def _planned(
    loaded: LoadedBenchmark,
    record: Record,
    runs: Path,
    settings: dict[str, Any],
    watch: Watch,
) -> JobSpec:
    trained = record.stages.get("train")
    device = choose_device(trained.inputs["device"] if trained else "cpu")
    request = RunRequest(
        suite=record.protocol.suite,
        profile="quick" if record.protocol.profile == "quick" else "full",
        datasets=(record.dataset.name,),
        runs=runs,
        device=device,
        threads=default_threads(1),
        settings=settings,
    )
    request = request_for(loaded, record, request)
    try:
        listing = list_dataset(loaded, record.dataset.name, request.profile)
    except LockError as error:
        raise RequestError(f"{error}\nIt was made by {record.code[:12]}") from error
    keep_from_git(runs)
    # Before anything is decoded, as far as lists tell; then with all that the data tell.
    job = planned_again(loaded, request, record, listing_state(loaded, listing))
    if job.code.endswith(DIRTY):
        raise RequestError(
            f"{job.code}: code that is in no commit attests nothing; commit or stash your changes"
        )
    opened = open_dataset(
        loaded,
        listing,
        request.cache,
        advance=reading_counter(listing, watch),
        tell=message_sender(watch),
    )
    source = DatasetState(listing, opened.lock, opened.left_out, opened.pinned)
    return planned_again(loaded, request, record, source)


def _attestation(record: Record, content: str, made: Record, within: Range, by: str) -> Attestation:
    metric = record.protocol.primary
    theirs, ours = (each.artefacts.get("checkpoint") for each in (record, made))
    return Attestation(
        record=content,
        metric=metric,
        recorded=record.metrics[metric].value,
        reproduced=made.metrics[metric].value,
        low=within.low,
        high=within.high,
        rule=within.rule,
        told=within.told,
        same_checkpoint=theirs.sha256 == ours.sha256 if theirs and ours else None,
        by=by,
        code=made.code,
        environment=made.environment,
        same_environment=made.environment_digest == record.environment_digest != "",
        finished=made.finished,
    )
