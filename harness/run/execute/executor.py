"""Executors: where jobs run. One of somebody else is named by its import path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from queue import SimpleQueue
from time import perf_counter
from typing import Any, Protocol, cast

from harness.config.imports import construct, load_class
from harness.config.schema import Budget
from harness.config.tables import ExecutorTable
from harness.errors import (
    ConfigError,
    PathError,
    RequestError,
    StorageError,
    file_error,
    nearest,
    raised,
)
from harness.measure.device import Device
from harness.measure.gpu_room import card_bytes, gib
from harness.measure.memory_use import available_memory
from harness.records.files import write_text
from harness.records.lease import Lease, LeaseLost
from harness.records.record import Record, State
from harness.records.redaction import without_secrets
from harness.run.events import ProgressEvent, Watch
from harness.run.execute.job_queue import JobQueue
from harness.run.job.audit_answer import AuditAnswer
from harness.run.job.record_writing import whole_record, write_failure
from harness.run.job.results import (
    FIRST_RESULT,
    SILENCE,
    Measurement,
    find_result,
    measured,
)
from harness.run.job.spec import JobSpec
from harness.run.job_states import NoteWriter

EXECUTORS = {
    "local": "harness.run.execute.subprocesses:LocalExecutor",
    "slurm": "harness.run.execute.slurm:SlurmExecutor",
    "ray": "harness.run.execute.ray_cluster:RayExecutor",
    "docker": "harness.run.execute.containers:DockerExecutor",
}
"""Name of an executor on the command line -> its class, made with a device and a worker count."""

LOCAL = ExecutorTable.model_validate({"class": EXECUTORS["local"]})
"""Subprocesses of this machine."""


@dataclass(frozen=True)
class Answer:
    """The answer to a job.

    Attributes:
        result: the job's result in plain types; None if it ended without one.
        why: the reason why there is no result.
        errors: the end of what the job printed.
        state: of a job without a result.
    """

    result: dict[str, Any] | None
    why: str
    errors: str
    state: State = "failed"


class StoppedError(Exception):
    """The caller stopped before the job had its answer."""


WORKER_MEMORY = 450 * 2**20
"""Bytes that a worker has to itself before its first step, as seen with torch 2.14 on Linux."""

LOST = raised(LeaseLost())
"""The beginning of the answer of a worker whose lease was taken over."""


class Executor(Protocol):
    """Runs jobs, one at a time in each of its slots; any thread may ask."""

    @property
    def slots(self) -> tuple[str, ...]:
        """The device of each slot, as torch names it: `cpu`, `cuda:0`, `cuda:1`."""

    def ask(self, job: JobSpec, slot: str, watch: Watch) -> Answer:
        """Run a job in a slot, and pass its stages and their progress on.

        Raises:
            StoppedError: `stop` was called meanwhile.
            OSError: the job cannot be started.
        """

    def stop(self) -> None:
        """End every job that is running and start no other."""


def choose_executor(name: str, tables: Mapping[str, ExecutorTable]) -> ExecutorTable:
    """Return the settings of an executor, with its import path.

    Args:
        name: a key of `EXECUTORS`, or of the tables.
        tables: `[executors]` of the benchmark file.

    Raises:
        RequestError: there is none of that name, or its table has no class.
    """
    table, where = tables.get(name, ExecutorTable()), f"executors.{name}.class"
    if name in EXECUTORS:
        if table.import_path:
            raise ConfigError(f"{where}: {name} is one of ours; give yours a name of its own")
        return table.model_copy(update={"import_path": EXECUTORS[name]})
    if name not in tables:
        known = nearest(name, {*EXECUTORS, *tables})
        raise RequestError(f"--executor {name}: there is no such executor; {known}")
    if not table.import_path:
        raise ConfigError(f"{where}: missing; give its import path, 'package.module:Class'")
    return table


def is_local(table: ExecutorTable) -> bool:
    """Return whether an executor's jobs share this process's machine and memory.

    >>> is_local(choose_executor("local", {})), is_local(choose_executor("slurm", {}))
    (True, False)
    """
    return table.import_path == LOCAL.import_path


def make_executor(table: ExecutorTable, device: Device, workers: int) -> Executor:
    """Make an executor.

    Args:
        table: its settings, as `choose_executor` returns them.
        device: the device that jobs were planned for.
        workers: jobs at a time.

    Raises:
        ConfigError: its class cannot be imported, or has no such fields.
        RequestError: its engine cannot be used here.
    """
    path, given = table.import_path, {"device": device, "workers": workers}
    if not table.fields:
        return cast(Executor, load_class(path, "executors")(device, workers))
    if taken := given.keys() & table.fields.keys():
        raise ConfigError(f"executors: {min(taken)}: is given by the call; leave it out")
    return cast(Executor, construct(path, {**table.fields, **given}, "executors", key="class"))


def refuse_crowd(executor: Executor, budget: Budget) -> None:
    """Refuse more jobs at a time on a GPU than have the budget's card each.

    A whole card each, as every process has a context of its own beside its tensors.

    Raises:
        RequestError: there are more.
    """
    for slot, workers in Counter(executor.slots).items():
        if slot == "cpu" or workers == 1:
            continue
        card = card_bytes(slot)
        if workers * budget.card > card:
            raise RequestError(
                f"--workers: {workers} jobs at a time on {slot}, which has {gib(card)}, and each "
                f"may need {budget.gpu_memory} (budget.gpu_memory); give at most "
                f"{max(1, card // budget.card)} for each GPU"
            )


def refuse_full_memory(executor: Executor, jobs: Sequence[JobSpec]) -> None:
    """Refuse more jobs at a time on the processor than main memory holds.

    A job needs what one of its system was measured to take (`main_memory`), else what was predicted
    of it; the most that may meet are the largest. One at a time is never refused.

    Raises:
        RequestError: there are more.
    """
    slots = executor.slots.count("cpu")
    needs = sorted(map(main_memory, jobs), reverse=True)[:slots]
    free = available_memory()
    if len(needs) < 2 or sum(needs) <= free:
        return
    fits = sum(taken <= free for taken in accumulate(needs))
    raise RequestError(
        f"--workers: {len(needs)} jobs at a time need {gib(sum(needs))} of main memory (measured "
        f"or predicted), and {gib(free)} are free; give --workers {max(1, fits)}, or end other "
        "programs"
    )


def main_memory(job: JobSpec) -> int:
    """Return the bytes of main memory that a job on the processor takes, as far as is known."""
    found = find_result(job.stage_folder("measure", job.measure.key)) if job.measure else None
    costs, _ = measured(found or {})
    peaks = (costs.training_memory, costs.inference_memory)
    taken = [each.bytes for each in peaks if each and each.counted == "process"]
    return max(taken, default=WORKER_MEMORY + (job.prediction.peak if job.prediction else 0))


def run_jobs(
    jobs: list[JobSpec],
    executor: Executor,
    watch: Watch,
    known: Mapping[str, Record | None] | None = None,
) -> Iterator[tuple[JobSpec, Record]]:
    """Run jobs in all slots of an executor, and yield each with its record as it ends.

    One slot takes jobs in their order, several take the longest first. Other calls on the same
    folder may run at the same time: each job is run by one of them, and the others read its record
    (see `JobQueue`, also for `known`).

    A job without a result becomes a failed record that says why, and so does a job that planning
    refused, with nothing started; the others go on. If the disk takes no such record, it is
    yielded all the same. When the caller stops, the executor stops; a job that it was running is
    no failure and leaves no record.
    """
    free: SimpleQueue[str] = SimpleQueue()
    for slot in executor.slots:
        free.put(slot)

    if len(executor.slots) > 1:
        # The longest first, so that at the end no slot waits long for another.
        jobs = sorted(jobs, key=lambda job: job.training_macs, reverse=True)
    queue = JobQueue(jobs, known, watch)

    def run_next() -> tuple[JobSpec, Record]:
        slot = free.get()
        try:
            return _run_next(queue, executor, slot, watch)
        finally:
            free.put(slot)

    pool = ThreadPoolExecutor(len(executor.slots))
    try:
        for future in as_completed([pool.submit(run_next) for _ in jobs]):
            yield future.result()
    finally:
        queue.stop()
        executor.stop()
        pool.shutdown(cancel_futures=True)


def measure_jobs(jobs: list[JobSpec], executor: Executor, watch: Watch) -> Iterator[Measurement]:
    """Measure the costs of jobs, one after the other in one slot; nothing is trained."""
    try:
        for job in jobs:
            first = _FirstResult(watch)
            alone = job.model_copy(update={"only": "measure"})
            answer = _ask(alone, executor, executor.slots[0], first.receive)
            found = (
                Measurement(state=answer.state, reason=answer.why)
                if answer.result is None
                else Measurement.model_validate(answer.result)
            )
            yield found.model_copy(update={"first_result_seconds": first.seconds})
    finally:
        executor.stop()


def audit_job(job: JobSpec, executor: Executor, watch: Watch) -> AuditAnswer:
    """Run parts of a job's training again, as its task says."""
    try:
        answer = _ask(job, executor, executor.slots[0], watch)
    finally:
        executor.stop()
    if answer.result is None:
        return AuditAnswer(why=answer.why)
    return AuditAnswer.model_validate(answer.result)


class _FirstResult:
    """Takes the time until a process has its first embedding; passes all other events on."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._began, self._is_next = watch, perf_counter(), False
        self._waits_since: float | None = None
        self.seconds: float | None = None

    def receive(self, event: ProgressEvent) -> None:
        """Receive an event."""
        if event.kind == "stage":
            if self._waits_since is not None:  # while other jobs of the machine came to a stand
                self._began += perf_counter() - self._waits_since
            self._waits_since = perf_counter() if event.text == SILENCE else None
            self._is_next = event.text == FIRST_RESULT
        if not self._is_next:
            self._watch(event)
        elif event.kind == "advance":
            self.seconds = perf_counter() - self._began


def _run_next(
    queue: JobQueue, executor: Executor, slot: str, watch: Watch
) -> tuple[JobSpec, Record]:
    """Run the next job of a queue, or read the record that another call has made of it."""
    while found := queue.take():
        job, taken = found
        record = taken if isinstance(taken, Record) else None
        if not isinstance(taken, Record):
            try:
                record = _run_job(job, executor, slot, watch, taken)
            except LeaseLost:
                queue.put_back(job)
            finally:
                taken.release()
        if record is not None:
            watch(ProgressEvent("end", job=job, record=record))
            return job, record
    raise StoppedError


def _run_job(job: JobSpec, executor: Executor, slot: str, watch: Watch, lease: Lease) -> Record:
    """Run a job under its lease, and note how far it is.

    Raises:
        LeaseLost: this process, or its worker, stood still for so long that another call took over.
    """
    watch(ProgressEvent("start", job=job))
    note = NoteWriter(job)

    def hear(event: ProgressEvent) -> None:
        note.hear(event)
        watch(event)

    answer = _ask(job.model_copy(update={"lease": lease.token}), executor, slot, hear)
    if answer.result is not None:
        record = Record.model_validate(answer.result)
    elif answer.why.startswith(LOST):
        raise LeaseLost(answer.why)
    elif (made := whole_record(job)) is not None:
        record = made  # its process was killed behind its last line
    else:
        record = write_failure(job, answer.state, answer.why)
        with suppress(PathError, StorageError):  # the row says why as it is
            write_text(job.folder / "errors.log", without_secrets(answer.errors))
    if record.finished:  # else the disk took no record, and the job is still asked for
        note.end()
    return record


def _ask(job: JobSpec, executor: Executor, slot: str, watch: Watch) -> Answer:
    """Run a job; if it is refused or cannot be started, answer why."""
    if job.refused:
        return Answer(None, job.refused, "")
    try:
        return executor.ask(job, slot, watch)
    except OSError as error:
        told = file_error(error)
        if told is None:
            raise
        return Answer(None, f"its process could not be started: {told}", "")
