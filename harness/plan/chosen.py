"""A choice, with what its names stand for."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from harness.adapter import ADDED
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark, with_settings
from harness.config.recipes import Recipe
from harness.config.tables import Component
from harness.data.lengths import Need, declared_input
from harness.errors import ConfigError, nearest
from harness.job.parts import make_task
from harness.plan.augmentation import check_augment
from harness.plan.choice import Choice
from harness.plan.needs import check_crops, check_needs
from harness.plan.request import RunRequest, Source
from harness.records import record
from harness.records.canonical import canonical_json


@dataclass(frozen=True)
class Chosen:
    """One entry of a suite on one dataset, checked, before it is made to fit a budget.

    Attributes:
        choice: its names.
        model, loss: the system.
        recipe: with what suite and call change of it.
    """

    choice: Choice
    model: record.Component
    loss: record.Component
    recipe: Recipe


def chosen(loaded: LoadedBenchmark, request: RunRequest, choice: Choice, source: Source) -> Chosen:
    """What a choice stands for.

    Raises:
        ConfigError: it cannot be built, or its parts do not go together.
    """
    benchmark = loaded.benchmark
    model = component(choice.model, benchmark.models[choice.model], f"models.{choice.model}")
    loss = component(choice.loss, benchmark.losses[choice.loss], f"losses.{choice.loss}")
    recipe = _recipe(loaded, request, source.listing.table, choice)
    _check_loss(loaded, choice.loss, recipe)
    _check_schedules(loaded, recipe, choice.recipe)
    where, task = loaded.where("recipes", choice.recipe), make_task(loaded, request.suite)
    check_augment(recipe, task, source.listing.corpus.kind, where)
    declared = declared_input(choice.model, benchmark.models[choice.model])
    if declared is not None and declared.kind == "audio":
        check_crops(recipe, Need(choice.model, declared), where)
    return Chosen(choice, model, loss, recipe)


def component(name: str, table: Component, where: str) -> record.Component:
    """An adapter as a record holds it, its fields complete and checked.

    Only fields that were `ADDED` later are left out, as long as nobody uses them.

    Raises:
        ConfigError: it cannot be built from its table.
    """
    made = construct(table.adapter, table.fields, where)
    values = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    for field in dataclasses.fields(made):
        if field.metadata == ADDED and values[field.name] == field.default:
            del values[field.name]
    fields = json.loads(canonical_json(values))
    return record.Component(name=name, adapter=table.adapter, version=made.version, fields=fields)


def _check_loss(loaded: LoadedBenchmark, name: str, recipe: Recipe) -> None:
    table, where = loaded.benchmark.losses[name], loaded.where("losses", name)
    check_needs(construct(table.adapter, table.fields, where), where, recipe)


def _check_schedules(loaded: LoadedBenchmark, recipe: Recipe, name: str) -> None:
    """Refuse a schedule that drives nothing: a loss without that value is let be, a typo is not."""
    driven = {
        value
        for loss, table in loaded.benchmark.losses.items()
        for value in construct(table.adapter, table.fields, loaded.where("losses", loss)).scheduled
    }
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
