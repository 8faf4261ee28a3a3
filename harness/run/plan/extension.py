"""Plan more training from where a finished run stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from harness.adapter import CHECKPOINTING
from harness.config.loader import LoadedBenchmark, look_up, with_settings
from harness.config.recipe_tables import LearningRate, Rise
from harness.config.recipes import Recipe
from harness.errors import ConfigError, RequestError
from harness.records.documents import canonical_json
from harness.records.recipe_name import changed_name
from harness.records.record import Record, RecordedComponent
from harness.records.record_files import read_record
from harness.run.folder import find_run
from harness.run.job.parent import Parent
from harness.run.job.results import read_result, stage_folder
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import adapter_facts
from harness.run.plan.call_plan import CallPlan, Tell
from harness.run.plan.request import DatasetState, RunRequest, SuiteEntry
from harness.run.plan.resolved import ResolvedEntry
from harness.run.plan.status import differences
from harness.series.scalar_names import TRAINING
from harness.series.series_file import FILE, read_own
from harness.train.training_progress import RESUME

TRACK = "extended"
"""Track of a continuation: it keeps to no budget that others share."""

ONE_OF = {"models": "model", "losses": "loss"}

KEPT = ("optimizer.name", "precision", "augment.speeds", "sampler", "fine_tune", "distill")
"""Keys of a recipe that the finished training's state rests on."""


@dataclass(frozen=True)
class FinishedTraining:
    """A training that may go on.

    Attributes:
        record: of its run.
        recipe: that it ended with: of its fine-tuning, if it had one.
        parent: what its continuation must know of it.
        values: series -> value at its last step.
    """

    record: Record
    recipe: Recipe
    parent: Parent
    values: Mapping[str, float]


def read_finished(runs: Path, run: Path) -> FinishedTraining:
    """Read a finished training, whose run is given as to `find_run`.

    Raises:
        RequestError: there is none, or it left no state that could go on.
    """
    place = find_run(runs, run)
    record = read_record(place)
    stage = record.stages.get("train")
    if stage is None or record.recipe is None or record.state != "done":
        raise RequestError(f"{run}: is {record.state}, and no finished training that could go on")
    folder = stage_folder(runs, "train", stage.key)
    result = read_result(folder) if folder.is_dir() else None
    if result is None or not (folder / RESUME).is_file() or not (folder / FILE).is_file():
        raise RequestError(
            f"{run}: the last state of its training is not in {folder} any more: it was made "
            "elsewhere, or `harness runs gc` deleted it; train it again in a new --runs folder"
        )
    first, *second = Recipe.model_validate(record.recipe).phases
    if first.distill is not None:
        raise RequestError(
            f"{run}: was taught by another network; give its recipe more epochs instead"
        )
    recipe = second[0] if second else first
    if recipe.augment.speeds != first.augment.speeds:
        raise RequestError(
            f"{run}: its fine-tuning left out the speeds of its training, whose classes stay; give "
            "the recipe a longer fine_tune instead"
        )
    step, fine_tuned = result["steps"], result.get("before_fine_tuning")
    scalars = read_own(folder / FILE).scalars
    last = scalars[scalars["step"] == step]
    return FinishedTraining(
        record,
        recipe,
        Parent(
            train=stage.key,
            step=step,
            epochs=float(last["epoch"].max()),
            began=fine_tuned["steps"] if fine_tuned else 0,
        ),
        dict(zip(last["name"], last["value"], strict=True)),
    )


def continued_recipe(
    finished: FinishedTraining,
    settings: dict[str, Any],
    *,
    epochs: float | None = None,
    steps: int | None = None,
) -> Recipe:
    """Return the recipe of a continuation.

    The learning rate and all that schedules drive stay what they were at the last step, unless
    settings say otherwise.

    Args:
        finished: the training.
        settings: keys to change, as `--set` gives them.
        epochs, steps: how much more; one of the two.

    Raises:
        RequestError: not one of the two is given.
        ConfigError: a setting is wrong, or changes what the state rests on.
    """
    if (epochs is None) == (steps is None):
        raise RequestError("give either --epochs or --steps: how much more is trained")
    if {"epochs", "steps"} & settings.keys():
        raise ConfigError("--set: how much more is trained is said by --epochs or --steps")
    before = finished.recipe
    held = {
        name: Rise(final_value=finished.values[f"{TRAINING}/{name}"], end=0.0)
        for name in before.schedules
        if f"{TRAINING}/{name}" in finished.values
    }
    rate = finished.values[f"{TRAINING}/lr"]
    steady = before.model_copy(
        update={
            "optimizer": before.optimizer.model_copy(update={"lr": rate}),
            "learning_rate": LearningRate(shape="constant", warmup=0.0),
            "schedules": held,
        }
    )
    length = {"epochs": float(epochs)} if epochs is not None else {"steps": steps}
    recipe = with_settings(with_settings(steady, settings, "--set "), length, "--")
    for key in KEPT:
        if attrgetter(key)(recipe) != attrgetter(key)(before):
            raise ConfigError(
                f"--set {key}: the finished training's state goes on, which rests on it; leave it "
                "as it was"
            )
    return recipe


def plan_extension(
    loaded: LoadedBenchmark,
    request: RunRequest,
    datasets: Mapping[str, DatasetState],
    finished: FinishedTraining,
    recipe: Recipe,
    tell: Tell,
) -> CallPlan:
    """Plan the continuation of a finished training, and nothing beside it.

    Args:
        loaded: the benchmark.
        request: the call; its settings are in the recipe already.
        datasets: that of the training, by name.
        finished: the training.
        recipe: of the continuation.
        tell: receives messages for a person who waits.

    Raises:
        ConfigError: the benchmark has no such model or loss.
        RequestError: one of them is another now.
    """
    record, plan = finished.record, CallPlan(loaded, request, tell)
    if record.loss is None or record.seed is None:
        raise RequestError("a training without a loss or a seed cannot go on")
    for section, component in (("models", record.model), ("losses", record.loss)):
        _check_component(loaded, section, component)
    length = f"{recipe.steps} steps" if recipe.steps else f"{recipe.epochs:g} epochs"
    named = f"{record.recipe_name} extended by {length}"
    entry = SuiteEntry(record.model.name, record.loss.name, named, record.seed)
    called = changed_name(named, request.settings)
    resolved = ResolvedEntry(entry, record.model, record.loss, recipe, called)
    for name, dataset in datasets.items():
        plan.check_lists(dataset)
        more = {"parent": finished.parent, "trained_on": record.trained_on}
        plan.add_resolved(datasets, [(name, resolved)], track=TRACK, **more)
    return plan


def check_unchanged(job: JobSpec, finished: FinishedTraining) -> None:
    """Refuse a continuation on other data, or by another task, than the finished training's.

    Raises:
        RequestError: what differs.
    """
    then = finished.record.stages["train"].inputs
    now = json.loads(canonical_json(job.train_inputs or {}))
    own = {"recipe", "parent", "init"}
    if job.recipe is None or job.recipe.augment != finished.recipe.augment:
        own |= {"disturbances"}
    before, after = ({key: each[key] for key in each if key not in own} for each in (then, now))
    if changed := sorted(differences(before, after)):
        raise RequestError(
            f"what it was trained with has changed since: {', '.join(changed[:4])}; check out "
            f"{finished.record.code[:12]}, which trained it"
        )


def _check_component(loaded: LoadedBenchmark, section: str, component: RecordedComponent) -> None:
    """Refuse an adapter that is not the recorded one; checkpointing may have been added to it."""
    tables = getattr(loaded.benchmark, section)
    table = look_up(tables, component.name, ONE_OF[section])
    facts = adapter_facts(section, component.name, table)
    if facts.failed:
        raise RequestError(f"{section}.{component.name}: {facts.failed}")

    def identity(each: RecordedComponent) -> tuple[str, int, str]:
        fields = {key: value for key, value in each.fields.items() if key != CHECKPOINTING}
        return each.adapter, each.version, canonical_json(fields)

    if identity(facts.component) != identity(component):
        raise RequestError(
            f"{section}.{component.name}: its fields or its version are others than the finished "
            f"training's ({component.adapter}, version {component.version})"
        )
