"""`harness plan`: the jobs of a call, why each is not cached, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.table import Table

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.run import say_absent

if TYPE_CHECKING:
    from harness.run.job.spec import JobSpec
    from harness.run.plan.durations import Duration
    from harness.run.plan.status import StageStatus
    from harness.run.session import CallEstimate

GIB = 2**30


def plan(
    *,
    suite: options.Suite,
    profile: options.ProfileOption = options.Profile.quick,
    dataset: options.Datasets = None,
    model: options.Models = None,
    loss: options.Losses = None,
    recipe: options.Recipes = None,
    budget: options.Budgets = None,
    seeds: options.Seeds = "",
    device: options.DeviceOption = options.Device.auto,
    workers: options.Workers = 1,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    settings: options.Settings = None,
    silence_minutes: options.SilenceMinutes = None,
    leave_out_damaged: options.LeaveOut = False,
    json: options.Json = False,
) -> None:
    """List the jobs of a call: cached, or why not. Runs nothing.

    How long they take is measured once, in a short trial of each system, and kept.
    """
    from harness.config.loader import load
    from harness.run.session import forecast

    request = options.make_request(
        suite, profile, runs, device=device, workers=workers, seeds=seeds, settings=settings,
        datasets=dataset, models=model, losses=loss, recipes=recipe, budgets=budget,
        leave_out_damaged=leave_out_damaged,
        silence_minutes=silence_minutes,
    )  # fmt: skip
    found = forecast(load(config), request, say)
    if json:
        give_json(_document(found, workers))
        return
    give(_table(found))
    say_absent(found.absent)
    for line in _times(found, workers):
        say(line)


def _times(found: CallEstimate, workers: int) -> Iterator[str]:
    """Yield lines about the jobs: what is to be said of each, and how long those to run take."""
    from harness.run.plan.status import OPEN

    open_ = [any(each.state in OPEN for each in stages.values()) for stages in found.statuses]
    yield f"{sum(open_)} of {len(found.jobs)} jobs have something to run"
    yield (
        "GiB: what a GPU's allocator is predicted to take for a training step. About: how long "
        "what is to be run of a job takes here, at the speed measured here, else by a short trial "
        "of it; not known of the baseline."
    )
    for job, told in zip(found.jobs, found.durations, strict=True):
        if told.why:
            yield f"{job.title}: how long it takes is not known: {told.why}"
    for job in found.jobs:
        yield from (f"{job.title}: {note}" for note in job.notes)
    for name, seconds in found.packing.items():
        yield f"{name}: reading it once takes about {_time(seconds)}"
    if any(open_):
        yield f"all of what is known: about {_time(found.seconds(workers))}"


def _document(found: CallEstimate, workers: int) -> dict[str, Any]:
    rows = zip(found.jobs, found.statuses, found.durations, strict=True)
    return {
        "schema": 1,
        "jobs": [_job(*row) for row in rows],
        "absent": [vars(absence) for absence in found.absent],
        "packing_seconds": found.packing,
        "seconds": found.seconds(workers),
    }


def _job(job: JobSpec, stages: dict[str, StageStatus], told: Duration) -> dict[str, Any]:
    return {
        "dataset": job.dataset.name,
        "model": job.model.name,
        "loss": job.loss.name if job.loss else None,
        "recipe": job.recipe_name,
        "seed": job.seed,
        "folder": str(job.folder),
        "predicted": _predicted(job, told),
        "notes": list(job.notes),
        "stages": {name: vars(status) for name, status in stages.items()},
    }


def _predicted(job: JobSpec, told: Duration) -> dict[str, Any]:
    """Memory of a training step, seconds of training and of each part; null where not known."""
    return {
        "training_memory": job.prediction.model_dump() if job.prediction else None,
        "training_seconds": told.parts.get("steps"),
        "told_by": told.source,
        "parts": dict(told.parts),
        "seconds_left": told.left,
        "why_not": told.why or None,
    }


def _table(found: CallEstimate) -> Table:
    table = Table("job", "train", "evaluate", "measure", box=None, pad_edge=False, padding=(0, 2))
    table.add_column("GiB", justify="right")
    table.add_column("about", justify="right")
    for job, stages, told in zip(found.jobs, found.statuses, found.durations, strict=True):
        cells = (_cell(stages[name]) for name in ("train", "evaluate", "measure"))
        memory = f"{job.prediction.reserved / GIB:.2f}" if job.prediction else "-"
        table.add_row(job.title, *cells, memory, _time(told.left) if told.left else "-")
    return table


def _time(seconds: float) -> str:
    from harness.report.text import duration, read_words

    return duration(seconds, read_words("en"))


def _cell(status: StageStatus) -> str:
    if status.state == "none":
        return "-"
    return f"{status.state} ({status.why})" if status.why else status.state
