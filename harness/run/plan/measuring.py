"""The jobs of a call that measures what systems cost, and trains none."""

from __future__ import annotations

from harness.config.loader import LoadedBenchmark, look_up
from harness.errors import ConfigError, JobFailed
from harness.run.job.spec import JobSpec
from harness.run.plan.adapters import WORKERS
from harness.run.plan.choice import Choice, chosen_suite
from harness.run.plan.description import AskInput
from harness.run.plan.jobs import Tell, plan_entries, unheard
from harness.run.plan.request import RunRequest, Source


def plan_measuring(
    loaded: LoadedBenchmark,
    request: RunRequest,
    source: Source,
    tell: Tell = unheard,
) -> list[JobSpec]:
    """One job for each model that takes a dataset's kind of items, whether the suite has it or not.

    A model that the suite does not have is measured with the loss and the recipe of its first
    entry.

    Args:
        loaded: the benchmark.
        request: the call; models and losses that it names are the only ones.
        source: the dataset whose items and classes give the shapes.
        tell: is told what a person waits for.

    Raises:
        ConfigError: there is no such model or loss, or it cannot be built.
    """
    choices = [_choice(loaded, request, name) for name in _models(loaded, request, source)]
    return plan_entries(loaded, request, source, choices, tell)


def _models(loaded: LoadedBenchmark, request: RunRequest, source: Source) -> list[str]:
    models, kind = loaded.benchmark.models, source.listing.corpus.kind
    if request.models:
        return [name for name in request.models if look_up(models, name, "model")]
    found = []
    for name, table in models.items():
        asked = AskInput(table.adapter, table.fields, loaded.where("models", name))
        try:
            takes = WORKERS.recall(asked).kind
        except JobFailed:  # planned all the same: its row says what is wrong
            takes = kind
        if takes == kind:
            found.append(name)
    return found


def _choice(loaded: LoadedBenchmark, request: RunRequest, model: str) -> Choice:
    """The suite's entry of a model, or its first entry with this model in it."""
    suite = chosen_suite(loaded, request)
    wanted = request.losses or tuple(loaded.benchmark.losses)
    for loss in request.losses:
        look_up(loaded.benchmark.losses, loss, "loss")
    systems = [each for each in suite.systems if each.loss in wanted] or list(suite.systems)
    system = next((each for each in systems if each.model == model), systems[0])
    recipe = system.recipe or suite.profiles[request.profile].recipe
    if recipe is None:
        raise ConfigError(f"suite {request.suite!r} has no recipe to measure {model!r} with")
    loss = system.loss if system.loss in wanted else wanted[0]
    return Choice(model, loss, recipe, seed=0)
