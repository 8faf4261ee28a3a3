"""Resolve a suite entry to adapters and a recipe, and check that these go together."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.adapter import Input
from harness.config.loader import LoadedBenchmark, with_settings
from harness.config.recipes import Recipe
from harness.config.tables import Component
from harness.datasets.lengths import Need
from harness.errors import ConfigError, HarnessError, JobFailed, nearest
from harness.records import record
from harness.records.canonical import canonical_json
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.questions import AskInput, DeclaredInput, Describe, Description
from harness.run.plan.recipe_checks import check_augment, check_crops, check_needs
from harness.run.plan.request import DatasetState, RunRequest, SuiteEntry
from harness.tasks.task import Task


@dataclass(frozen=True)
class ResolvedEntry:
    """One entry of a suite on one dataset, checked, before it is fitted to a budget.

    Attributes:
        entry: its names.
        model, loss: the system.
        recipe: with the changes of suite and call.
        failed: the reason why its adapters cannot be described; empty if they can.
    """

    entry: SuiteEntry
    model: record.Component
    loss: record.Component
    recipe: Recipe
    failed: str = ""


@dataclass(frozen=True)
class AdapterFacts:
    """An adapter of the benchmark, or the reason why it cannot be described.

    Attributes:
        component: as a record holds it; by its table alone, and version 0, if its code failed.
        description: None if its code failed.
        failed: the reason.
    """

    component: record.Component
    description: Description | None
    failed: str = ""


def resolve_entry(
    loaded: LoadedBenchmark,
    request: RunRequest,
    entry: SuiteEntry,
    dataset: DatasetState,
    task: Task,
) -> ResolvedEntry:
    """Resolve a suite entry on a dataset.

    Raises:
        ConfigError: it cannot be built, or its parts do not go together.
    """
    tables, listing = loaded.benchmark, dataset.listing
    model = adapter_facts("models", entry.model, tables.models[entry.model])
    loss = adapter_facts("losses", entry.loss, tables.losses[entry.loss])
    recipe = _recipe(loaded, request, listing.table, entry)
    where = loaded.where("recipes", entry.recipe)
    if loss.description is not None:
        check_needs(loss.description, loaded.where("losses", entry.loss), recipe)
        _check_schedules(loaded, recipe, loss.description, where)
    check_augment(recipe, task, listing.corpus.kind, where)
    declared = model_input(entry.model, tables.models[entry.model])
    if declared is not None and declared.kind == "audio":
        check_crops(recipe, Need(entry.model, declared), where)
    failed = "; ".join(filter(None, (model.failed, loss.failed)))
    return ResolvedEntry(entry, model.component, loss.component, recipe, failed)


def adapter_facts(section: str, name: str, table: Component) -> AdapterFacts:
    """Describe an adapter of the benchmark, whether or not its code works.

    Args:
        section: `models` or `losses`.
        name: its name there.
        table: its table there.

    Raises:
        ConfigError: it cannot be built from its table.
    """
    try:
        found = describe(table, f"{section}.{name}", is_loss=section == "losses")
    except JobFailed as error:
        given = json.loads(canonical_json(json.loads(json.dumps(table.fields, default=str))))
        unknown = record.Component(name=name, adapter=table.adapter, version=0, fields=given)
        return AdapterFacts(unknown, None, str(error))
    return AdapterFacts(_component(name, table, found), found)


def describe(table: Component, where: str, *, is_loss: bool = False) -> Description:
    """Ask an adapter's code for its fields, version, needs and schedules, once a call.

    Raises:
        ConfigError: it cannot be built from its table.
        JobFailed: its code failed.
    """
    return WORKERS.recall(Describe(table.adapter, table.fields, where, is_loss))


def describe_component(name: str, table: Component, where: str) -> record.Component:
    """Return an adapter as a record holds it, its fields complete and checked.

    Raises:
        ConfigError: it cannot be built from its table.
        JobFailed: its code failed.
    """
    return _component(name, table, describe(table, where))


def _component(name: str, table: Component, found: Description) -> record.Component:
    return record.Component(
        name=name, adapter=table.adapter, version=found.version, fields=found.fields
    )


def ask_input(table: Component, where: str) -> DeclaredInput:
    """Ask a model's code for its input, once a call.

    Raises:
        ConfigError: it cannot be built from its table.
        JobFailed: its code failed.
    """
    return WORKERS.recall(AskInput(table.adapter, table.fields, where))


def model_input(name: str, table: Component) -> Input | None:
    """Return the input of a model; None if its code fails, which its job then says in its row.

    Args:
        name: the model.
        table: its table in the benchmark file.
    """
    try:
        return ask_input(table, f"models.{name}").input
    except HarnessError:
        return None


def _check_schedules(
    loaded: LoadedBenchmark, recipe: Recipe, loss: Description, where: str
) -> None:
    """Refuse a schedule that drives no loss's value: this loss may lack it, a typo may not.

    Other losses are described only if this one has no such value.
    """
    schedules = dict.fromkeys(name for phase in recipe.phases for name in phase.schedules)
    for schedule in [name for name in schedules if name not in loss.scheduled]:
        driven = set(loss.scheduled)
        for name, table in loaded.benchmark.losses.items():
            other = adapter_facts("losses", name, table).description
            if other is None or schedule in other.scheduled:
                break  # one whose code fails might have the value
            driven |= {*other.scheduled}
        else:
            raise ConfigError(
                f"{where}.schedules.{schedule}: no loss has such a value; "
                f"{nearest(schedule, driven)}"
            )


def _recipe(
    loaded: LoadedBenchmark, request: RunRequest, dataset: str, entry: SuiteEntry
) -> Recipe:
    recipe: Recipe = loaded.benchmark.recipes[entry.recipe]
    wanted = {"profile": request.profile, "dataset": dataset}
    wanted |= {"model": entry.model, "loss": entry.loss, "recipe": entry.recipe}
    for number, rule in enumerate(loaded.suite(request.suite).overrides):
        if all(getattr(rule, key) in (None, value) for key, value in wanted.items()):
            where = f"suites.{request.suite}.overrides.{number}.set."
            recipe = with_settings(recipe, rule.set, where)
    return with_settings(recipe, request.settings, "--set ") if request.settings else recipe
