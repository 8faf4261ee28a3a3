"""A choice, with what its names stand for."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.config.loader import LoadedBenchmark, with_settings
from harness.config.recipes import Recipe
from harness.config.tables import Component
from harness.datasets.lengths import Need
from harness.errors import ConfigError, JobFailed, nearest
from harness.records import record
from harness.records.documents import canonical_json
from harness.run.job.parts import make_task
from harness.run.plan.adapters import WORKERS
from harness.run.plan.augmentation import check_augment
from harness.run.plan.choice import Choice
from harness.run.plan.description import Describe, Description
from harness.run.plan.inputs import declared_input
from harness.run.plan.needs import check_crops, check_needs
from harness.run.plan.request import RunRequest, Source


@dataclass(frozen=True)
class Chosen:
    """One entry of a suite on one dataset, checked, before it is made to fit a budget.

    Attributes:
        choice: its names.
        model, loss: the system.
        recipe: with what suite and call change of it.
        failed: why its adapters cannot be described; empty where they can.
    """

    choice: Choice
    model: record.RecordedComponent
    loss: record.RecordedComponent
    recipe: Recipe
    failed: str = ""


def chosen(loaded: LoadedBenchmark, request: RunRequest, choice: Choice, source: Source) -> Chosen:
    """What a choice stands for.

    Raises:
        ConfigError: it cannot be built, or its parts do not go together.
    """
    tables = loaded.benchmark
    model = described("models", choice.model, tables.models[choice.model])
    loss = described("losses", choice.loss, tables.losses[choice.loss])
    recipe = _recipe(loaded, request, source.listing.table, choice)
    if loss.description is not None:
        check_needs(loss.description, loaded.where("losses", choice.loss), recipe)
    _check_schedules(loaded, recipe, choice.recipe)
    where, task = loaded.where("recipes", choice.recipe), make_task(loaded, request.suite)
    check_augment(recipe, task, source.listing.corpus.kind, where)
    declared = declared_input(choice.model, tables.models[choice.model])
    if declared is not None and declared.kind == "audio":
        check_crops(recipe, Need(choice.model, declared), where)
    failed = "; ".join(filter(None, (model.failed, loss.failed)))
    return Chosen(choice, model.component, loss.component, recipe, failed)


@dataclass(frozen=True)
class Described:
    """An adapter of the benchmark, or why it cannot be described.

    Attributes:
        component: as a record holds it; by its table alone, and version 0, where its code failed.
        description: None where its code failed.
        failed: why.
    """

    component: record.RecordedComponent
    description: Description | None
    failed: str = ""


def described(section: str, name: str, table: Component) -> Described:
    """Describe an adapter of the benchmark, whatever becomes of it.

    Args:
        section: `models` or `losses`.
        name: its name there.
        table: what the benchmark says of it.

    Raises:
        ConfigError: it cannot be built from its table.
    """
    where = f"{section}.{name}"
    try:
        found = describe(name, table, where, is_loss=section == "losses")
    except JobFailed as error:
        given = json.loads(canonical_json(json.loads(json.dumps(table.fields, default=str))))
        unknown = record.RecordedComponent(
            name=name, adapter=table.adapter, version=0, fields=given
        )
        return Described(unknown, None, str(error))
    return Described(found.component, found)


def describe(name: str, table: Component, where: str, *, is_loss: bool = False) -> Description:
    """An adapter's fields, version, needs and schedules, asked of its code in a worker.

    Raises:
        ConfigError: it cannot be built from its table.
        JobFailed: its code failed.
    """
    return WORKERS.recall(Describe(name, table.adapter, table.fields, where, is_loss))


def component(name: str, table: Component, where: str) -> record.RecordedComponent:
    """An adapter as a record holds it, its fields complete and checked.

    Raises:
        ConfigError: it cannot be built from its table.
        JobFailed: its code failed.
    """
    return describe(name, table, where).component


def _check_schedules(loaded: LoadedBenchmark, recipe: Recipe, name: str) -> None:
    """Refuse a schedule that drives nothing: a loss without that value is let be, a typo is not."""
    losses = [described("losses", *each) for each in loaded.benchmark.losses.items()]
    if any(loss.failed for loss in losses):
        return  # that one might have the value
    driven = {value for loss in losses if loss.description for value in loss.description.scheduled}
    for schedule in {name: None for phase in recipe.phases for name in phase.schedules}:
        if schedule not in driven:
            where = loaded.where("recipes", name)
            raise ConfigError(
                f"{where}.schedules.{schedule}: no loss has such a value; "
                f"{nearest(schedule, driven)}"
            )


def _recipe(loaded: LoadedBenchmark, request: RunRequest, dataset: str, choice: Choice) -> Recipe:
    recipe: Recipe = loaded.benchmark.recipes[choice.recipe]
    wanted = {"profile": request.profile, "dataset": dataset}
    wanted |= {"model": choice.model, "loss": choice.loss, "recipe": choice.recipe}
    for number, rule in enumerate(loaded.suite(request.suite).overrides):
        if all(getattr(rule, key) in (None, value) for key, value in wanted.items()):
            where = f"suites.{request.suite}.overrides.{number}.set."
            recipe = with_settings(recipe, rule.set, where)
    return with_settings(recipe, request.settings, "--set ") if request.settings else recipe
