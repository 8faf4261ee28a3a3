"""The stage `train`: a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from harness.adapter import LossAdapter
from harness.config.recipes import Recipe
from harness.errors import ConfigError
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturber
from harness.feeding.libraries import library_sources
from harness.measure.environment import environment_digest
from harness.records.documents import sha256_file
from harness.run.job.parts import Parts
from harness.run.job.report import Reporter
from harness.tasks.task import Side
from harness.train.loop import train
from harness.train.system import System, outputs_of
from harness.train.training_plan import TrainingPlan
from harness.train.training_progress import FINAL


def run_training(parts: Parts, recipe: Recipe, folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Train (or go on training) in a folder and say what came of it.

    Raises:
        ConfigError: a schedule asks for a value that the loss cannot have.
    """
    _check_values(parts.loss, recipe)
    plan = _plan(parts, recipe, folder, reporter)
    reporter.stage("train", plan.phases[-1].last)
    fabric = Fabric(accelerator=parts.spec.device, devices=1, precision=recipe.precision)
    result = train(parts.system(), plan, fabric)
    path = folder / FINAL
    size = path.stat().st_size
    where = parts.spec.environment
    return {
        **asdict(result),
        "checkpoint": {"sha256": sha256_file(path), "bytes": size},
        "environment": environment_digest(where) if where else "",
    }


def _plan(parts: Parts, recipe: Recipe, folder: Path, reporter: Reporter) -> TrainingPlan:
    task, dataset = parts.task, parts.dataset
    validation = dataset.subset("validation")
    lists = task.lists(dataset.listing, "validation", dataset.left_out)

    def validate(system: System) -> dict[str, float]:
        outputs = outputs_of(system, validation, task.output, parts.device, crops=recipe.test_crops)
        return task.validate(Side(outputs, lists))

    return TrainingPlan(
        recipe=recipe,
        batches=TrainingBatches(
            subset=dataset.training(),
            classes=dataset.classes,
            batch=recipe.batch,
            crop_seconds=recipe.crop_seconds,
            seed=parts.spec.seed or 0,
            speeds=recipe.augment.speeds,
            sampler=recipe.sampler,
        ),
        disturber=_disturber(parts, recipe),
        validate=validate,
        primary=task.primary,
        higher_is_better=task.facts[task.primary].higher_is_better,
        scheduled=parts.loss.scheduled if parts.loss else (),
        folder=folder,
        seed=parts.spec.seed or 0,
        report=lambda done, _, loss: reporter.advance(done, loss),
        data_workers=parts.spec.data_workers,
    )


def _check_values(loss: LossAdapter | None, recipe: Recipe) -> None:
    """Hold the values that schedules name against what the loss accepts as its own."""
    scheduled = loss.scheduled if loss else ()
    for phase in recipe.phases:
        for name in set(phase.schedules) & set(scheduled):
            rise = phase.schedules[name]
            for value in {rise.initial_value, rise.final_value} - {None}:
                try:
                    replace(loss, **{name: value})  # type: ignore[type-var]
                except ValueError as error:
                    raise ConfigError(f"schedules.{name}: {error}") from error


def _disturber(parts: Parts, recipe: Recipe) -> Disturber | None:
    """Rooms and noises as they were when the job was planned.

    Raises:
        ConfigError: they are not any more.
    """
    spec, augment = parts.spec, recipe.augment
    opened = {
        use: shelf.open()
        for use, shelf in library_sources(augment, parts.benchmark.folder, spec.cache).items()
    }
    found = {use: library.pack.content for use, library in opened.items()}
    if found != (spec.train_inputs or {}).get("disturbances", {}):
        raise ConfigError("augment: noises or rooms changed since the job was planned")
    if not opened:
        return None
    noises = opened.get("noise")
    if noises is not None and augment.noise is not None:
        noises = noises.of(augment.noise.kinds)
    return Disturber(augment, opened.get("reverb"), noises, spec.seed or 0)
