"""Plan the jobs of a call: once from its lists, then completed by the data they are run on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from harness.config.loader import LoadedBenchmark, known
from harness.datasets.listed import HELD_OUT
from harness.errors import ConfigError, JobFailed, RequestError
from harness.records import record
from harness.records.canonical import sha256_file
from harness.run.job.context import make_task
from harness.run.job.spec import TRAIN_VERSION, Embedding, JobSpec, embedding_precision
from harness.run.plan.fit_to_budget import FittedEntry, fit_entry, memory_questions
from harness.run.plan.memory_questions import EmbeddedBatch
from harness.run.plan.predictions import Predictions
from harness.run.plan.protocol import make_protocol, shared_fields
from harness.run.plan.recipe_checks import disturbances
from harness.run.plan.request import (
    CheckpointEntry,
    DatasetState,
    RunRequest,
    SuiteEntry,
    entry_to_measure,
    requested_suite,
    suite_entries,
)
from harness.run.plan.resolved import ResolvedEntry, adapter_facts, ask_input, resolve_entry

Tell = Callable[[str], None]


def ignore_message(_: str) -> None:
    """Drop a message."""


@dataclass(frozen=True)
class JobDraft:
    """A job without the fields that its dataset decides.

    Attributes:
        fields: the other fields of its `JobSpec`.
        is_trained: True if it has a stage of training.
    """

    fields: dict[str, Any]
    is_trained: bool = False


class CallPlan:
    """The jobs of a call, checked and fitted to the budget.

    All that needs adapters' code is done from the lists, when drafts are added; the jobs are
    completed by the datasets, listed or opened.

    Args:
        loaded: the benchmark.
        request: the call.
        tell: receives messages for a person who waits.
    """

    def __init__(self, loaded: LoadedBenchmark, request: RunRequest, tell: Tell) -> None:
        self._loaded, self._request = loaded, request
        self.task = make_task(loaded, request.suite)
        self.predictions = Predictions(request.cache, loaded.benchmark.budget.usable, tell)
        self._drafts: dict[str, list[JobDraft]] = {}
        # A folder of rooms holds tens of thousands of files: each is hashed once.
        self._disturbances = cache(
            partial(disturbances, folder=loaded.folder, cache=request.cache, tell=tell)
        )

    def check_lists(self, dataset: DatasetState) -> None:
        """Refuse a dataset that the suite's task could not judge, before anything is trained.

        Raises:
            ConfigError, DataError: the lists of a held-out split are not enough for the task.
        """
        # Once by the lists; again if something of them was left out since.
        if not dataset.opened or dataset.left_out:
            for split in HELD_OUT:
                self.task.lists(dataset.listing, split, dataset.left_out)

    def add_baseline(self, name: str) -> None:
        """Add the task's no-training baseline on a dataset."""
        kind = self._loaded.suite(self._request.suite).task
        model = record.Component(
            name=self.task.baseline_name, adapter=kind, version=self.task.version, fields={}
        )
        self.add(name, JobDraft({"model": model, "track": "baseline"}))

    def add(self, name: str, draft: JobDraft) -> None:
        """Add a job on a dataset."""
        self._drafts.setdefault(name, []).append(draft)

    def resolve(self, dataset: DatasetState, entries: Iterable[SuiteEntry]) -> list[ResolvedEntry]:
        """Resolve entries of the suite on a dataset.

        Raises:
            ConfigError: an entry cannot be built.
        """
        return [
            resolve_entry(self._loaded, self._request, each, dataset, self.task) for each in entries
        ]

    def add_entries(self, entries: Mapping[str, list[ResolvedEntry]],
                    datasets: Mapping[str, DatasetState]) -> None:  # fmt: skip
        """Fit entries to the budget and add their jobs; predictions are made together."""
        precision = embedding_precision(self._request.options)
        self.predictions.make(
            question
            for name, resolved in entries.items()
            for entry in resolved
            if not entry.failed
            for question in memory_questions(entry, datasets[name].listing, precision)
        )
        for name, resolved in entries.items():
            for entry in resolved:
                # Refused before anything is decoded, if a folder is not there.
                self._disturbances(entry.recipe.augment, decode=False)
                self.add(name, self._draft(entry, datasets[name]))

    def jobs(self, datasets: Mapping[str, DatasetState]) -> list[JobSpec]:
        """Complete the jobs of some datasets, those of each dataset together.

        Args:
            datasets: by name, as far as they are known now.

        Raises:
            DataError: what is left of a dataset is not enough for the suite's task.
        """
        return [job for name, each in datasets.items() for job in self._completed(name, each)]

    def _completed(self, name: str, dataset: DatasetState) -> Iterator[JobSpec]:
        if dataset.opened:
            self.check_lists(dataset)
        protocol = make_protocol(self._loaded, self._request, dataset)
        shared = shared_fields(self._loaded, self._request, dataset, protocol)
        for draft in self._drafts.get(name, []):
            inputs = self._train_inputs(draft, shared, dataset) if draft.is_trained else None
            yield JobSpec(**shared, **draft.fields, train_inputs=inputs)

    def _draft(self, entry: ResolvedEntry, dataset: DatasetState) -> JobDraft:
        request, names = self._request, entry.entry
        within, embedding, refused = (
            FittedEntry(entry.model, entry.recipe, None), Embedding(), entry.failed,
        )  # fmt: skip
        try:
            if not refused:
                fitted = fit_entry(entry, dataset.listing, self.predictions)
                precision = embedding_precision(request.options)
                embedding = self.predictions.embedding(EmbeddedBatch(fitted.model, precision))
                within = fitted
        except JobFailed as error:
            refused = str(error)
        changed = ", ".join(f"{key}={value}" for key, value in sorted(request.settings.items()))
        fields = {
            "model": within.model,
            "loss": entry.loss,
            "recipe": within.recipe,
            "recipe_name": f"{names.recipe} with {changed}" if changed else names.recipe,
            "track": within.recipe.track,
            "seed": names.seed,
            "prediction": within.prediction,
            "largest_training": within.largest,
            "embedding": embedding,
            "item_macs": within.macs,
            "notes": within.notes,
            "refused": refused,
        }
        return JobDraft(fields, is_trained=True)

    def _train_inputs(
        self, draft: JobDraft, shared: dict[str, Any], dataset: DatasetState
    ) -> dict[str, Any]:
        """Return all that can change the weights: of a dataset all but the test trials."""
        fields, lock, listing = draft.fields, dataset.lock, dataset.listing
        joined = listing.config.join_seconds
        disturbed_by = self._disturbances(fields["recipe"].augment, decode=dataset.opened)
        return {
            "stage": "train",
            "version": TRAIN_VERSION,
            "task": [shared["protocol"].task, self.task.validation_version],
            "dataset": {
                "name": listing.name,
                "profile": listing.profile,
                "validation_trials": lock.trials.get("validation", ""),
                **({"join_seconds": joined} if joined else {}),
                **lock.model_dump(include={"manifest", "split", "content"}),
            },
            "model": fields["model"].model_dump(),
            "loss": fields["loss"].model_dump(),
            "recipe": fields["recipe"].model_dump(mode="json"),
            "seed": fields["seed"],
            "device": self._request.device,
            "left_out": list(dataset.left_out),
            **({"disturbances": disturbed_by} if disturbed_by else {}),
        }


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
    entries = {
        name: plan.resolve(each, suite_entries(suite, request, each.listing.table))
        for name, each in datasets.items()
    }
    for name in datasets:
        plan.add_baseline(name)
    plan.add_entries(entries, datasets)
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
    dataset: DatasetState,
    tell: Tell = ignore_message,
) -> CallPlan:
    """Plan one job for each model that takes a dataset's kind of items, in the suite or not.

    A model that the suite does not have is measured with the loss and the recipe of its first
    entry.

    Args:
        loaded: the benchmark.
        request: the call; models and losses that it names are the only ones.
        dataset: its items and classes give the shapes.
        tell: receives messages for a person who waits.

    Raises:
        ConfigError: there is no such model or loss, or it cannot be built.
    """
    plan, name = CallPlan(loaded, request, tell), dataset.listing.name
    models = _models_to_measure(loaded, request, dataset.listing.corpus.kind)
    entries = [entry_to_measure(loaded, request, model) for model in models]
    plan.add_entries({name: plan.resolve(dataset, entries)}, {name: dataset})
    return plan


def _models_to_measure(loaded: LoadedBenchmark, request: RunRequest, kind: str) -> list[str]:
    models = loaded.benchmark.models
    if request.models:
        return [name for name in request.models if known(models, name, "model")]
    found = []
    for name, table in models.items():
        try:
            if ask_input(table, loaded.where("models", name)).kind == kind:
                found.append(name)
        except JobFailed:  # planned all the same: its row says why
            found.append(name)
    return found


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
    model = adapter_facts("models", entry.model, known(models, entry.model, "model"))
    loss = (
        adapter_facts("losses", entry.loss, known(losses, entry.loss, "loss"))
        if entry.loss
        else None
    )
    refused = "; ".join(each.failed for each in (model, loss) if each and each.failed)
    embedding = Embedding()
    if not refused:
        with suppress(JobFailed):  # nothing rests on it but how many items are embedded at once
            embedding = plan.predictions.embedding(EmbeddedBatch(model.component))
    fields = {
        "model": model.component,
        "loss": loss.component if loss else None,
        # Many are called avg_model.pt: the digits keep two of them from taking each other's row.
        "recipe_name": f"checkpoint {entry.path.name} {content[:8]}",
        "track": "checkpoint",
        "checkpoint": entry.path,
        "checkpoint_sha256": content,
        "embedding": embedding,
        "refused": refused,
    }
    for name in datasets:
        plan.add_baseline(name)
        plan.add(name, JobDraft(fields))
    return plan
