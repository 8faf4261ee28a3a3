"""Resolve a suite entry to adapters and a recipe, and check that these go together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from harness.adapter import Input
from harness.config.loader import LoadedBenchmark, with_settings
from harness.config.recipe_tables import Augment
from harness.config.recipes import Recipe
from harness.data.corpus import SAMPLE_RATE, OfVectors
from harness.datasets.lengths import Need, frame_count, least_frames
from harness.datasets.packing.pack_request import MessageCallback, ignore_message
from harness.datasets.ranked_pairs import GRADE
from harness.errors import ConfigError, nearest
from harness.feeding.libraries import library_sources
from harness.measure.environment import fast_precision
from harness.records import record
from harness.records.recipe_name import RecipeName, changed_name
from harness.run.plan.adapter_workers import adapter_facts, model_input
from harness.run.plan.questions import Description
from harness.run.plan.request import DatasetState, RunRequest, SuiteEntry
from harness.tasks.task import Task

GRADED = frozenset({"pairs", "grades"})

GIVEN = frozenset({"full_batch", "counts", "views", "epoch_embeddings"})
"""A loss sees a step's whole batch, in however many parts it goes through the network."""

MENDS = {
    "pk": "several utterances of each of a batch's speakers (pk); give the recipe a sampler with "
    "two utterances or more, as in sampler = { speakers = 16, utterances = 4 }",
    **dict.fromkeys(
        GRADED,
        "items that are graded, and this dataset grades none; choose another loss, or a dataset "
        "that ranks its items (of open-impacts: rank_by)",
    ),
}


@dataclass(frozen=True)
class ResolvedEntry:
    """One entry of a suite on one dataset, checked, before it is fitted to a budget.

    Attributes:
        entry: its names.
        model, loss: the system.
        recipe: with the changes of suite and call.
        recipe_name: of the recipe, with the changes of the call and the budget.
        failed: the reason why its adapters cannot be described; empty if they can.
        teacher: the entry that teaches it; None if its recipe names none.
    """

    entry: SuiteEntry
    model: record.RecordedComponent
    loss: record.RecordedComponent
    recipe: Recipe
    recipe_name: str
    failed: str = ""
    teacher: ResolvedEntry | None = None


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
    table = tables.models[entry.model]
    if isinstance(listing.corpus, OfVectors):
        table = table.on_dataset(listing.corpus.sizes(listing.folder))
    model = adapter_facts("models", entry.model, table)
    loss = adapter_facts("losses", entry.loss, tables.losses[entry.loss])
    recipe = _recipe(loaded, request, listing.table, entry)
    name = _recipe_name(request, entry, recipe)
    if entry.budget:
        recipe = with_budget(recipe, entry.budget, f"suites.{request.suite}.budgets: ")
    where = loaded.where("recipes", entry.recipe)
    if loss.description is not None:
        given = loss.description.needs - (GRADED if GRADE in listing.items else set())
        check_needs(given, loaded.where("losses", entry.loss), recipe)
        _check_schedules(loaded, recipe, loss.description, where)
        check_mixing(recipe, loss.description.mixes, entry.loss, where)
    check_augment(recipe, task, listing.corpus.kind, where)
    declared = model_input(entry.model, table)
    if declared is not None and declared.kind == "audio":
        check_crops(recipe, Need(entry.model, declared), where)
    failed = "; ".join(filter(None, (model.failed, loss.failed)))
    teacher = _teacher(loaded, request, entry, recipe, dataset, task) if recipe.distill else None
    if teacher is not None:
        theirs = model_input(teacher.model.name, tables.models[teacher.model.name])
        check_teacher(teacher, declared, theirs, f"{where}.distill")
    return ResolvedEntry(entry, model.component, loss.component, recipe, name, failed, teacher)


def _teacher(
    loaded: LoadedBenchmark,
    request: RunRequest,
    entry: SuiteEntry,
    recipe: Recipe,
    dataset: DatasetState,
    task: Task,
) -> ResolvedEntry | None:
    """Return the entry that teaches, as the benchmark file has it: no setting of the call is its.

    Raises:
        ConfigError: a name is not there, or the teacher has a teacher.
    """
    plan = recipe.distill
    if plan is None:
        return None
    where = loaded.where("recipes", entry.recipe) + ".distill."
    tables = loaded.benchmark
    for kind, name, known in (
        ("model", plan.model, [*tables.models]),
        ("loss", plan.loss or entry.loss, [*tables.losses]),
        ("recipe", plan.recipe, [*tables.recipes]),
    ):
        if name not in known:
            raise ConfigError(
                f"{where}{kind}: no {kind} is called {name!r}; {nearest(name, known)}"
            )
    if tables.recipes[plan.recipe].distill is not None:
        raise ConfigError(f"{where}recipe: {plan.recipe!r} has a teacher itself; name that one")
    seed = entry.seed if plan.seed is None else plan.seed
    named = SuiteEntry(plan.model, plan.loss or entry.loss, plan.recipe, seed)
    return resolve_entry(loaded, replace(request, settings={}), named, dataset, task)


def check_teacher(
    teacher: ResolvedEntry, declared: Input | None, theirs: Input | None, where: str
) -> None:
    """Refuse a teacher that cannot answer a student's inputs.

    Args:
        teacher: the entry.
        declared, theirs: inputs of the student and of the teacher; None if one is not known.
        where: the recipe's table, for the error.

    Raises:
        ConfigError: the two networks take other inputs.
    """
    if declared is not None and theirs is not None and declared != theirs:
        raise ConfigError(
            f"{where}: {teacher.model.name} takes {theirs}, and its student {declared}; a teacher "
            "answers the student's own inputs, so give two networks of one input"
        )


def with_budget(recipe: Recipe, crops: int, where: str) -> Recipe:
    """Return a recipe as long as it takes to see a number of crops, its schedules stretched.

    Raises:
        ConfigError: they are no whole number of its batches.
    """
    steps, rest = divmod(crops, recipe.batch)
    if rest or not steps:
        raise ConfigError(
            f"{where}{crops} crops are no whole number of batches of {recipe.batch}; "
            f"give {max(1, steps) * recipe.batch} or {(max(1, steps) + 1) * recipe.batch}"
        )
    return with_settings(recipe, {"steps": steps}, where)


def check_needs(needs: frozenset[str], where: str, recipe: Recipe | None = None) -> None:
    """Refuse a loss that the recipe's batches would not serve.

    Args:
        needs: of a batch or of the data (see `harness.adapter.LossAdapter`).
        where: the loss's table, for the error.
        recipe: of its training; None for batches of items as they come.

    Raises:
        ConfigError: it asks for batches that the recipe does not draw.
    """
    samplers = [phase.sampler for phase in recipe.phases] if recipe else [None]
    several = all(sampler is not None and sampler.utterances > 1 for sampler in samplers)
    for need in sorted(needs - GIVEN - ({"pk"} if several else set())):
        mend = MENDS.get(need, f"{need!r}, which nothing here gives; choose another loss")
        raise ConfigError(f"{where}: asks for batches with {mend}")


def check_mixing(recipe: Recipe, mixes: bool, loss: str, where: str) -> None:
    """Refuse a recipe that mixes items for a loss that knows one label of each.

    Raises:
        ConfigError: names both.
    """
    if not mixes and any(phase.augment.mixes for phase in recipe.phases):
        raise ConfigError(
            f"{where}.augment: mixes items (mixup, cutmix), and the loss {loss!r} knows one label "
            "of each; take them out, or choose a loss that weighs both, as softmax"
        )


def check_crops(recipe: Recipe, need: Need, where: str) -> None:
    """Refuse crops that are too short for the network.

    Args:
        recipe: of training and evaluation.
        need: of the network.
        where: the recipe's table, for the error.

    Raises:
        ConfigError: a crop has fewer frames than the network needs.
    """
    crops = [("crop_seconds", recipe.crop_seconds)]
    if recipe.fine_tune:
        crops.append(("fine_tune.crop_seconds", recipe.phases[1].crop_seconds))
    if recipe.test_crops:
        crops.append(("test_crops.seconds", recipe.test_crops.seconds))
    for key, seconds in crops:
        if seconds is None:
            continue
        frames = frame_count(need.declared, round(seconds * SAMPLE_RATE))
        if frames < least_frames(need.declared):
            raise ConfigError(
                f"{where}.{key}: {seconds:g} s are {frames} frames, and {need.who} needs "
                f"{need.least}; give longer crops"
            )


def check_augment(recipe: Recipe, task: Task, kind: str, where: str) -> None:
    """Refuse an augmentation that cannot be meant.

    Args:
        recipe: the recipe, its settings included.
        task: judges the system.
        kind: of the dataset's items.
        where: the recipe's place, for the error.

    Raises:
        ConfigError: sound is to be changed or cut and there is none, or speeds make classes
            that nobody judges.
    """
    augment = recipe.augment
    if recipe.test_crops and kind != "audio":
        raise ConfigError(f"{where}.test_crops: cuts sound; this dataset has none ({kind}s)")
    if augment.on_waveforms and kind != "audio":
        raise ConfigError(f"{where}.augment: changes sound; this dataset has none ({kind}s)")
    if kind != "image" and (augment.pictures or augment.cutmix):
        key = "pictures" if augment.pictures else "cutmix"
        raise ConfigError(
            f"{where}.augment.{key}: changes pictures; this dataset has none ({kind}s)"
        )
    if not augment.speeds:
        return
    if recipe.crop_seconds is None:
        raise ConfigError(f"{where}.augment.speeds: needs crops of one length; give crop_seconds")
    if task.output == "logits":
        raise ConfigError(
            f"{where}.augment.speeds: each speed makes classes of its own, and this suite judges "
            "the classes; take it out"
        )


def disturbances(
    augment: Augment,
    folder: Path,
    cache: Path,
    tell: MessageCallback = ignore_message,
    *,
    decode: bool,
) -> dict[str, str]:
    """Return the hashes of the rooms and noises that an augmentation draws from, by their use.

    Args:
        augment: the recipe's table.
        folder: the benchmark file's.
        cache: the folder of packs.
        tell: receives the notes with which files were read.
        decode: pack what was not packed yet; else its hash is empty.

    Raises:
        CorpusAbsent: a folder is not on this machine.
        DataError: files in it cannot be used.
        ConfigError: it holds no noise of the kinds that are asked for.
    """
    found: dict[str, str] = {}
    for use, shelf in library_sources(augment, folder, cache).items():
        if not decode:
            found[use] = shelf.content()
            continue
        library = shelf.open(tell)
        if use == "noise" and augment.noise is not None:
            library = library.of(augment.noise.kinds)
        found[use] = library.pack.content
    return found


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
    recipe = with_settings(recipe, request.settings, "--set ") if request.settings else recipe
    if recipe.precision == "auto":
        recipe = recipe.model_copy(update={"precision": fast_precision(request.device)})
    return recipe


def _recipe_name(request: RunRequest, entry: SuiteEntry, recipe: Recipe) -> str:
    """Return a recipe's name with what sets this length of it apart from its own.

    A budget that is the recipe's own length leaves the name as it is.
    """
    crops = recipe.steps and recipe.steps * recipe.batch
    budget = entry.budget if entry.budget != crops else None
    return changed_name(RecipeName(entry.recipe, budget).base, request.settings)
