"""The stage `train` makes a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from harness.adapter import LossAdapter, Pretrained
from harness.config.recipes import Recipe
from harness.datasets.dataset import OpenDataset
from harness.datasets.ranked_pairs import standard_grades
from harness.datasets.subset import Subset, training_sample
from harness.errors import ConfigError, JobFailed
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturber
from harness.feeding.libraries import library_sources
from harness.measure.environment import environment_digest
from harness.measure.rounding import arithmetic
from harness.records.damage import DamagedFile, set_aside
from harness.records.documents import sha256, sha256_file
from harness.records.files import write_bytes
from harness.run.job.context import JobContext
from harness.run.job.initial import begin_with
from harness.series.scalar_names import SAMPLE, VALIDATION
from harness.series.series_file import FILE, PUBLISHED, published_bytes
from harness.tasks.task import Output, Side, TaskOptions
from harness.train.checkpoint import load_weights
from harness.train.gradient_evidence import GradientEvidence
from harness.train.kept_states import kept_bytes
from harness.train.loop import train
from harness.train.system import System, outputs_of
from harness.train.training_plan import TrainingPlan, Validation, fine_tuning_seed
from harness.train.training_progress import FINAL, RESUME, TrainingResult
from harness.train.validation_losses import ClassLosses

MOST_LOOKED_AT = 10_000
"""Training items whose gradients are looked at in evaluation mode: of more, evenly spread ones."""

Measured = tuple[NDArray[np.float32], dict[str, float]]
"""Outputs of a split's items, and the losses of its labels."""


def train_system(context: JobContext, recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Train (or go on training) in a folder, and return the stage's result.

    Raises:
        ConfigError: a schedule asks for a value that the loss cannot have.
    """
    _check_values(context.loss, recipe)
    try:
        result = _train(context, recipe, folder)
    except DamagedFile as error:
        set_aside(folder / RESUME, str(error), "training begins again")
        result = _train(context, recipe, folder)
    path = folder / FINAL
    size = path.stat().st_size
    where = context.spec.environment
    origin = context.model.origin if isinstance(context.model, Pretrained) else ""
    return {
        **asdict(result),
        "notes": (*result.notes, *filter(None, [origin])),
        "checkpoint": {"sha256": sha256_file(path), "bytes": size},
        "environment": environment_digest(where) if where else "",
        **({"states_bytes": kept_bytes(folder)} if result.states else {}),
        "series": _publish_series(folder),
        **({"selected_by": selects} if (selects := TaskOptions.of(context.task).selects) else {}),
    }


def _publish_series(folder: Path) -> dict[str, Any]:
    """Write the series as it may be published, and return its hash and size."""
    content = published_bytes(folder / FILE)
    write_bytes(folder / PUBLISHED, content)
    return {"sha256": sha256(content), "bytes": len(content)}


def _train(context: JobContext, recipe: Recipe, folder: Path) -> TrainingResult:
    plan = make_plan(context, recipe, folder)
    context.begin("train", plan.phases[-1].last)
    return train(training_system(context), plan, make_fabric(context, recipe))


def training_system(context: JobContext) -> System:
    """Return the system that a job's training begins with.

    Raises:
        RequestError: the weights of its recipe's `init` are those of another network.
    """
    system, initial = context.system(), context.spec.initial
    if initial is not None:
        begin_with(system, initial)
    return system


def _teacher(context: JobContext) -> Callable[[Tensor], Tensor] | None:
    """Load the network of a job's teacher; None if nobody teaches.

    Raises:
        JobFailed: its weights are not there.
    """
    spec = context.spec.teacher
    if spec is None or spec.train is None:
        return None
    path = spec.stage_folder("train", spec.train.key) / FINAL
    if not path.is_file():
        raise JobFailed(f"{path}: the teacher's weights are gone; `harness run` trains it again")
    system = context.of(spec).system().eval()
    system.load_state_dict(load_weights(path))

    def answer(inputs: Tensor) -> Tensor:
        with arithmetic(context.device), torch.no_grad():
            return system.decide(system.embed(inputs), "logits")

    return answer


def make_fabric(context: JobContext, recipe: Recipe) -> Fabric:
    """Return what puts a job's training on its device, in its recipe's precision.

    Raises:
        ValueError: the recipe is none of a planned job.
    """
    if recipe.precision == "auto":
        raise ValueError("a recipe's precision is chosen where its job is planned")
    return Fabric(accelerator=context.spec.device, devices=1, precision=recipe.precision)


def make_plan(context: JobContext, recipe: Recipe, folder: Path) -> TrainingPlan:
    """Return the plan of a job's training in a folder."""
    spec, task, dataset = context.spec, context.task, context.dataset
    seed, goes_on = spec.seed or 0, dict[str, Any]()
    selects = TaskOptions.of(task).selects
    if (parent := spec.parent) is not None:
        seed = fine_tuning_seed(seed) if parent.began else seed
        goes_on = {
            "before": parent.step,
            "before_epochs": parent.epochs,
            "drawn": parent.step - parent.began,
            "parent": spec.stage_folder("train", parent.train),
        }
    return TrainingPlan(
        recipe=recipe,
        batches=TrainingBatches(
            subset=dataset.training(),
            classes=dataset.classes,
            batch=recipe.batch,
            crop_seconds=recipe.crop_seconds,
            seed=seed,
            speeds=recipe.augment.speeds,
            sampler=recipe.sampler,
        ),
        disturber=_disturber(context, recipe, seed),
        validate=_validator(context, recipe),
        look=_looker(context, recipe),
        primary=selects or task.primary,
        higher_is_better=bool(selects) or task.facts[task.primary].higher_is_better,
        scheduled=context.loss.scheduled if context.loss else (),
        folder=folder,
        seed=seed,
        report=lambda done, _, loss: context.advance(done, loss),
        data_workers=spec.data_workers,
        keep_states=spec.keep_states,
        title=f"{spec.entry_folder}-seed{spec.seed}",
        key=spec.train.key if spec.train else "",
        teacher=_teacher(context),
        **goes_on,
    )


def _validator(context: JobContext, recipe: Recipe) -> Callable[[System], Validation]:
    """Return what judges a system on the validation split.

    Beside the task's numbers stand the losses of validation items, and those of a sample of
    training items in the same mode. The embeddings of validation are computed once for both.
    """
    task, dataset = context.task, context.dataset
    validation, training = dataset.subset("validation"), dataset.training()
    lists = task.lists(dataset.listing, "validation", dataset.left_out)
    sample, losses_of = training_sample(training, validation), _losses(dataset, recipe)

    def measure(system: System, subset: Subset, kind: Output) -> Measured:
        losses = losses_of(system, subset)
        outputs = outputs_of(
            system, subset, kind, context.device, context.go_on,
            crops=recipe.test_crops, keep=losses.keep,
        )  # fmt: skip
        return outputs, losses.values()

    def validate(system: System) -> Validation:
        outputs, losses = measure(system, validation, task.output)
        judged = task.validate(Side(outputs, lists))
        # The task's accuracy is of whole items, that of `losses` of crops.
        losses.pop("accuracy", None)
        measured = {f"{VALIDATION}/{name}": value for name, value in losses.items()}
        if len(sample) and losses_of(system, sample).exist:
            _, seen = measure(system, sample, "embedding")
            measured |= {f"{SAMPLE}/{name}": value for name, value in seen.items()}
        return Validation(judged, measured)

    return validate


def _losses(dataset: OpenDataset, recipe: Recipe) -> Callable[[System, Subset], ClassLosses]:
    """Return what collects the losses of a split's items under a system."""
    training = dataset.training().items

    def losses_of(system: System, subset: Subset) -> ClassLosses:
        grades = standard_grades(subset.items, training)
        return ClassLosses(system, subset.items, dataset.classes, recipe.batch, grades)

    return losses_of


def _looker(
    context: JobContext, recipe: Recipe
) -> Callable[[System], Mapping[str, GradientEvidence]]:
    """Return what looks at a loss's gradients on the training and the validation split."""
    dataset = context.dataset
    validation, training = dataset.subset("validation"), dataset.training()
    several = min(MOST_LOOKED_AT, len(training))
    training = training.take(np.arange(several) * len(training) // max(1, several))
    losses_of = _losses(dataset, recipe)

    def look(system: System) -> dict[str, GradientEvidence]:
        found = {}
        for group, subset in ((SAMPLE, training), (VALIDATION, validation)):
            losses = losses_of(system, subset)
            if losses.exist and len(subset):
                outputs_of(
                    system, subset, "embedding", context.device, context.go_on,
                    crops=recipe.test_crops, keep=losses.keep,
                )  # fmt: skip
                found[group] = losses.gradients()
        return found

    return look


def _check_values(loss: LossAdapter | None, recipe: Recipe) -> None:
    """Check that the loss accepts the values that schedules give to its fields."""
    scheduled = loss.scheduled if loss else ()
    for phase in recipe.phases:
        for name in set(phase.schedules) & set(scheduled):
            rise = phase.schedules[name]
            for value in {rise.initial_value, rise.final_value} - {None}:
                try:
                    replace(loss, **{name: value})  # type: ignore[type-var]
                except ValueError as error:
                    raise ConfigError(f"schedules.{name}: {error}") from error


def _disturber(context: JobContext, recipe: Recipe, seed: int) -> Disturber | None:
    """Open the rooms and noises that the job was planned with.

    Raises:
        ConfigError: they changed since.
    """
    spec, augment = context.spec, recipe.augment
    opened = {
        use: shelf.open()
        for use, shelf in library_sources(augment, context.benchmark.folder, spec.cache).items()
    }
    found = {use: library.pack.content for use, library in opened.items()}
    if found != (spec.train_inputs or {}).get("disturbances", {}):
        raise ConfigError("augment: noises or rooms changed since the job was planned")
    if not opened:
        return None
    noises = opened.get("noise")
    if noises is not None and augment.noise is not None:
        noises = noises.of(augment.noise.kinds)
    return Disturber(augment, opened.get("reverb"), noises, seed)
