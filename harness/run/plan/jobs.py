"""The jobs of a call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from harness.config.loader import LoadedBenchmark, look_up
from harness.datasets.listing import HELD_OUT
from harness.errors import ConfigError, JobFailed, RequestError
from harness.measure.environment import ALLOCATOR_ENVIRONMENT, environment
from harness.records import record
from harness.records.documents import sha256_file
from harness.records.provenance import code_version
from harness.run.job.parts import make_task
from harness.run.job.spec import TRAIN_VERSION, Embedding, JobSpec, embedding_precision
from harness.run.plan.augmentation import disturbances
from harness.run.plan.choice import Choice, chosen_suite, entries
from harness.run.plan.chosen import Chosen, chosen, described
from harness.run.plan.fitting import Fitted, fitted, questions
from harness.run.plan.folds import record_fold
from harness.run.plan.predictions import Predictions
from harness.run.plan.protocol import make_protocol
from harness.run.plan.questions import EmbeddedBatch
from harness.run.plan.request import CheckpointEntry, RunRequest, Source

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
    drawn_from = cache(partial(disturbances, folder=loaded.folder, cache=request.cache, tell=tell))
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
        DataError: a dataset's lists are not enough for the suite's task.
        LockError: a protocol changed and its version did not.
    """
    suite = chosen_suite(loaded, request)
    check_lists(loaded, request, sources.values())
    places = [
        _place(loaded, request, source, entries(suite, request, source.listing.table))
        for source in sources.values()
    ]
    jobs = []
    for place, planned in zip(places, _planned(loaded, request, places, tell), strict=True):
        jobs += [_baseline(loaded, request, place.common), *planned]
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
    (jobs,) = _planned(loaded, request, [_place(loaded, request, source, choices)], tell)
    return jobs


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
    check_lists(loaded, request, [source])
    common = common_parts(loaded, request, source, make_protocol(loaded, request, source))
    models, losses = loaded.benchmark.models, loaded.benchmark.losses
    content = sha256_file(entry.path)
    model = described("models", entry.model, look_up(models, entry.model, "model"))
    loss = (
        described("losses", entry.loss, look_up(losses, entry.loss, "loss")) if entry.loss else None
    )
    refused = "; ".join(each.failed for each in (model, loss) if each and each.failed)
    made_here = JobSpec(
        **common,
        model=model.component,
        loss=loss.component if loss else None,
        # Many are called avg_model.pt: the digits keep two of them from taking each other's row.
        recipe_name=f"checkpoint {entry.path.name} {content[:8]}",
        track="checkpoint",
        checkpoint=entry.path,
        checkpoint_sha256=content,
        embedding=_embedding(loaded, request, model.component) if not refused else Embedding(),
        refused=refused,
    )
    return [_baseline(loaded, request, common), made_here]


def _embedding(
    loaded: LoadedBenchmark, request: RunRequest, model: record.RecordedComponent
) -> Embedding:
    try:
        return lookups(loaded, request, unheard).predictions.embedding(EmbeddedBatch(model))
    except JobFailed:  # nothing rests on it but how many items are embedded at once
        return Embedding()


def check_lists(loaded: LoadedBenchmark, request: RunRequest, sources: Iterable[Source]) -> None:
    """Refuse datasets that the suite's task could not judge, before anything is trained.

    Raises:
        ConfigError, DataError: the lists of a held-out split are not enough for the task.
    """
    task = make_task(loaded, request.suite)
    for source in sources:
        # Once by the lists; again where something of them was left out since.
        if not source.opened or source.left_out:
            for split in HELD_OUT:
                task.lists(source.listing, split, source.left_out)


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
    model = record.RecordedComponent(
        name=task.baseline_name, adapter=suite.task, version=task.version, fields={}
    )
    return JobSpec(**common, model=model, track="baseline")


@dataclass(frozen=True)
class _Place:
    """A dataset, what all jobs on it share, and the entries that are asked for there."""

    source: Source
    common: dict[str, Any]
    entries: list[Chosen]


def _place(
    loaded: LoadedBenchmark, request: RunRequest, source: Source, choices: Iterable[Choice]
) -> _Place:
    common = common_parts(loaded, request, source, make_protocol(loaded, request, source))
    return _Place(source, common, [chosen(loaded, request, each, source) for each in choices])


def _planned(
    loaded: LoadedBenchmark, request: RunRequest, places: list[_Place], tell: Tell
) -> list[list[JobSpec]]:
    """The jobs of each place's entries; what is predicted for them is predicted together."""
    found, precision = lookups(loaded, request, tell), embedding_precision(request.options)
    found.predictions.make(
        question
        for place in places
        for entry in place.entries
        if not entry.failed
        for question in questions(entry, place.source, precision)
    )
    return [
        [_job(loaded, request, place, entry, found) for entry in place.entries] for place in places
    ]


def _job(
    loaded: LoadedBenchmark, request: RunRequest, place: _Place, entry: Chosen, found: Lookups
) -> JobSpec:
    choice, common, source = entry.choice, place.common, place.source
    disturbed_by = found.drawn_from(entry.recipe.augment, decode=source.opened)
    within, embedding, refused = _predicted(entry, source, request, found)
    model, recipe = within.model, within.recipe
    changed = ", ".join(f"{key}={value}" for key, value in sorted(request.settings.items()))
    inputs = {
        "stage": "train",
        "version": TRAIN_VERSION,
        "task": [common["protocol"].task, make_task(loaded, request.suite).validation_version],
        "dataset": _trained_on(source),
        "model": model.model_dump(),
        "loss": entry.loss.model_dump(),
        "recipe": recipe.model_dump(mode="json"),
        "seed": choice.seed,
        "device": request.device,
        "left_out": list(common["left_out"]),
        **({"disturbances": disturbed_by} if disturbed_by else {}),
    }
    return JobSpec(
        **common,
        model=model,
        loss=entry.loss,
        recipe=recipe,
        recipe_name=f"{choice.recipe} with {changed}" if changed else choice.recipe,
        track=recipe.track,
        seed=choice.seed,
        train_inputs=inputs,
        prediction=within.prediction,
        largest_training=within.largest,
        embedding=embedding,
        item_macs=within.macs,
        notes=within.notes,
        refused=refused,
    )


def _predicted(
    entry: Chosen, source: Source, request: RunRequest, found: Lookups
) -> tuple[Fitted, Embedding, str]:
    """The entry as it fits the budget, what embedding takes, and why it cannot be run."""
    as_it_is = Fitted(entry.model, entry.recipe, None)
    if entry.failed:
        return as_it_is, Embedding(), entry.failed
    try:
        within = fitted(entry, source, found.predictions)
        batch = EmbeddedBatch(within.model, embedding_precision(request.options))
        return within, found.predictions.embedding(batch), ""
    except JobFailed as error:
        return as_it_is, Embedding(), str(error)


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
