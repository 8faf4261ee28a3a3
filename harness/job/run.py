"""One job from its spec to its record, stage by stage; what is there already is not redone.

Stages are imported when a job wants them: training's libraries take seconds, and a job that is only
measured does without.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from harness.errors import HarnessError
from harness.job.evaluation_files import SCORES
from harness.job.fits import hold_to_budget, what_fits
from harness.job.join import RUNNING, failed, joined, keep, without_stage
from harness.job.measured import Measured
from harness.job.measurement import FIRST_RESULT, Measurement
from harness.job.measuring import run_measuring
from harness.job.memory import OutOfMemory, telling_memory
from harness.job.parts import Parts
from harness.job.report import Reporter
from harness.job.spec import JobSpec
from harness.job.stage import cached_stage
from harness.metrics.errors import MetricError
from harness.records.canonical import sha256_file
from harness.records.files import lock
from harness.records.record import Record, Resources, State
from harness.train.log import FINAL

T = TypeVar("T")


def run_asked(spec: JobSpec, reporter: Reporter) -> dict[str, Any]:
    """Do what a job asks for; gives its record, or what it measured, in plain types."""
    if spec.only == "measure":
        return measure_job(spec, reporter).model_dump(mode="json")
    return run_job(spec, reporter).model_dump(mode="json", by_alias=True)


def run_job(spec: JobSpec, reporter: Reporter) -> Record:
    """Run what is missing of a job and keep its record.

    A job that fails in a way that its row can tell (no finite loss, no memory, unusable
    scores) is kept with that reason; any other error is left to the executor.
    """
    # Before memory is counted: what libraries take of it is not there for a step.
    import harness.job.evaluation
    import harness.job.training  # noqa: F401

    torch.set_num_threads(spec.threads)
    with lock(spec.folder / RUNNING):
        done = _told(spec, lambda: _run(spec, reporter))
        if isinstance(done, Record):
            return done
        return keep(spec, failed(spec, *done), None)


def measure_job(spec: JobSpec, reporter: Reporter) -> Measurement:
    """Measure what a job costs, where that is not known yet; nothing is trained or kept else."""
    torch.set_num_threads(spec.threads)
    done = _told(spec, lambda: _measured_from_start(spec, reporter))
    if isinstance(done, dict):
        return Measurement(state="done", resources=Resources(**without_stage(done)))
    state, reason = done
    return Measurement(state=state, reason=reason)


def _told(spec: JobSpec, act: Callable[[], T]) -> T | tuple[State, str]:
    """Do something within the budget; gives a state and its reason where it cannot be done."""
    left = hold_to_budget(spec)
    try:
        return act()
    except OutOfMemory as error:
        reason = str(error)
    except (HarnessError, MetricError) as error:
        return "failed", str(error)
    # Only now is what the step had made gone: the error held it.
    gc.collect()
    return "oom", "; ".join(filter(None, (reason, what_fits(spec, left))))


def _run(spec: JobSpec, reporter: Reporter) -> Record:
    from harness.job.evaluation import run_evaluation

    parts = Parts(spec)
    results: dict[str, dict[str, Any]] = {}
    checkpoint = _checkpoint(spec, parts, reporter, results)
    key = sha256_file(checkpoint) if checkpoint else "baseline"
    stage = spec.evaluate(key)
    folder = spec.stage_folder("evaluate", stage.key)
    with telling_memory("in evaluation"):
        results["evaluate"] = cached_stage(
            folder,
            stage,
            spec.code,
            lambda place: run_evaluation(parts, checkpoint, place, reporter),
        )
    if spec.measure is not None:
        results["measure"] = _measured(spec, parts, reporter)
    return keep(spec, joined(spec, results), folder / SCORES)


def _measured_from_start(spec: JobSpec, reporter: Reporter) -> dict[str, Any]:
    """Embed one item first of all, as somebody does who starts a program; then measure."""
    parts = Parts(spec)
    reporter.stage(FIRST_RESULT, 1)
    with telling_memory("in embedding one item"):
        Measured(parts).embed_first()
    reporter.advance(1)
    return _measured(spec, parts, reporter)


def _measured(spec: JobSpec, parts: Parts, reporter: Reporter) -> dict[str, Any]:
    stage = spec.measure
    if stage is None:
        raise TypeError("nothing is measured of a job without a network")
    with telling_memory(f"in measuring{_batch(spec)}"):
        return cached_stage(
            spec.stage_folder("measure", stage.key),
            stage,
            spec.code,
            lambda _: run_measuring(parts, reporter),
        )


def _checkpoint(
    spec: JobSpec, parts: Parts, reporter: Reporter, results: dict[str, dict[str, Any]]
) -> Path | None:
    if spec.train is None or spec.recipe is None:
        return spec.checkpoint
    from harness.job.training import run_training

    recipe = spec.recipe
    folder = spec.stage_folder("train", spec.train.key)
    with telling_memory(f"in training{_batch(spec)}"):
        results["train"] = cached_stage(
            folder,
            spec.train,
            spec.code,
            lambda place: run_training(parts, recipe, place, reporter),
        )
    return folder / FINAL


def _batch(spec: JobSpec) -> str:
    if spec.recipe is None:
        return ""
    crop = f" of {spec.recipe.crop_seconds:g} s crops" if spec.recipe.crop_seconds else ""
    return f" at batch {spec.recipe.batch}{crop}"
