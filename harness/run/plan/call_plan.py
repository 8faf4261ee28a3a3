"""The jobs of a call: made once from its lists, then completed by the data they are run on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from harness.config.init_source import InitialWeights
from harness.config.loader import LoadedBenchmark
from harness.config.recipes import Recipe
from harness.datasets.listing import HELD_OUT, Listing
from harness.errors import ConfigError, JobFailed
from harness.measure.rounding import arithmetic_facts
from harness.records import record
from harness.records.recipe_name import changed_name
from harness.run.job.context import make_task
from harness.run.job.initial import Initial
from harness.run.job.spec import TRAIN_VERSION, JobSpec, embedding_precision
from harness.run.plan.initial_weights import find_initial
from harness.run.plan.predictions import Predictions, fit_entry, memory_questions
from harness.run.plan.protocol import common_fields, make_protocol
from harness.run.plan.request import (
    DatasetState,
    RunRequest,
    SuiteEnsemble,
    SuiteEntry,
)
from harness.run.plan.resolved import (
    ResolvedEntry,
    disturbances,
    resolve_entry,
)
from harness.tasks.task import baseline_names

Tell = Callable[[str], None]


def ignore_message(_: str) -> None:
    """Drop a message."""


class CallPlan:
    """The jobs of a call, checked and fitted to the budget.

    All that needs adapters' code is done from the lists, when jobs are added; the fields that rest
    on a dataset's content are added by `jobs`, when the dataset is listed or opened.

    Args:
        loaded: the benchmark.
        request: the call.
        tell: receives messages for a person who waits.
    """

    def __init__(self, loaded: LoadedBenchmark, request: RunRequest, tell: Tell) -> None:
        self._loaded, self._request = loaded, request
        self.task = make_task(loaded, request.suite)
        self.predictions = Predictions(request.cache, loaded.benchmark.budget.usable, tell)
        self._documents: dict[int, tuple[Recipe, dict[str, Any]]] = {}
        self._fields: dict[str, list[dict[str, Any]]] = {}
        self._fitted: dict[tuple[Any, ...], tuple[Recipe, dict[str, Any]]] = {}
        self._initial_weights: dict[tuple[str, InitialWeights], Initial] = {}
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

    def add(self, name: str, **fields: Any) -> None:
        """Add a job on a dataset by the fields of its `JobSpec` that are known."""
        self._fields.setdefault(name, []).append(fields)

    def add_baseline(self, name: str) -> None:
        """Add the task's rows without training on a dataset."""
        for each in baseline_names(self.task):
            model = record.RecordedComponent(
                name=each,
                adapter=self._loaded.suite(self._request.suite).task,
                version=self.task.version,
                fields={},
            )
            self.add(name, model=model, track="baseline")

    def add_entries(
        self,
        datasets: Mapping[str, DatasetState],
        entries: Mapping[str, Iterable[SuiteEntry]],
    ) -> None:
        """Resolve entries of the suite, fit them to the budget, and add their jobs.

        Args:
            datasets: by name.
            entries: of each dataset.

        Raises:
            ConfigError: an entry cannot be built.
        """
        resolved = [
            (name, entry)
            for name, names in entries.items()
            for entry in self._resolve(names, datasets[name])
        ]
        self.add_resolved(datasets, resolved)

    def _resolve(
        self, entries: Iterable[SuiteEntry], dataset: DatasetState
    ) -> Iterator[ResolvedEntry]:
        """Resolve entries on a dataset; all seeds of one share its parts, but for a teacher."""
        known: dict[SuiteEntry, ResolvedEntry] = {}
        for each in entries:
            alike = replace(each, seed=0)
            found = known.get(alike)
            if found is None or found.teacher is not None:
                found = resolve_entry(self._loaded, self._request, each, dataset, self.task)
                known[alike] = found
            yield replace(found, entry=each)

    def add_resolved(
        self,
        datasets: Mapping[str, DatasetState],
        resolved: Sequence[tuple[str, ResolvedEntry]],
        **more: Any,
    ) -> None:
        """Fit entries to the budget, and add their jobs.

        Args:
            datasets: by name.
            resolved: each entry with the name of its dataset.
            more: fields of their `JobSpec` beside those of an entry, or in place of them.
        """
        precision = embedding_precision(self._request.options)
        # Seeds of an entry share its recipe, and so what is predicted.
        distinct = {(name, _fitted_as(entry)): (name, entry) for name, entry in resolved}
        self.predictions.make(
            question
            for name, entry in distinct.values()
            if not entry.failed
            for each in filter(None, (entry, entry.teacher))
            for question in memory_questions(each, datasets[name].listing, precision)
        )
        for name, entry in resolved:
            listing = datasets[name].listing
            if "parent" in more:
                # The weights of a continuation are its parent's, whatever that one began with.
                fields = self._entry_fields(entry, listing, precision)
            else:
                fields = self._training_fields(entry, listing, precision)
            self.add(name, **{**fields, **more})

    def add_ensembles(
        self, datasets: Mapping[str, DatasetState], ensembles: Mapping[str, Iterable[SuiteEnsemble]]
    ) -> None:
        """Add the ensembles of a suite; their members are fitted to the budget as entries are.

        Args:
            datasets: by name.
            ensembles: of each dataset.

        Raises:
            ConfigError: a member cannot be built, or the task judges no logits.
        """
        precision = embedding_precision(self._request.options)
        for name, found in ensembles.items():
            for each in found:
                if self.task.output != "logits":
                    where = self._loaded.where("suites", self._request.suite)
                    raise ConfigError(
                        f"{where}.ensembles: average the logits of classifiers; this suite judges "
                        "embeddings"
                    )
                members = [
                    resolve_entry(self._loaded, self._request, member, datasets[name], self.task)
                    for member in each.members
                ]
                listing = datasets[name].listing
                self.predictions.make(
                    question
                    for member in members
                    if not member.failed
                    for question in memory_questions(member, listing, precision)
                )
                fields = [self._training_fields(member, listing, precision) for member in members]
                self.add(
                    name,
                    model=_ensemble_component(each, fields),
                    members=fields,
                    average=each.average,
                    seed=each.seed,
                    recipe_name=changed_name(f"{each.average} averaged", self._request.settings),
                    track="ensemble",
                    notes=(_ensemble_note(members),),
                    refused=next((why for one in fields if (why := one.get("refused"))), ""),
                )

    def _training_fields(
        self, entry: ResolvedEntry, listing: Listing, precision: str
    ) -> dict[str, Any]:
        """Return the fields of an entry's `JobSpec` with those of its teacher."""
        fields = self._entry_fields(entry, listing, precision)
        fields |= self._initial(entry.recipe, listing)
        if entry.teacher is not None:
            teacher = self._training_fields(entry.teacher, listing, precision)
            refused = fields.get("refused") or _untaught(teacher)
            fields |= {"teacher": teacher, "refused": refused}
        return fields

    def _entry_fields(
        self, entry: ResolvedEntry, listing: Listing, precision: str
    ) -> dict[str, Any]:
        """Return the fields of an entry's `JobSpec` that are known from lists."""
        # Refused before anything is decoded, if a folder is not there.
        self._disturbances(entry.recipe.augment, decode=False)
        return {
            "loss": entry.loss,
            "recipe_name": entry.recipe_name,
            "track": entry.recipe.track,
            "seed": entry.entry.seed,
            **self._memory_fields(entry, listing, precision),
        }

    def jobs(self, datasets: Mapping[str, DatasetState]) -> list[JobSpec]:
        """Complete the jobs of some datasets, those of each dataset together.

        Args:
            datasets: by name, as far as they are known now.

        Raises:
            DataError: what is left of a dataset is not enough for the suite's task.
        """
        found = []
        for name, dataset in datasets.items():
            if dataset.opened:
                self.check_lists(dataset)
            protocol = make_protocol(
                self._loaded, self._request.suite, self._request.profile, dataset.lock
            )
            shared = common_fields(self._loaded, self._request, dataset, protocol)
            planned = self._fields.get(name, [])
            recipes = Counter(map(_pair, planned))
            found += [
                self._job(
                    {**fields, "is_one_of_several": recipes[_pair(fields)] > 1},
                    shared,
                    dataset,
                    protocol,
                )
                for fields in planned
            ]
        return found

    def _job(
        self,
        fields: dict[str, Any],
        shared: dict[str, Any],
        dataset: DatasetState,
        protocol: record.Protocol,
    ) -> JobSpec:
        """Complete a job, and those that it rests on: its teacher, or members."""
        known = dict(fields)
        if "members" in fields:
            known["members"] = tuple(
                self._job(each, shared, dataset, protocol) for each in fields["members"]
            )
        if "teacher" in fields:
            known["teacher"] = self._job(fields["teacher"], shared, dataset, protocol)
        if "recipe" in fields:
            known["train_inputs"] = self._train_inputs(known, dataset, protocol)
        facts = arithmetic_facts(self._request.device, fields.get("recipe"))
        where = shared["environment"].model_copy(update={"arithmetic": facts})
        return JobSpec(**{**shared, "environment": where}, **known)

    def _memory_fields(
        self, entry: ResolvedEntry, listing: Listing, precision: str
    ) -> dict[str, Any]:
        """Return the fields that rest on predictions, or the reason why the job is refused."""
        place = listing.name, _fitted_as(entry)
        if place not in self._fitted:
            failed = entry.failed
            fields = {"model": entry.model, "recipe": entry.recipe}
            try:
                if not failed:
                    fields = fit_entry(entry, listing, self.predictions, precision)
            except JobFailed as error:
                failed = str(error)
            # With its recipe, which stays alive: another one has no chance of the same identity.
            self._fitted[place] = entry.recipe, {**fields, "refused": failed}
        return self._fitted[place][1]

    def _document(self, recipe: Recipe) -> dict[str, Any]:
        """Return a recipe as JSON has it, made once for all seeds."""
        # With the recipe, which stays alive: another one has no chance of the same identity.
        if id(recipe) not in self._documents:
            self._documents[id(recipe)] = recipe, recipe.model_dump(mode="json")
        return self._documents[id(recipe)][1]

    def _initial(self, recipe: Recipe, listing: Listing) -> dict[str, Any]:
        """Return the fields that rest on the weights which training begins with; none of most."""
        if recipe.init is None:
            return {}
        place = listing.name, recipe.init
        if place not in self._initial_weights:
            runs = self._request.runs
            self._initial_weights[place] = find_initial(self._loaded, runs, recipe.init, listing)
        found = self._initial_weights[place]
        return {"initial": found, "trained_on": found.trained_on}

    def _train_inputs(
        self, fields: dict[str, Any], dataset: DatasetState, protocol: record.Protocol
    ) -> dict[str, Any]:
        """Return all that can change the weights: of a dataset all but the test trials."""
        lock, listing, recipe = dataset.lock, dataset.listing, fields["recipe"]
        joined = listing.config.join_seconds
        disturbed_by = self._disturbances(recipe.augment, decode=dataset.opened)
        return {
            "stage": "train",
            "version": TRAIN_VERSION,
            "task": [protocol.task, self.task.validation_version],
            "dataset": {
                "name": listing.name,
                "profile": listing.profile,
                "validation_trials": lock.trials.get("validation", ""),
                **({"join_seconds": joined} if joined else {}),
                **lock.model_dump(include={"manifest", "split", "content"}),
            },
            "model": fields["model"].model_dump(),
            "loss": fields["loss"].model_dump(),
            "recipe": self._document(recipe),
            "seed": fields["seed"],
            "device": self._request.device,
            "left_out": list(dataset.left_out),
            **({"disturbances": disturbed_by} if disturbed_by else {}),
            **({"parent": fields["parent"].inputs} if "parent" in fields else {}),
            **({"init": fields["initial"].inputs} if "initial" in fields else {}),
            **({"teacher": fields["teacher"].train.key} if "teacher" in fields else {}),
        }


def _fitted_as(entry: ResolvedEntry) -> tuple[SuiteEntry, int]:
    """Return what entries have in common that are fitted to the budget alike."""
    return replace(entry.entry, seed=0), id(entry.recipe)


def _pair(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what several jobs have in common that differ in their recipes alone."""
    loss = fields.get("loss")
    return fields["model"].name, loss.name if loss else None, fields.get("seed")


def _ensemble_component(
    ensemble: SuiteEnsemble, members: Sequence[Mapping[str, Any]]
) -> record.RecordedComponent:
    """Return an ensemble as a record holds it: by its members."""
    names = [
        {
            "model": each["model"].name,
            "loss": each["loss"].name,
            "recipe": each["recipe_name"],
            "seed": each["seed"],
        }
        for each in members
    ]
    return record.RecordedComponent(
        name=ensemble.name,
        adapter="harness.metrics.classifier_scores:averaged_logits",
        version=1,
        fields={"average": ensemble.average, "members": names},
    )


def _ensemble_note(members: Sequence[ResolvedEntry]) -> str:
    """Name the members of an ensemble for its row."""
    named = dict.fromkeys(
        f"{each.model.name} + {each.loss.name} ({each.recipe_name})" for each in members
    )
    return f"the mean of {len(members)} networks: {', '.join(named)}"


def _untaught(teacher: Mapping[str, Any]) -> str:
    """Return why nobody can teach; empty if the teacher can be trained."""
    refused = teacher.get("refused")
    return f"its teacher: {refused}" if refused else ""
