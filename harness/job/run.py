"""One job from its spec to its record, stage by stage; what is there already is not redone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from harness.errors import HarnessError
from harness.job.evaluation import run_evaluation
from harness.job.evaluation_files import SCORES
from harness.job.join import RUNNING, failed, joined, keep
from harness.job.measuring import run_measuring
from harness.job.memory import OutOfMemory, telling_memory
from harness.job.parts import Parts
from harness.job.report import Reporter
from harness.job.spec import JobSpec
from harness.job.stage import cached_stage
from harness.job.training import run_training
from harness.metrics.errors import MetricError
from harness.records.canonical import sha256_file
from harness.records.files import lock
from harness.records.record import Record
from harness.train.log import FINAL


def run_job(spec: JobSpec, reporter: Reporter) -> Record:
    """Run what is missing of a job and keep its record.

    A job that fails in a way that its row can tell (no finite loss, no memory, unusable
    scores) is kept with that reason; any other error is left to the executor.
    """
    torch.set_num_threads(spec.threads)
    with lock(spec.folder / RUNNING):
        try:
            return _run(spec, reporter)
        except OutOfMemory as error:
            return keep(spec, failed(spec, "oom", str(error)), None)
        except (HarnessError, MetricError) as error:
            return keep(spec, failed(spec, "failed", str(error)), None)


def _run(spec: JobSpec, reporter: Reporter) -> Record:
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
        with telling_memory(f"in measuring{_batch(spec)}"):
            results["measure"] = cached_stage(
                spec.stage_folder("measure", spec.measure.key),
                spec.measure,
                spec.code,
                lambda _: run_measuring(parts, reporter),
            )
    return keep(spec, joined(spec, results), folder / SCORES)


def _checkpoint(
    spec: JobSpec, parts: Parts, reporter: Reporter, results: dict[str, dict[str, Any]]
) -> Path | None:
    if spec.train is None or spec.recipe is None:
        return spec.checkpoint
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
