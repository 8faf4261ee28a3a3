"""Plan a call: a suite, its entries on some datasets, what is measured, or a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from harness.config.loader import LoadedBenchmark, look_up
from harness.errors import ConfigError, JobFailed, RequestError
from harness.records.documents import sha256_file
from harness.run.job.spec import Embedding, JobSpec
from harness.run.plan.adapter_workers import adapter_facts, ask_input
from harness.run.plan.call_plan import CallPlan, Tell, ignore_message
from harness.run.plan.memory_questions import EmbeddedBatch
from harness.run.plan.request import (
    CheckpointEntry,
    DatasetState,
    RunRequest,
    entry_to_measure,
    requested_suite,
    suite_ensembles,
    suite_entries,
)


def plan_suite(
    loaded: LoadedBenchmark,
    request: RunRequest,
    datasets: Mapping[str, DatasetState],
    tell: Tell = ignore_message,
) -> CallPlan:
    """Plan every job of a call, the baseline of each dataset first.

    Args:
        loaded: the benchmark.
        request: the call.
        datasets: those that are here, by name.
        tell: receives messages for a person who waits.

    Raises:
        ConfigError: something asked for is not of the suite, or cannot be built.
        DataError: a dataset's lists are not enough for the suite's task.
    """
    suite, plan = requested_suite(loaded, request), CallPlan(loaded, request, tell)
    for dataset in datasets.values():
        plan.check_lists(dataset)
    for name in datasets:
        plan.add_baseline(name)
    plan.add_entries(
        datasets,
        {
            name: suite_entries(suite, request, each.listing.table)
            for name, each in datasets.items()
        },
    )
    plan.add_ensembles(
        datasets,
        {
            name: suite_ensembles(suite, request, each.listing.table)
            for name, each in datasets.items()
        },
    )
    return plan


def plan_jobs(
    loaded: LoadedBenchmark,
    request: RunRequest,
    datasets: Mapping[str, DatasetState],
    tell: Tell = ignore_message,
) -> list[JobSpec]:
    """Return every job of a call, planned and completed by the same datasets (see `plan_suite`)."""
    return plan_suite(loaded, request, datasets, tell).jobs(datasets)


def plan_measuring(
    loaded: LoadedBenchmark,
    request: RunRequest,
    datasets: Mapping[str, DatasetState],
    tell: Tell = ignore_message,
) -> CallPlan:
    """Plan a job for each model that takes a dataset's kind of items, in the suite or not.

    A model that the suite does not have is measured with the loss and the recipe of its first
    entry.

    Args:
        loaded: the benchmark.
        request: the call; models and losses that it names are the only ones.
        datasets: their items and classes give the shapes.
        tell: receives messages for a person who waits.

    Raises:
        ConfigError: there is no such model or loss, or it cannot be built.
    """
    plan, models = CallPlan(loaded, request, tell), loaded.benchmark.models

    def takes(name: str, kind: str) -> bool:
        try:
            return ask_input(models[name], loaded.where("models", name)).kind == kind
        except JobFailed:  # planned all the same: its row says why
            return True

    for name, dataset in datasets.items():
        kind = dataset.listing.corpus.kind
        wanted = [each for each in request.models if look_up(models, each, "model")]
        wanted = wanted or [each for each in models if takes(each, kind)]
        entries = [entry_to_measure(loaded, request, each) for each in wanted]
        plan.add_entries({name: dataset}, {name: entries})
    return plan


def plan_checkpoint(
    loaded: LoadedBenchmark,
    request: RunRequest,
    datasets: Mapping[str, DatasetState],
    entry: CheckpointEntry,
) -> CallPlan:
    """Plan the evaluation of a checkpoint made elsewhere, after the baseline of each dataset.

    Raises:
        RequestError: there is no such file.
        ConfigError: there is no such model or loss, or the task wants a head.
    """
    if not entry.path.is_file():
        raise RequestError(f"{entry.path}: no such checkpoint")
    plan = CallPlan(loaded, request, ignore_message)
    if plan.task.output == "logits" and entry.loss is None:
        raise ConfigError(f"suite {request.suite!r} judges logits: name the head with --loss")
    for dataset in datasets.values():
        plan.check_lists(dataset)
    models, losses = loaded.benchmark.models, loaded.benchmark.losses
    content = sha256_file(entry.path)
    model = adapter_facts("models", entry.model, look_up(models, entry.model, "model"))
    loss = None
    if entry.loss:
        loss = adapter_facts("losses", entry.loss, look_up(losses, entry.loss, "loss"))
    refused = "; ".join(each.failed for each in (model, loss) if each and each.failed)
    embedding = Embedding()
    if not refused:
        with suppress(JobFailed):  # nothing rests on it but how many items are embedded at once
            embedding = plan.predictions.embedding(EmbeddedBatch(model.component))
    for name in datasets:
        plan.add_baseline(name)
        plan.add(
            name,
            model=model.component,
            loss=loss.component if loss else None,
            # Many are called avg_model.pt: the digits keep two from taking each other's row.
            recipe_name=f"checkpoint {entry.path.name} {content[:8]}",
            track="checkpoint",
            checkpoint=entry.path,
            checkpoint_sha256=content,
            embedding=embedding,
            refused=refused,
        )
    return plan
