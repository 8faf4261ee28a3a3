"""What of a suite a call chooses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.config.loader import LoadedBenchmark, known
from harness.config.schema import Suite
from harness.errors import ConfigError, nearest
from harness.plan.request import RunRequest


@dataclass(frozen=True)
class Choice:
    """One entry of a suite, by names."""

    model: str
    loss: str
    recipe: str
    seed: int


def suite_datasets(loaded: LoadedBenchmark, request: RunRequest) -> tuple[str, ...]:
    """The datasets a call is about.

    Raises:
        ConfigError: one asked for is not of the suite.
    """
    suite = chosen_suite(loaded, request)
    return _chosen(request.datasets, suite.datasets, f"suite {request.suite!r} has no dataset")


def chosen_suite(loaded: LoadedBenchmark, request: RunRequest) -> Suite:
    """The suite of a call.

    Raises:
        ConfigError: it does not exist, or has no such profile.
    """
    suite = loaded.suite(request.suite)
    known(
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
    models = _chosen(request.models, suite.models, f"suite {request.suite!r} has no model")
    losses = _chosen(request.losses, suite.losses, f"suite {request.suite!r} has no loss")
    for model in models:
        for loss in losses:
            reason = _excluded(suite, dataset, model, loss)
            if reason and (request.models or request.losses):
                raise ConfigError(f"{dataset}: suite leaves {model} + {loss} out: {reason}")
            if reason:
                continue
            for seed in request.seeds or plan.seeds:
                yield Choice(model, loss, plan.recipe, seed)


def _excluded(suite: Suite, dataset: str, model: str, loss: str) -> str:
    """Why an entry is left out; empty where it is not."""
    wanted = {"dataset": dataset, "model": model, "loss": loss}
    for rule in suite.exclude:
        if all(getattr(rule, key) in (None, value) for key, value in wanted.items()):
            return rule.reason
    return ""


def _chosen(asked: tuple[str, ...], there: tuple[str, ...], refusal: str) -> tuple[str, ...]:
    for name in asked:
        if name not in there:
            raise ConfigError(f"{refusal} {name!r}; {nearest(name, there)}")
    return tuple(dict.fromkeys(asked)) or there
