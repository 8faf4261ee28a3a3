"""The jobs of a call."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from harness.adapter import ADDED
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark, known, with_settings
from harness.config.recipes import Recipe
from harness.config.tables import Component
from harness.errors import ConfigError, RequestError, nearest
from harness.job.parts import make_task
from harness.job.spec import TRAIN_VERSION, JobSpec, embedding_precision
from harness.measure.allocator import ALLOCATOR_ENVIRONMENT
from harness.measure.environment import environment
from harness.plan.augmentation import check_augment, disturbances
from harness.plan.choice import Choice, chosen_suite, entries
from harness.plan.fitting import fitted
from harness.plan.folds import record_fold
from harness.plan.needs import check_needs
from harness.plan.predictions import Predictions
from harness.plan.protocol import make_protocol
from harness.plan.request import CheckpointEntry, RunRequest, Source
from harness.records import record
from harness.records.canonical import canonical_json, sha256_file
from harness.records.code import code_version

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Lookups:
    """What planning looks up, each thing once for all entries of a call.

    Attributes:
        drawn_from: of an augmentation, what the noises and rooms that it draws from hash to: a
            folder of rooms holds tens of thousands of files.
        predictions: of memory.
    """

    drawn_from: Callable[..., dict[str, str]]
    predictions: Predictions


def lookups(loaded: LoadedBenchmark, request: RunRequest, tell: Tell) -> Lookups:
    """What planning a call looks up.

    Args:
        loaded: the benchmark.
        request: the call.
        tell: is told what a person waits for.
    """
    drawn_from = cache(partial(disturbances, folder=loaded.folder, cache=request.cache))
    return Lookups(drawn_from, Predictions(request.cache, loaded.benchmark.budget.usable, tell))


def unheard(_: str) -> None:
    """Where nobody waits for what is planned."""


def plan_jobs(
    loaded: LoadedBenchmark,
    request: RunRequest,
    sources: dict[str, Source],
    tell: Tell = unheard,
) -> list[JobSpec]:
    """Every job of a call, the baseline of each dataset first.

    Args:
        loaded: the benchmark.
        request: the call.
        sources: the datasets that are here, by name.
        tell: is told what a person waits for.

    Raises:
        ConfigError: something asked for is not of the suite, or cannot be built.
        LockError: a protocol changed and its version did not.
    """
    suite = chosen_suite(loaded, request)
    found = lookups(loaded, request, tell)
    jobs = []
    for source in sources.values():
        protocol = make_protocol(loaded, request, source)
        common = common_parts(loaded, request, source, protocol)
        jobs.append(_baseline(loaded, request, common))
        chosen = entries(suite, request, source.listing.table)
        jobs += [_entry(loaded, request, common, each, source, found) for each in chosen]
    return jobs


def plan_entries(
    loaded: LoadedBenchmark,
    request: RunRequest,
    source: Source,
    choices: Iterable[Choice],
    tell: Tell = unheard,
) -> list[JobSpec]:
    """The jobs of some entries on one dataset.

    Args:
        loaded: the benchmark.
        request: the call.
        source: the dataset.
        choices: the entries.
        tell: is told what a person waits for.

    Raises:
        ConfigError: an entry cannot be built.
    """
    common = common_parts(loaded, request, source, make_protocol(loaded, request, source))
    found = lookups(loaded, request, tell)
    return [_entry(loaded, request, common, choice, source, found) for choice in choices]


def plan_checkpoint(
    loaded: LoadedBenchmark, request: RunRequest, source: Source, entry: CheckpointEntry
) -> list[JobSpec]:
    """The evaluation of a checkpoint made elsewhere, after the dataset's baseline.

    Raises:
        RequestError: there is no such file.
        ConfigError: there is no such model or loss, or the task wants a head.
    """
    if not entry.path.is_file():
        raise RequestError(f"{entry.path}: no such checkpoint")
    task = make_task(loaded, request.suite)
    if task.output == "logits" and entry.loss is None:
        raise ConfigError(f"suite {request.suite!r} judges logits: name the head with --loss")
    common = common_parts(loaded, request, source, make_protocol(loaded, request, source))
    models, losses = loaded.benchmark.models, loaded.benchmark.losses
    table, content = known(models, entry.model, "model"), sha256_file(entry.path)
    model = component(entry.model, table, f"models.{entry.model}")
    made_here = JobSpec(
        **common,
        model=model,
        loss=component(entry.loss, known(losses, entry.loss, "loss"), f"losses.{entry.loss}")
        if entry.loss
        else None,
        # Many are called avg_model.pt: the digits keep two of them from taking each other's row.
        recipe_name=f"checkpoint {entry.path.name} {content[:8]}",
        track="checkpoint",
        checkpoint=entry.path,
        checkpoint_sha256=content,
        embedding=lookups(loaded, request, unheard).predictions.embedding(model),
    )
    return [_baseline(loaded, request, common), made_here]


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


def common_parts(
    loaded: LoadedBenchmark, request: RunRequest, source: Source, protocol: record.Protocol
) -> dict[str, Any]:
    """What all jobs of a call on one dataset share, and records of what was made elsewhere."""
    listing = source.listing
    return {
        "benchmark": loaded.path,
        "runs": request.runs.resolve(),
        "cache": request.cache.resolve(),
        "profile": request.profile,
        "leave_out_damaged": request.leave_out_damaged,
        "left_out": source.left_out,
        "device": request.device,
        "threads": request.threads,
        "data_workers": request.data_workers,
        "options": request.options,
        "memory_limit": loaded.benchmark.budget.usable,
        "protocol": protocol,
        "environment": environment(
            request.device, request.threads, {**os.environ, **ALLOCATOR_ENVIRONMENT}
        ),
        "code": code_version(),
        "dataset": record.Data(
            name=listing.name,
            title=listing.config.title or listing.name,
            synthetic=listing.config.synthetic,
            licence=listing.config.licence,
            publish_scores=listing.config.publish_scores,
            source=listing.config.source,
            lock=source.lock.digest,
            pinned=source.pinned,
            counts=source.lock.counts,
            unit=listing.corpus.unit,
            fold=record_fold(loaded, request, source),
        ),
    }


def _baseline(loaded: LoadedBenchmark, request: RunRequest, common: dict[str, Any]) -> JobSpec:
    task = make_task(loaded, request.suite)
    suite = loaded.suite(request.suite)
    model = record.Component(
        name=task.baseline_name, adapter=suite.task, version=task.version, fields={}
    )
    return JobSpec(**common, model=model, track="baseline")


def _entry(
    loaded: LoadedBenchmark,
    request: RunRequest,
    common: dict[str, Any],
    choice: Choice,
    source: Source,
    found: Lookups,
) -> JobSpec:
    benchmark = loaded.benchmark
    model = component(choice.model, benchmark.models[choice.model], f"models.{choice.model}")
    loss = component(choice.loss, benchmark.losses[choice.loss], f"losses.{choice.loss}")
    recipe = _recipe(loaded, request, source.listing.table, choice)
    _check_loss(loaded, choice.loss, recipe)
    _check_schedules(loaded, recipe, choice.recipe)
    where = loaded.where("recipes", choice.recipe)
    check_augment(recipe, make_task(loaded, request.suite), source.listing.corpus.kind, where)
    disturbed_by = found.drawn_from(recipe.augment, decode=source.opened)
    within = fitted(model, loss, recipe, source, found.predictions)
    model, recipe = within.model, within.recipe
    changed = ", ".join(f"{key}={value}" for key, value in sorted(request.settings.items()))
    inputs = {
        "stage": "train",
        "version": TRAIN_VERSION,
        "task": [common["protocol"].task, make_task(loaded, request.suite).validation_version],
        "dataset": _trained_on(source),
        "model": model.model_dump(),
        "loss": loss.model_dump(),
        "recipe": recipe.model_dump(mode="json"),
        "seed": choice.seed,
        "device": request.device,
        "left_out": list(common["left_out"]),
        **({"disturbances": disturbed_by} if disturbed_by else {}),
    }
    return JobSpec(
        **common,
        model=model,
        loss=loss,
        recipe=recipe,
        recipe_name=f"{choice.recipe} with {changed}" if changed else choice.recipe,
        track=recipe.track,
        seed=choice.seed,
        train_inputs=inputs,
        prediction=within.prediction,
        largest_training=within.largest,
        embedding=found.predictions.embedding(model, embedding_precision(request.options)),
        item_macs=within.macs,
        notes=within.notes,
    )


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


def _trained_on(source: Source) -> dict[str, Any]:
    """What of a dataset can change weights: all but the test trials."""
    lock, listing = source.lock, source.listing
    parts = lock.model_dump(include={"manifest", "split", "content"})
    joined = listing.config.join_seconds
    return {
        "name": listing.name,
        "profile": listing.profile,
        "validation_trials": lock.trials.get("validation", ""),
        **({"join_seconds": joined} if joined else {}),
        **parts,
    }


def _recipe(loaded: LoadedBenchmark, request: RunRequest, dataset: str, choice: Choice) -> Recipe:
    recipe: Recipe = loaded.benchmark.recipes[choice.recipe]
    wanted = {"profile": request.profile, "dataset": dataset}
    wanted |= {"model": choice.model, "loss": choice.loss, "recipe": choice.recipe}
    for number, rule in enumerate(loaded.suite(request.suite).overrides):
        if all(getattr(rule, key) in (None, value) for key, value in wanted.items()):
            where = f"suites.{request.suite}.overrides.{number}.set."
            recipe = with_settings(recipe, rule.set, where)
    return with_settings(recipe, request.settings, "--set ") if request.settings else recipe
