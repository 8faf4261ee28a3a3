"""A whole call: datasets are found and opened, jobs planned once, and the missing ones run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.loader import LoadedBenchmark
from harness.config.tables import ExecutorTable
from harness.datasets.corpus_folders import Absence, find
from harness.datasets.dataset import open_dataset
from harness.datasets.lengths import inputs_asked_by, needs_of
from harness.datasets.listing import Listing, list_dataset
from harness.errors import ConfigError, CorpusAbsent
from harness.records.damage import hear_damage
from harness.records.files import keep_from_git
from harness.records.lease import clear_lapsed
from harness.records.record import Record
from harness.run.events import ProgressEvent, Watch, message_sender, reading_counter
from harness.run.execute.executor import (
    LOCAL,
    is_local,
    make_executor,
    measure_jobs,
    refuse_crowd,
    refuse_full_memory,
    run_jobs,
)
from harness.run.job.record_writing import RECORD, is_complete, mend_record, write_attempt
from harness.run.job.results import Measurement
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS, model_input
from harness.run.plan.call_plan import CallPlan, Tell, ignore_message
from harness.run.plan.checkpoints import (
    check_weights,
    checkpoint_notes,
    disjoint_datasets,
    training_notes,
)
from harness.run.plan.durations import Duration, estimate_durations
from harness.run.plan.jobs import plan_checkpoint, plan_jobs, plan_measuring, plan_suite
from harness.run.plan.protocol import pin_protocols
from harness.run.plan.request import (
    CheckpointEntry,
    DatasetState,
    RunRequest,
    listing_states,
    requested_suite,
    suite_datasets,
    suite_entries,
)
from harness.run.plan.speeds import packing_times
from harness.run.plan.status import EarlierRuns, StageStatus, job_status


@dataclass(frozen=True)
class Outcome:
    """The outcome of a call.

    Attributes:
        jobs: every job of the call.
        records: their records, in the same order.
        ran: digests of those that were run just now.
        absent: datasets of the suite that are not on this machine.
        beside: records that its tables show before them.
    """

    jobs: list[JobSpec]
    records: list[Record]
    ran: frozenset[str]
    absent: list[Absence]
    beside: tuple[Record, ...] = ()

    @property
    def made(self) -> list[Record]:
        """Records of the jobs that were run just now."""
        pairs = zip(self.jobs, self.records, strict=True)
        return [record for job, record in pairs if job.digest in self.ran]

    @property
    def filed(self) -> dict[Path, Record]:
        """Records of the jobs by their files."""
        return {
            job.folder / RECORD: record for job, record in zip(self.jobs, self.records, strict=True)
        }

    @property
    def all_done(self) -> bool:
        """True if every job has a result."""
        return all(record.state == "done" for record in self.records)


@dataclass(frozen=True)
class CallEstimate:
    """The jobs of a call, and their estimated durations on this machine.

    Attributes:
        jobs: every job of the call.
        statuses: the stages of each, in the same order.
        durations: of each, in the same order.
        packing: dataset -> seconds of reading it, if it is not packed yet and is needed.
        absent: datasets of the suite that are not on this machine.
    """

    jobs: list[JobSpec]
    statuses: list[dict[str, StageStatus]]
    durations: list[Duration]
    packing: dict[str, float]
    absent: list[Absence]

    def seconds(self, workers: int) -> float:
        """Return the duration of all of it, as far as that is known."""
        return sum(each.left or 0.0 for each in self.durations) / workers + sum(
            self.packing.values()
        )


def find_datasets(
    loaded: LoadedBenchmark, request: RunRequest, judged: Sequence[str] | None = None
) -> tuple[list[Listing], list[Absence]]:
    """List the datasets of a call that are here, and those that are not.

    Args:
        loaded: the benchmark.
        request: the call.
        judged: the models that embed its items; None for those that it asks the suite for.

    Raises:
        CorpusAbsent: one that was asked for by name is absent, or all are.
    """
    suite, names = requested_suite(loaded, request), suite_datasets(loaded, request)
    found = {name: find(loaded, name) for name in names}
    gone = {name: each for name, each in found.items() if isinstance(each, Absence)}
    absent = list(dict.fromkeys(gone.values()))
    if absent and (request.datasets or len(gone) == len(names)):
        raise CorpusAbsent("\n".join(absence.message() for absence in absent))
    here = []
    for name in [name for name in names if name not in gone]:
        models, fold = judged, loaded.fold(name)
        if models is None:
            chosen = suite_entries(suite, request, fold.of if fold else name)
            models = [each.model for each in chosen]
        with inputs_asked_by(model_input):
            needs = needs_of(loaded, suite, models)
        here.append(list_dataset(loaded, name, request.profile, needs))
    return here, absent


def forecast(
    loaded: LoadedBenchmark, request: RunRequest, tell: Tell = ignore_message
) -> CallEstimate:
    """Estimate the durations of a call's jobs; trials are made, nothing is pinned or run."""
    WORKERS.minutes = request.limits.silence_minutes
    here, absent = find_datasets(loaded, request)
    jobs = plan_jobs(loaded, request, listing_states(loaded, here), tell)
    earlier = EarlierRuns()
    statuses = [job_status(job, earlier) for job in jobs]
    listings = {each.name: each for each in here}
    found = estimate_durations(loaded, jobs, statuses, listings, earlier, tell)
    used = {job.dataset.name for job, each in zip(jobs, found, strict=True) if each.left != 0}
    packing = packing_times([each for each in here if each.name in used], request.cache, tell)
    return CallEstimate(jobs, statuses, found, packing, absent)


def run_suite(
    loaded: LoadedBenchmark,
    request: RunRequest,
    *,
    workers: int,
    watch: Watch,
    executor: ExecutorTable = LOCAL,
) -> Outcome:
    """Run what is missing of a call.

    Args:
        loaded: the benchmark.
        request: the call.
        workers: jobs at a time.
        watch: receives the call's progress.
        executor: its name (see `harness.run.execute.executor.EXECUTORS`).

    Raises:
        DataError: files cannot be used; nothing was trained.
        LockError: data or protocol are not the locked ones.
        RequestError: so many workers do not share the GPUs or the main memory that are here.
    """
    refuse_crowd(make_executor(executor, request.device, workers), loaded.benchmark.budget)
    WORKERS.minutes = request.limits.silence_minutes
    here, absent = find_datasets(loaded, request)
    with hear_damage(message_sender(watch)):
        # By the lists alone: a wrong request is refused before anything is decoded.
        plan = plan_suite(loaded, request, listing_states(loaded, here), message_sender(watch))
        jobs = open_and_complete(loaded, request, plan, here, watch)
        records, ran = run_missing(jobs, executor, request, workers, watch)
    if request.keep_states:
        _tell_kept(jobs, records, message_sender(watch))
    return Outcome(jobs, records, ran, absent)


def _tell_kept(jobs: list[JobSpec], records: list[Record], tell: Tell) -> None:
    """Name the trainings that began before anybody asked for their states."""
    for job, record in zip(jobs, records, strict=True):
        if job.train and record.state == "done" and "states" not in record.artefacts:
            folder = job.stage_folder("train", job.train.key)
            tell(
                f"{job.title}: no states are kept, its training began without; a new --runs, or "
                f"{folder} deleted with {job.folder}, has it made anew"
            )


def measure_models(
    loaded: LoadedBenchmark,
    request: RunRequest,
    *,
    watch: Watch,
    executor: ExecutorTable = LOCAL,
) -> Iterator[tuple[JobSpec, Measurement]]:
    """Measure the costs of models on the shapes of the first dataset of a request that is here.

    Raises:
        CorpusAbsent: none is here.
        ConfigError: something asked for does not exist, or cannot be built.
    """
    WORKERS.minutes = request.limits.silence_minutes
    (first, *_), _ = find_datasets(loaded, request, judged=())
    plan = plan_measuring(loaded, request, listing_states(loaded, [first]), message_sender(watch))
    keep_from_git(request.runs)
    jobs = plan.jobs({first.name: open_state(loaded, first, request, watch)})
    WORKERS.close()  # nothing is measured beside a process that holds torch
    engine = make_executor(executor, request.device, workers=1)
    yield from zip(jobs, measure_jobs(jobs, engine, watch), strict=True)


def evaluate_checkpoint(
    loaded: LoadedBenchmark,
    request: RunRequest,
    entry: CheckpointEntry,
    *,
    watch: Watch,
    executor: ExecutorTable = LOCAL,
) -> Outcome:
    """Evaluate a checkpoint made elsewhere on the datasets of a request, and its baseline.

    Raises:
        ConfigError: a dataset is judged by folds, each by a network of its own.
        RequestError: its weights are not the model's, or were trained on what is tested.
    """
    for name in request.datasets:
        if len(parts := loaded.parts(name)) > 1:
            raise ConfigError(
                f"{name} is judged by folds, each by a network of its own; name the one whose "
                f"units the checkpoint was not trained on, as in --dataset {parts[0]}"
            )
    WORKERS.minutes = request.limits.silence_minutes
    check_weights(loaded, entry)
    here, absent = find_datasets(loaded, request, [entry.model])
    apart = {each.name: disjoint_datasets(loaded, entry.trained_on or (), each) for each in here}
    plan = plan_checkpoint(loaded, request, listing_states(loaded, here), entry)
    jobs = open_and_complete(loaded, request, plan, here, watch)
    records, ran = run_missing(jobs, executor, request, 1, watch)
    pairs = zip(jobs, records, strict=True)
    noted = [_add_notes(job, each, entry, apart[job.dataset.name]) for job, each in pairs]
    return Outcome(jobs, noted, ran, absent)


def _add_notes(
    job: JobSpec, record: Record, entry: CheckpointEntry, apart: tuple[str, ...]
) -> Record:
    """Add notes about its weights to a record: no key rests on them, so nothing is rerun."""
    if job.checkpoint is None or record.state != "done":
        return record
    trained_on = record.trained_on if entry.trained_on is None else entry.trained_on
    notes = training_notes(record.notes, entry.trained_on, apart, job.dataset.unit)
    notes += tuple(note for note in checkpoint_notes(entry.path) if note not in notes)
    noted = record.model_copy(update={"trained_on": trained_on, "notes": notes})
    return record if noted == record else write_attempt(job, noted, None)


def open_and_complete(
    loaded: LoadedBenchmark,
    request: RunRequest,
    plan: CallPlan,
    here: Sequence[Listing],
    watch: Watch,
) -> list[JobSpec]:
    """Open the datasets of a plan, and complete its jobs by them."""
    keep_from_git(request.runs)
    jobs = plan.jobs({each.name: open_state(loaded, each, request, watch) for each in here})
    WORKERS.close()
    pin_protocols(loaded, jobs)
    return jobs


def open_state(
    loaded: LoadedBenchmark, listing: Listing, request: RunRequest, watch: Watch
) -> DatasetState:
    """Open a dataset: packed once, checked against the lock."""
    opened = open_dataset(
        loaded,
        listing,
        request.cache,
        leave_out_damaged=request.leave_out_damaged,
        advance=reading_counter(listing, watch),
        tell=message_sender(watch),
    )
    return DatasetState(listing, opened.lock, opened.left_out, opened.pinned)


def run_missing(
    jobs: list[JobSpec],
    executor: ExecutorTable,
    request: RunRequest,
    workers: int,
    watch: Watch,
) -> tuple[list[Record], frozenset[str]]:
    """Run the jobs without a result; return the records of all, and whose were made here.

    Others were run meanwhile by another call on the same folder. Records come from the executor if
    the jobs were run now, since a full disk may hold none.
    """
    found = {job.digest: mend_record(job) for job in jobs}
    missing = []
    for job in jobs:
        if is_complete(job, found[job.digest]):
            clear_lapsed(job.folder)
        else:
            missing.append(job)
    watch(ProgressEvent("jobs", total=len(missing)))
    ran: set[str] = set()

    def hear(event: ProgressEvent) -> None:
        if event.kind == "start" and event.job:
            ran.add(event.job.digest)
        watch(event)

    if missing:
        engine = make_executor(executor, request.device, workers)
        if is_local(executor):
            refuse_full_memory(engine, missing)
        made = run_jobs(missing, engine, hear, found)
        found = {**found, **{job.digest: record for job, record in made}}
    records = [found[job.digest] for job in jobs]
    return [record for record in records if record is not None], frozenset(ran)
