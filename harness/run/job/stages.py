"""Run a job in its worker: all of its stages, the measuring alone, or a timing trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from harness.config.recipes import Recipe
from harness.errors import HarnessError, OutOfMemory, PathError, StorageError, file_error
from harness.feeding.front_end import raw_shape
from harness.measure.alone import AT_WORK
from harness.measure.gpu_room import GpuRoom, gib, limit_allocator, release_memory
from harness.measure.memory_use import available_memory
from harness.metrics.validation import MetricError
from harness.records.documents import digest, sha256_file
from harness.records.lease import share_lease
from harness.records.record import Record, State
from harness.run.events import Watch, ignore
from harness.run.job.audit_answer import AuditAnswer
from harness.run.job.benchmark_target import BenchmarkTarget, time_system
from harness.run.job.context import JobContext, StepOutOfMemory, memory_errors, tell_waiting
from harness.run.job.measure_stage import NotMeasured, measure_system, measuring_seconds
from harness.run.job.record_writing import (
    build_failure,
    build_record,
    not_measured,
    write_attempt,
    write_failure,
)
from harness.run.job.results import (
    FIRST_RESULT,
    ITEM_SECONDS,
    NOTES,
    SCORES,
    SILENCE,
    Measurement,
    Speed,
    measured,
    run_stage,
    turn,
)
from harness.run.job.spec import JobSpec
from harness.train.training_progress import FINAL

T = TypeVar("T")

WITHOUT_SCRATCH = 0.8
"""Share of a process's memory that is left to a step beside the scratch space of its convolutions.

That space is not predicted; on processors without AVX-512 it was 21 % of a step's peak.
"""


def answer_job(spec: JobSpec, watch: Watch) -> dict[str, Any]:
    """Do what a job asks for, and return its record, measurement or speed in plain types."""
    torch.set_num_threads(spec.threads)
    if spec.only == "measure":
        return measure_job(spec, watch).model_dump(mode="json")
    if spec.only == "time":
        return time_job(spec).model_dump(mode="json")
    if spec.only == "audit":
        return audit_job(spec, watch).model_dump(mode="json")
    if spec.only == "validate":
        return validate_job(spec, watch).model_dump(mode="json", by_alias=True)
    return run_job(spec, watch).model_dump(mode="json", by_alias=True)


def run_job(spec: JobSpec, watch: Watch = ignore) -> Record:
    """Run the missing stages of a job and write its record.

    A job that fails in a way that its row can tell (no finite loss, no memory, unusable
    scores) is recorded with that reason; any other error is left to the executor.
    """
    # Measuring does without their libraries; they are there before memory is counted. Of a
    # baseline nothing is trained or measured: it starts two seconds sooner without them.
    import harness.run.job.evaluate_stage

    if spec.measure is not None:
        import harness.run.job.train_stage  # noqa: F401

    try:
        with _job_turn(spec, watch), AT_WORK.begin():
            done = _within_budget(spec, lambda room: _run_stages(JobContext(spec, watch, room)))
            return done if isinstance(done, Record) else write_failure(spec, *done)
    except (PathError, StorageError) as error:  # the folder takes no lease, so no record either
        return build_failure(spec, "failed", str(error))


def validate_job(spec: JobSpec, watch: Watch = ignore) -> Record:
    """Train, unless that is done, and judge the result on validation alone.

    Returns:
        The figures of validation as a record that is not written, or that of a failure, which is.
    """
    import harness.run.job.train_stage  # noqa: F401
    from harness.run.job.evaluate_stage import log_trial
    from harness.run.job.validate_stage import validate_system, validation_record

    def validate(context: JobContext) -> Record:
        log_trial(spec)
        training = _trained(context)
        checkpoint = training["checkpoint"]["sha256"]
        weights = spec.stage_folder("train", training["stage"]["key"]) / FINAL
        stage = spec.evaluate(checkpoint, "validate")
        with memory_errors("in validation"):
            judged = run_stage(
                spec.stage_folder("validate", stage.key),
                stage,
                spec.code,
                lambda _: validate_system(context, weights),
                context.wait,
            )
        return validation_record(spec, {"train": training, "validate": judged})

    try:
        with _job_turn(spec, watch), AT_WORK.begin():
            done = _within_budget(spec, lambda room: validate(JobContext(spec, watch, room)))
            return done if isinstance(done, Record) else write_failure(spec, *done)
    except (PathError, StorageError) as error:
        return build_failure(spec, "failed", str(error))


def measure_job(spec: JobSpec, watch: Watch = ignore) -> Measurement:
    """Measure the costs of a job if they are not known yet; nothing is trained or kept else."""

    def measure(room: GpuRoom | None) -> Measurement:
        context = JobContext(spec, watch, room)
        # One item first of all, as somebody embeds who starts a program.
        context.begin(FIRST_RESULT, 1)
        with memory_errors("in embedding one item"):
            BenchmarkTarget(context).embed_first()
        context.advance(1)
        try:
            found = _measure(context)
        except NotMeasured as error:
            return Measurement(
                state="oom", reason=str(error), resources=error.found, notes=error.notes
            )
        resources, notes = measured(found)
        return Measurement(state="done", resources=resources, notes=notes)

    with AT_WORK.begin(), AT_WORK.alone(partial(tell_waiting, watch, why=SILENCE)):
        done = _within_budget(spec, measure)
    return done if isinstance(done, Measurement) else Measurement(state=done[0], reason=done[1])


def time_job(spec: JobSpec) -> Speed:
    """Time a few steps and embeddings of a job's system; nothing is kept."""
    shapes = spec.shapes
    if shapes is None:
        raise TypeError("a timing trial needs the dataset's shapes")
    speed = _within_budget(spec, lambda _: time_system(JobContext(spec), shapes))
    if not isinstance(speed, Speed):
        return Speed(why=": ".join(speed))
    seconds = shapes.item_seconds
    single = speed.item * ITEM_SECONDS / seconds if seconds else speed.item
    threads = 1 if spec.device == "cuda" else spec.threads  # a GPU's latency rests on none of them
    measuring = measuring_seconds(single, speed.steps, threads, audio=seconds > 0)
    return speed.model_copy(update={"measuring": measuring})


def audit_job(spec: JobSpec, watch: Watch = ignore) -> AuditAnswer:
    """Run parts of a job's training again, as its task says; nothing of the job changes."""
    from harness.run.job.audit_stage import audit_training

    recipe, task, stage = spec.recipe, spec.audit, spec.train
    if recipe is None or task is None or stage is None:
        raise TypeError("an audit needs a training and the parts of it")
    trained = spec.stage_folder("train", stage.key)

    def audit(room: GpuRoom | None) -> AuditAnswer:
        with memory_errors(f"in the audit{spec.at_batch}", StepOutOfMemory):
            context = JobContext(spec, watch, room)
            return AuditAnswer(parts=audit_training(context, recipe, task, trained))

    done = _within_budget(spec, audit)
    return done if isinstance(done, AuditAnswer) else AuditAnswer(why=": ".join(done))


@contextmanager
def _job_turn(spec: JobSpec, watch: Watch) -> Iterator[None]:
    """Hold the lease of a job's folder; wait for it only if nobody took it for this process."""
    if not spec.lease:
        with turn(spec.folder, partial(tell_waiting, watch)):
            yield
        return
    lease = share_lease(spec.folder, spec.lease)
    try:
        yield
    finally:
        lease.release()


def _run_stages(context: JobContext) -> Record:
    """Run the stages that are missing, and write the record."""
    from harness.run.job.evaluate_stage import evaluate_system

    spec = context.spec
    results: dict[str, dict[str, Any]] = {}
    checkpoint = spec.checkpoint
    if spec.members:
        trained = [_trained(context.of(each)) for each in spec.members]
        made = digest([each["checkpoint"]["sha256"] for each in trained])
    elif spec.train is not None:
        results["train"] = _trained(context)
        checkpoint = spec.stage_folder("train", spec.train.key) / FINAL
        made = results["train"]["checkpoint"]["sha256"]
    else:
        made = sha256_file(checkpoint) if checkpoint else "baseline"
    stage = spec.evaluate(made)
    folder = spec.stage_folder("evaluate", stage.key)
    with memory_errors("in evaluation"):
        results["evaluate"] = run_stage(
            folder,
            stage,
            spec.code,
            lambda place: evaluate_system(context, checkpoint, place),
            context.wait,
        )
    notes = [context.room.note] if context.room and context.room.note else []
    if spec.measure is not None:
        try:
            results["measure"] = _measure(context)
        except NotMeasured as error:
            # Training and evaluation stand: the row lacks the figures alone that were refused.
            costs = error.found.model_dump(mode="json")
            results["measure"] = {**costs, "stage": spec.measure.model_dump(), NOTES: error.notes}
            notes.append(not_measured(str(error)))
    record = build_record(spec, results, notes)
    if context.room:
        found = record.resources.model_copy(update={"gpu_free": context.room.free})
        record = record.model_copy(update={"resources": found})
    return write_attempt(spec, record, folder / SCORES)


def _trained(context: JobContext) -> dict[str, Any]:
    """Return the result of a job's training, which is run if it has none."""
    spec, recipe = context.spec, context.spec.recipe
    if spec.train is None or recipe is None:
        raise TypeError("nothing is trained of a job without a recipe")
    with memory_errors(f"in training{spec.at_batch}", StepOutOfMemory):
        return run_stage(
            spec.stage_folder("train", spec.train.key),
            spec.train,
            spec.code,
            lambda place: _train(context, recipe, place),
            context.wait,
        )


def _train(context: JobContext, recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Train, the teacher first, unless the GPU is known to be too full for it.

    Raises:
        OutOfMemory: a step is predicted to fit the budget, and others hold what it needs.
    """
    from harness.run.job.train_stage import train_system

    if context.spec.teacher is not None:
        _trained(context.of(context.spec.teacher))
    room, told = context.room, context.spec.prediction
    if room and told and room.free < told.reserved <= room.limit:
        raise OutOfMemory(
            f"{gib(room.free)} of the GPU are free, and a training step is predicted to take "
            f"{gib(told.reserved)}: end the other programs that nvidia-smi lists, then run it again"
        )
    return train_system(context, recipe, folder)


def _measure(context: JobContext) -> dict[str, Any]:
    spec, stage = context.spec, context.spec.measure
    if stage is None:
        raise TypeError("nothing is measured of a job without a network")

    def measure(_: Path) -> dict[str, Any]:
        with AT_WORK.alone(context.wait_for_silence):
            return measure_system(context)

    folder = spec.stage_folder("measure", stage.key)
    return run_stage(folder, stage, spec.code, measure, context.wait)


def _within_budget(spec: JobSpec, act: Callable[[GpuRoom | None], T]) -> T | tuple[State, str]:
    """Do something under the memory limit; return its result, or the failure's state and reason.

    Args:
        spec: the job.
        act: is given the room on the job's GPU; None on a processor.
    """
    room, there = None, available_memory()
    try:
        if spec.device == "cuda":
            # The first that asks anything of a card, whose context alone may find no room.
            with memory_errors("in taking the GPU, which other programs fill"):
                room = limit_allocator(spec.memory_limit)
            there = room.usable
        return act(room)
    except OutOfMemory as error:
        reason, in_step = str(error), isinstance(error, StepOutOfMemory)
    except (HarnessError, MetricError) as error:
        return "failed", str(error)
    except OSError as error:
        told = file_error(error)
        if not isinstance(told, StorageError):
            raise  # of an adapter, whose traceback its author wants to read
        return "failed", str(told)
    # Only now is what the step had made gone: the error held it.
    release_memory()
    hints = (_fitting_batch(spec, there) if in_step else "", room.note if room else "")
    return "oom", "; ".join(filter(None, (reason, *hints)))


def _fitting_batch(spec: JobSpec, free: int) -> str:
    """Return a hint about the batch that would have fitted; empty if it cannot be predicted.

    Args:
        spec: a job that ran out of memory in a training step.
        free: bytes that it might take when it began.
    """
    from harness.budget.fit_to_budget import largest_training, without_workspaces
    from harness.budget.prediction import Workload
    from harness.budget.tracing import NotPredictable

    recipe = spec.recipe
    if recipe is None:
        return ""
    context = JobContext(spec)
    dataset, model = context.dataset, context.model
    seconds = recipe.crop_seconds or float(dataset.listing.items["seconds"].max())
    item = raw_shape(model.inputs(), seconds)
    on_gpu = spec.device == "cuda"
    work = Workload(model, context.loss, len(dataset.classes), item, recipe, on_gpu=on_gpu)
    try:
        room = without_workspaces(free) if on_gpu else int(free * WITHOUT_SCRATCH)
        fits = largest_training(work, room)
    except NotPredictable:
        return ""
    if fits is None:
        return ""
    asked, there = recipe.micro_batch or recipe.batch, gib(free)
    if fits >= asked:
        return f"{asked} at once were predicted to fit in the {there} there were"
    if fits == 0:
        return f"not even 2 at once are predicted to fit in the {there} there were"
    return (
        f"{fits} at once are predicted to fit in the {there} there were: give the recipe "
        f"micro_batch = {fits}"
    )
