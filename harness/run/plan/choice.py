"""What of a suite a call chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.config.loader import LoadedBenchmark, look_up
from harness.config.schema import Suite, SuiteSystem
from harness.errors import ConfigError, nearest
from harness.run.plan.request import RunRequest


@dataclass(frozen=True)
class Choice:
    """One entry of a suite, by names."""

    model: str
    loss: str
    recipe: str
    seed: int


def suite_datasets(loaded: LoadedBenchmark, request: RunRequest) -> tuple[str, ...]:
    """The datasets a call is about; one that is judged by folds stands for all of them.

    Raises:
        ConfigError: one asked for is not of the suite.
    """
    suite = chosen_suite(loaded, request)
    folds = [part for name in suite.datasets for part in loaded.parts(name)]
    there = [*suite.datasets, *(part for part in folds if part not in suite.datasets)]
    refusal = f"suite {request.suite!r} has no dataset"
    chosen = _chosen(request.datasets, there, refusal) if request.datasets else suite.datasets
    return tuple(dict.fromkeys(part for name in chosen for part in loaded.parts(name)))


def chosen_suite(loaded: LoadedBenchmark, request: RunRequest) -> Suite:
    """The suite of a call.

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


def entries(suite: Suite, request: RunRequest, dataset: str) -> Iterator[Choice]:
    """Every entry that a call runs on a dataset.

    Raises:
        ConfigError: a model or loss asked for is not of the suite, or the suite leaves it out.
    """
    plan = suite.profiles[request.profile]
    for system in _systems(suite, request):
        reason = suite.left_out(dataset, system)
        if reason and (request.models or request.losses):
            left = f"{system.model} + {system.loss}"
            raise ConfigError(f"{dataset}: suite leaves {left} out: {reason}")
        recipe = system.recipe or plan.recipe
        if reason or recipe is None:
            continue
        for seed in request.seeds or plan.seeds_for(dataset):
            yield Choice(system.model, system.loss, recipe, seed)


def _systems(suite: Suite, request: RunRequest) -> list[SuiteSystem]:
    """The suite's systems that have a model and a loss that were asked for."""
    systems, name = suite.systems, f"suite {request.suite!r}"
    models = _chosen(request.models, [each.model for each in systems], f"{name} has no model")
    losses = _chosen(request.losses, [each.loss for each in systems], f"{name} has no loss")
    chosen = [each for each in systems if each.model in models and each.loss in losses]
    if not chosen:
        there = ", ".join(f"{each.model} + {each.loss}" for each in systems)
        raise ConfigError(f"{name} has no such pair of model and loss; there are {there}")
    return chosen


def _chosen(asked: tuple[str, ...], there: Sequence[str], refusal: str) -> tuple[str, ...]:
    for name in asked:
        if name not in there:
            raise ConfigError(f"{refusal} {name!r}; {nearest(name, there)}")
    return tuple(dict.fromkeys(asked or there))
