"""A whole call: datasets made ready, jobs planned, what is missing run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Protocol

from harness.config.loader import LoadedBenchmark
from harness.datasets.corpus_folders import Absence, find
from harness.datasets.dataset import open_dataset
from harness.datasets.lengths import Need, inputs_asked_by, needs_of
from harness.datasets.listing import Listing, list_dataset
from harness.datasets.packing.pack_request import Advance
from harness.errors import ConfigError, CorpusAbsent
from harness.records.files import keep_from_git
from harness.records.record import Record
from harness.run.execute.local import Listener, measure_all, run_all
from harness.run.execute.process import Watcher
from harness.run.job.join import find_record, keep
from harness.run.job.measurement import Measurement
from harness.run.job.spec import JobSpec
from harness.run.plan.adapters import WORKERS
from harness.run.plan.checkpoints import check_fits, remarks
from harness.run.plan.choice import chosen_suite, entries, suite_datasets
from harness.run.plan.duration import Duration, durations
from harness.run.plan.inputs import declared_input
from harness.run.plan.jobs import Tell, plan_checkpoint, plan_jobs, unheard
from harness.run.plan.measuring import plan_measuring
from harness.run.plan.protocol import pin_protocols
from harness.run.plan.request import CheckpointEntry, RunRequest, Source, source_of
from harness.run.plan.speeds import packings
from harness.run.plan.status import Status, is_done, job_status
from harness.run.plan.trained_on import held_apart, told_notes

Planner = Callable[[dict[str, Source]], list[JobSpec]]


class DataListener(Protocol):
    """Who watches corpora being made ready."""

    def packing(self, listing: Listing) -> Advance:
        """A dataset is about to be decoded; tells where to report decoded items."""

    def tell(self, message: str) -> None:
        """What a person who waits wants to know."""


@dataclass(frozen=True)
class Outcome:
    """What a call gives.

    Attributes:
        jobs: every job of the call.
        records: their records, in the same order.
        ran: how many of them were run just now.
        absent: datasets of the suite that are not on this machine.
    """

    jobs: list[JobSpec]
    records: list[Record]
    ran: int
    absent: list[Absence]

    @property
    def all_done(self) -> bool:
        """True where every job has a result."""
        return all(record.state == "done" for record in self.records)


def listings(
    loaded: LoadedBenchmark, request: RunRequest, judged: Sequence[str] | None = None
) -> tuple[list[Listing], list[Absence]]:
    """The datasets of a call, those that are here and those that are not.

    Args:
        loaded: the benchmark.
        request: the call.
        judged: the models that embed its items; None for those that it asks the suite for.

    Raises:
        CorpusAbsent: one that was asked for by name is absent, or all are.
    """
    names = suite_datasets(loaded, request)
    found = {name: find(loaded, name) for name in names}
    gone = {name: each for name, each in found.items() if isinstance(each, Absence)}
    absent = list(dict.fromkeys(gone.values()))
    if absent and (request.datasets or len(gone) == len(names)):
        raise CorpusAbsent("\n".join(absence.message() for absence in absent))
    here = [
        list_dataset(loaded, name, request.profile, _needs(loaded, request, name, judged))
        for name in names
        if name not in gone
    ]
    return here, absent


def _needs(
    loaded: LoadedBenchmark, request: RunRequest, dataset: str, judged: Sequence[str] | None
) -> tuple[Need, ...]:
    """What the models of a call, and the baseline beside them, need of a dataset's sounds."""
    suite, fold = chosen_suite(loaded, request), loaded.fold(dataset)
    if judged is None:
        chosen = entries(suite, request, fold.of if fold else dataset)
        judged = [each.model for each in chosen]
    with inputs_asked_by(declared_input):
        return needs_of(loaded, suite, judged)


def planned(
    loaded: LoadedBenchmark, request: RunRequest, tell: Tell = unheard
) -> tuple[list[JobSpec], list[Absence]]:
    """The jobs of a call, nothing decoded, pinned or run."""
    here, absent = listings(loaded, request)
    sources = {listing.name: source_of(loaded, listing) for listing in here}
    return plan_jobs(loaded, request, sources, tell), absent


@dataclass(frozen=True)
class Forecast:
    """The jobs of a call, and about how long they take here.

    Attributes:
        jobs: every job of the call.
        statuses: how far the stages of each are, in the same order.
        durations: about how long each takes, in the same order.
        packing: dataset -> seconds of reading it, where it is not packed yet and is needed.
        absent: datasets of the suite that are not on this machine.
    """

    jobs: list[JobSpec]
    statuses: list[dict[str, Status]]
    durations: list[Duration]
    packing: dict[str, float]
    absent: list[Absence]

    def seconds(self, workers: int) -> float:
        """About how long all of it takes, as far as that is known."""
        return sum(each.left or 0.0 for each in self.durations) / workers + sum(
            self.packing.values()
        )


def forecast(loaded: LoadedBenchmark, request: RunRequest, tell: Tell = unheard) -> Forecast:
    """The jobs of a call with the time they take; trials are made, nothing is pinned or run."""
    here, absent = listings(loaded, request)
    sources = {listing.name: source_of(loaded, listing) for listing in here}
    jobs = plan_jobs(loaded, request, sources, tell)
    statuses = [job_status(job) for job in jobs]
    found = durations(loaded, jobs, statuses, {each.name: each for each in here}, tell)
    used = {job.dataset.name for job, told in zip(jobs, found, strict=True) if told.left != 0}
    packing = packings([each for each in here if each.name in used], request.cache, tell)
    return Forecast(jobs, statuses, found, packing, absent)


def run_campaign(
    loaded: LoadedBenchmark,
    request: RunRequest,
    *,
    workers: int,
    data_listener: DataListener,
    listener: Listener,
) -> Outcome:
    """Run what is missing of a call.

    Raises:
        DataError: files cannot be used; nothing was trained.
        LockError: data or protocol are not the locked ones.
    """
    plan = partial(plan_jobs, loaded, request, tell=data_listener.tell)
    watch = _Watch(data_listener, listener)
    return _carried_out(loaded, request, plan, workers=workers, watch=watch)


def measure_models(
    loaded: LoadedBenchmark,
    request: RunRequest,
    *,
    data_listener: DataListener,
    watcher: Watcher,
) -> Iterator[tuple[JobSpec, Measurement]]:
    """Measure what models cost, on the shapes of the first dataset of a request that is here.

    Raises:
        CorpusAbsent: none is here.
        ConfigError: something asked for does not exist, or cannot be built.
    """
    here, _ = listings(loaded, request, judged=())
    tell = data_listener.tell
    plan_measuring(loaded, request, source_of(loaded, here[0]), tell)
    keep_from_git(request.runs)
    source = _opened(loaded, here[0], request, data_listener)
    jobs = plan_measuring(loaded, request, source, tell)
    WORKERS.close()  # nothing is measured beside a process that holds torch
    yield from zip(jobs, measure_all(jobs, watcher), strict=True)


def evaluate_checkpoint(
    loaded: LoadedBenchmark,
    request: RunRequest,
    entry: CheckpointEntry,
    *,
    data_listener: DataListener,
    listener: Listener,
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

    check_fits(loaded, entry)
    apart: dict[str, tuple[str, ...]] = {}

    def plan(sources: dict[str, Source]) -> list[JobSpec]:
        for name, source in sources.items():
            apart[name] = held_apart(loaded, entry.trained_on or (), source.listing)
        planned_here = (plan_checkpoint(loaded, request, each, entry) for each in sources.values())
        return list(chain.from_iterable(planned_here))

    watch = _Watch(data_listener, listener)
    outcome = _carried_out(loaded, request, plan, workers=1, watch=watch, judged=[entry.model])
    pairs = zip(outcome.jobs, outcome.records, strict=True)
    told = [_told(job, each, entry, apart[job.dataset.name]) for job, each in pairs]
    return replace(outcome, records=told)


def _told(job: JobSpec, record: Record, entry: CheckpointEntry, apart: tuple[str, ...]) -> Record:
    """The record with what is known of its weights: no key rests on it, so nothing is rerun."""
    if job.checkpoint is None or record.state != "done":
        return record
    trained_on = record.trained_on if entry.trained_on is None else entry.trained_on
    notes = told_notes(record.notes, entry.trained_on, apart, job.dataset.unit)
    notes += tuple(note for note in remarks(entry.path) if note not in notes)
    told = record.model_copy(update={"trained_on": trained_on, "notes": notes})
    return record if told == record else keep(job, told, None)


@dataclass(frozen=True)
class _Watch:
    data: DataListener
    jobs: Listener


def _carried_out(
    loaded: LoadedBenchmark,
    request: RunRequest,
    plan: Planner,
    *,
    workers: int,
    watch: _Watch,
    judged: Sequence[str] | None = None,
) -> Outcome:
    here, absent = listings(loaded, request, judged)
    # Once with what the lists tell: a wrong request is refused before anything is decoded.
    plan({listing.name: source_of(loaded, listing) for listing in here})
    keep_from_git(request.runs)
    jobs = plan({each.name: _opened(loaded, each, request, watch.data) for each in here})
    WORKERS.close()
    pin_protocols(loaded, jobs)
    ran = _run_missing(jobs, workers, watch.jobs)
    return Outcome(jobs, [ran.get(job.digest) or _record(job) for job in jobs], len(ran), absent)


def _opened(
    loaded: LoadedBenchmark, listing: Listing, request: RunRequest, data_listener: DataListener
) -> Source:
    opened = open_dataset(
        loaded,
        listing,
        request.cache,
        leave_out_damaged=request.leave_out_damaged,
        advance=data_listener.packing(listing),
        tell=data_listener.tell,
    )
    return Source(listing, opened.lock, opened.left_out, opened.pinned)


def _run_missing(jobs: list[JobSpec], workers: int, listener: Listener) -> dict[str, Record]:
    """Records of the jobs that were run, by the digests of these; a full disk may hold none."""
    missing = [job for job in jobs if not is_done(job)]
    listener.expects(len(missing))
    return {job.digest: record for job, record in run_all(missing, workers, listener)}


def _record(job: JobSpec) -> Record:
    record = find_record(job)
    if record is None:
        raise TypeError(f"{job.title} ended without a record")
    return record
