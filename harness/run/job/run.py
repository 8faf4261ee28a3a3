"""What a job is asked for: its record, or what it costs."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from harness.errors import HarnessError, PathError, StorageError, file_error
from harness.metrics.validation import MetricError
from harness.records.files import lock
from harness.records.record import Record, Resources, State
from harness.run.job.fits import hold_to_budget, what_fits
from harness.run.job.join import RUNNING, failed, keep_failed, without_stage
from harness.run.job.measured import Measured
from harness.run.job.measurement import FIRST_RESULT, Measurement, Speed
from harness.run.job.measuring import measured_stage
from harness.run.job.memory import OutOfMemory, telling_memory
from harness.run.job.parts import Parts
from harness.run.job.report import Reporter
from harness.run.job.spec import JobSpec
from harness.run.job.trial import time_system

T = TypeVar("T")


def run_asked(spec: JobSpec, reporter: Reporter) -> dict[str, Any]:
    """Do what a job asks for; gives its record, or what it measured, in plain types."""
    if spec.only == "measure":
        return measure_job(spec, reporter).model_dump(mode="json")
    if spec.only == "trial":
        return try_job(spec).model_dump(mode="json")
    return run_job(spec, reporter).model_dump(mode="json", by_alias=True)


def run_job(spec: JobSpec, reporter: Reporter) -> Record:
    """Run what is missing of a job and keep its record.

    A job that fails in a way that its row can tell (no finite loss, no memory, unusable
    scores) is kept with that reason; any other error is left to the executor.
    """
    # Measuring does without its libraries; they are there before memory is counted.
    from harness.run.job.whole import run_whole

    torch.set_num_threads(spec.threads)
    try:
        with lock(spec.folder / RUNNING):
            done = _told(spec, lambda: run_whole(spec, reporter))
            return done if isinstance(done, Record) else keep_failed(spec, *done)
    except (PathError, StorageError) as error:  # the folder takes no lock, so no record either
        return failed(spec, "failed", str(error))


def measure_job(spec: JobSpec, reporter: Reporter) -> Measurement:
    """Measure what a job costs, where that is not known yet; nothing is trained or kept else."""
    torch.set_num_threads(spec.threads)
    done = _told(spec, lambda: _measured_from_start(spec, reporter))
    if isinstance(done, dict):
        return Measurement(state="done", resources=Resources(**without_stage(done)))
    state, reason = done
    return Measurement(state=state, reason=reason)


def try_job(spec: JobSpec) -> Speed:
    """Time a few steps and embeddings of a job's system; nothing is kept."""
    torch.set_num_threads(spec.threads)
    done = _told(spec, lambda: time_system(spec))
    return done if isinstance(done, Speed) else Speed(why=": ".join(done))


def _told(spec: JobSpec, act: Callable[[], T]) -> T | tuple[State, str]:
    """Do something within the budget; gives a state and its reason where it cannot be done."""
    left = hold_to_budget(spec)
    try:
        return act()
    except OutOfMemory as error:
        reason = str(error)
    except (HarnessError, MetricError) as error:
        return "failed", str(error)
    except OSError as error:
        told = file_error(error)
        if not isinstance(told, StorageError):
            raise  # of an adapter, whose traceback its author wants to read
        return "failed", str(told)
    # Only now is what the step had made gone: the error held it.
    gc.collect()
    return "oom", "; ".join(filter(None, (reason, what_fits(spec, left))))


def _measured_from_start(spec: JobSpec, reporter: Reporter) -> dict[str, Any]:
    """Embed one item first of all, as somebody does who starts a program; then measure."""
    parts = Parts(spec)
    reporter.stage(FIRST_RESULT, 1)
    with telling_memory("in embedding one item"):
        Measured(parts).embed_first()
    reporter.advance(1)
    return measured_stage(spec, parts, reporter)
