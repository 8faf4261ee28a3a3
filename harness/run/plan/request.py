"""The request of a call, and the entries of a suite that it selects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark, look_up
from harness.config.merging import LENGTHS
from harness.config.numbers import EMBEDDINGS_MIB
from harness.config.schema import Averaging, ProfilePlan, Suite, SuiteSystem
from harness.config.tables import Profile
from harness.datasets.listing import Listing
from harness.datasets.lock import DatasetLock, dataset_pin
from harness.errors import ConfigError, nearest
from harness.measure.device import Device
from harness.run.job.limits import Limits

EVERY_BUDGET = (0,)
"""All budgets that a suite names for a dataset; where it names none, the recipe's own length."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The request of a call; an empty tuple selects all that the suite names.

    Attributes:
        suite, profile: select the jobs.
        datasets, models, losses, recipes, seeds: only these.
        budgets: those of the suite that entries are trained with; `EVERY_BUDGET` takes all, an
            empty tuple the length of the recipe itself.
        settings: recipe keys to change, as `--set` gives them.
        runs: the folder of records and stages.
        device, threads: that jobs compute with.
        data_workers: processes a job that make training inputs; 0 for a thread.
        limits: the time that a job may take.
        keep_states: how many states each training keeps for an audit.
        keep_embeddings: MiB that the test embeddings kept of a job may take.
        options: torch's options that are measured (see `harness.run.job.spec.OPTIONS`).
        leave_out_damaged: go on without files that cannot be used.
    """

    suite: str
    profile: Profile
    runs: Path
    device: Device
    threads: int
    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    budgets: tuple[int, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    leave_out_damaged: bool = False
    data_workers: int = 0
    limits: Limits = field(default=Limits())
    keep_states: int = 0
    keep_embeddings: int = EMBEDDINGS_MIB
    options: tuple[str, ...] = ()

    @property
    def cache(self) -> Path:
        """The folder of packed corpora."""
        return self.runs / "cache"


@dataclass(frozen=True)
class DatasetState:
    """A dataset as far as it is known: its lists, and its entry in the lock.

    Attributes:
        pinned: True if the lock has an entry of it, or gets one as soon as it is decoded.
        opened: False if only its lists were read so far.
    """

    listing: Listing
    lock: DatasetLock
    left_out: tuple[str, ...] = ()
    pinned: bool = True
    opened: bool = True


@dataclass(frozen=True)
class CheckpointEntry:
    """A checkpoint made elsewhere, and its model.

    Attributes:
        path: the file.
        model: a model of the benchmark.
        loss: the loss whose head the file holds too; None if it holds the network alone.
        trained_on: corpora, according to whoever gives it; None if nobody says.
    """

    path: Path
    model: str
    loss: str | None = None
    trained_on: tuple[str, ...] | None = None


@dataclass(frozen=True)
class SuiteEntry:
    """One entry of a suite, by names.

    Attributes:
        model, loss, recipe: its names.
        seed: of its training.
        budget: crops that its training sees; None for the recipe's own length.
    """

    model: str
    loss: str
    recipe: str
    seed: int
    budget: int | None = None


@dataclass(frozen=True)
class SuiteEnsemble:
    """One ensemble of a suite, by names.

    Attributes:
        name: its own.
        members: whose outputs are averaged.
        average: what is averaged of them.
        seed: of all its members; None if they differ in it.
    """

    name: str
    members: tuple[SuiteEntry, ...]
    average: Averaging
    seed: int | None


def listing_state(loaded: LoadedBenchmark, listing: Listing) -> DatasetState:
    """Return a dataset with its pinned lock; its content is unknown if nothing is pinned."""
    pinned = dataset_pin(loaded.lock_path, listing.key, loaded.base_lock_paths)
    lock = pinned[0] if pinned else listing.lock
    pins = listing.pins_itself or pinned is not None
    return DatasetState(listing, lock, pinned=pins, opened=False)


def listing_states(loaded: LoadedBenchmark, listings: Iterable[Listing]) -> dict[str, DatasetState]:
    """Return datasets by name, as their lists and the lock have them."""
    return {each.name: listing_state(loaded, each) for each in listings}


def requested_suite(loaded: LoadedBenchmark, request: RunRequest) -> Suite:
    """Return the suite of a call.

    Raises:
        ConfigError: it does not exist, or has no such profile.
    """
    suite = loaded.suite(request.suite)
    look_up(
        {str(name): plan for name, plan in suite.profiles.items()},
        request.profile,
        f"profile of suite {request.suite!r}",
    )
    return suite


def suite_datasets(loaded: LoadedBenchmark, request: RunRequest) -> tuple[str, ...]:
    """Return the datasets of a call; one that is judged by folds is replaced by these.

    Raises:
        ConfigError: one asked for is not of the suite.
    """
    suite = requested_suite(loaded, request)
    folds = [part for name in suite.datasets for part in loaded.parts(name)]
    there = tuple(dict.fromkeys([*suite.datasets, *folds]))
    refusal = f"suite {request.suite!r} has no dataset"
    names = _select(request.datasets, there, refusal) if request.datasets else suite.datasets
    return tuple(dict.fromkeys(part for name in names for part in loaded.parts(name)))


def suite_entries(suite: Suite, request: RunRequest, dataset: str) -> Iterator[SuiteEntry]:
    """Yield every entry that a call runs on a dataset.

    Raises:
        ConfigError: a model, loss, recipe or budget asked for is not of the suite, or the suite
            leaves it out.
    """
    plan, name = suite.profiles[request.profile], f"suite {request.suite!r}"
    budgets = _budgets(plan, request, dataset)
    for system, recipe in _asked_systems(suite, request).items():
        reason = suite.left_out(dataset, system)
        if reason and (request.models or request.losses):
            left = f"{system.model} + {system.loss}"
            raise ConfigError(f"{dataset}: suite leaves {left} out: {reason}")
        elsewhere = system.profile not in (None, request.profile)
        if elsewhere and system.model in request.models:
            raise ConfigError(
                f"{name} has {system.model!r} in its {system.profile} profile alone; add "
                f"--profile {system.profile}"
            )
        if reason or elsewhere or recipe is None:
            continue
        for budget in budgets:
            for seed in request.seeds or plan.seeds_for(dataset):
                yield SuiteEntry(system.model, system.loss, recipe, seed, budget)


def _asked_systems(suite: Suite, request: RunRequest) -> dict[SuiteSystem, str | None]:
    """Return the systems that a call names, each with its recipe; None for no training."""
    plan, name = suite.profiles[request.profile], f"suite {request.suite!r}"
    systems = {each: each.recipe or plan.recipe for each in suite.systems}
    together = [each.name for each in suite.ensembles]
    there = [*(each.model for each in systems), *together]
    models = _select(request.models, there, f"{name} has no model")
    losses = _select(request.losses, [each.loss for each in systems], f"{name} has no loss")
    known = [recipe for recipe in systems.values() if recipe]
    recipes = _select(request.recipes, known, f"{name} has no recipe")
    asked = {
        each: recipe
        for each, recipe in systems.items()
        if each.model in models and each.loss in losses and recipe in (*recipes, None)
    }
    # An ensemble has neither a loss nor a recipe of its own.
    names_ensemble = {*request.models} & {*together} and not (request.losses or request.recipes)
    if not asked and not names_ensemble:
        listed = ", ".join(f"{each.model} + {each.loss} ({of})" for each, of in systems.items())
        raise ConfigError(
            f"{name} has no such combination of model, loss and recipe; there are {listed}"
        )
    return asked


def suite_ensembles(suite: Suite, request: RunRequest, dataset: str) -> Iterator[SuiteEnsemble]:
    """Yield every ensemble that a call judges on a dataset.

    One is left out where the suite leaves a member out, where the call names other models, and
    where it names losses, recipes or budgets, which an ensemble has none of.
    """
    plan = suite.profiles[request.profile]
    for each in suite.ensembles:
        is_asked = not request.models or each.name in request.models
        left_out = any(suite.left_out(dataset, member) for member in each.members)
        if not is_asked or left_out or request.losses or request.recipes or request.budgets:
            continue
        rows = [each.seeds] if each.seeds else [
            (seed,) for seed in request.seeds or plan.seeds_for(dataset)
        ]  # fmt: skip
        for seeds in rows:
            members = tuple(
                SuiteEntry(member.model, member.loss, member.recipe or plan.recipe or "", seed)
                for member in each.members
                for seed in seeds
            )
            seed = None if each.seeds else seeds[0]
            yield SuiteEnsemble(each.name, members, each.average, seed)


def _budgets(plan: ProfilePlan, request: RunRequest, dataset: str) -> tuple[int, ...] | tuple[None]:
    """Return the budgets of a call on a dataset; None alone for the recipe's own length.

    Raises:
        ConfigError: one asked for is not of the suite, or a length is given beside it.
    """
    if not request.budgets:
        return (None,)
    there = plan.budgets_for(dataset)
    for length in LENGTHS:
        if length in request.settings:
            raise ConfigError(f"--budget gives the length of training; leave out {length}")
    if request.budgets == EVERY_BUDGET:
        return there or (None,)
    for asked in request.budgets:
        if asked not in there:
            named = ", ".join(map(str, there)) or "none"
            raise ConfigError(
                f"suite {request.suite!r} has no budget of {asked} crops on {dataset} in its "
                f"{request.profile} profile; there are: {named}"
            )
    return request.budgets


def entry_to_measure(loaded: LoadedBenchmark, request: RunRequest, model: str) -> SuiteEntry:
    """Return the suite's entry of a model, or its first entry with this model in it.

    Raises:
        ConfigError: there is no such loss, or no recipe.
    """
    suite = requested_suite(loaded, request)
    wanted = request.losses or tuple(loaded.benchmark.losses)
    for loss in request.losses:
        look_up(loaded.benchmark.losses, loss, "loss")
    systems = [each for each in suite.systems if each.loss in wanted] or list(suite.systems)
    system = next((each for each in systems if each.model == model), systems[0])
    recipe = system.recipe or suite.profiles[request.profile].recipe
    if recipe is None:
        raise ConfigError(f"suite {request.suite!r} has no recipe to measure {model!r} with")
    loss = system.loss if system.loss in wanted else wanted[0]
    return SuiteEntry(model, loss, recipe, seed=0)


def _select(asked: tuple[str, ...], there: Sequence[str], refusal: str) -> tuple[str, ...]:
    for name in asked:
        if name not in there:
            raise ConfigError(f"{refusal} {name!r}; {nearest(name, there)}")
    return tuple(dict.fromkeys(asked or there))
