"""A whole job, stage by stage; what is there already is not redone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.records.documents import sha256_file
from harness.records.record import Record
from harness.run.job.evaluation import run_evaluation
from harness.run.job.evaluation_files import SCORES
from harness.run.job.join import joined, keep
from harness.run.job.measuring import measured_stage
from harness.run.job.memory import at_batch, telling_memory
from harness.run.job.parts import Parts
from harness.run.job.report import Reporter
from harness.run.job.spec import JobSpec
from harness.run.job.stage import cached_stage
from harness.run.job.training import run_training
from harness.train.training_progress import FINAL


def run_whole(spec: JobSpec, reporter: Reporter) -> Record:
    """Run what is missing of a job's stages, and keep its record."""
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
        results["measure"] = measured_stage(spec, parts, reporter)
    return keep(spec, joined(spec, results), folder / SCORES)


def _checkpoint(
    spec: JobSpec, parts: Parts, reporter: Reporter, results: dict[str, dict[str, Any]]
) -> Path | None:
    if spec.train is None or spec.recipe is None:
        return spec.checkpoint
    recipe = spec.recipe
    folder = spec.stage_folder("train", spec.train.key)
    with telling_memory(f"in training{at_batch(spec)}"):
        results["train"] = cached_stage(
            folder,
            spec.train,
            spec.code,
            lambda place: run_training(parts, recipe, place, reporter),
        )
    return folder / FINAL
