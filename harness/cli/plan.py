"""`harness plan`: the jobs of a call, and why each is not cached; runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.run import say_absent

if TYPE_CHECKING:
    from harness.job.spec import JobSpec
    from harness.plan.duration import Duration
    from harness.plan.status import Status

GIB = 2**30


def plan(
    *,
    suite: options.Suite,
    profile: options.ProfileOption = options.Profile.quick,
    dataset: options.Datasets = None,
    model: options.Models = None,
    loss: options.Losses = None,
    seeds: options.Seeds = "",
    device: options.DeviceOption = options.Device.auto,
    workers: options.Workers = 1,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    settings: options.Settings = None,
    leave_out_damaged: options.LeaveOut = False,
    json: options.Json = False,
) -> None:
    """List the jobs of a call: cached, or why not. Runs nothing."""
    from harness.campaign import planned
    from harness.config.loader import load
    from harness.plan.duration import durations
    from harness.plan.status import job_status

    request = options.make_request(
        suite, profile, runs, device=device, workers=workers, seeds=seeds, settings=settings,
        datasets=dataset, models=model, losses=loss, leave_out_damaged=leave_out_damaged,
    )  # fmt: skip
    jobs, absent = planned(load(config), request, say)
    statuses = [(job, job_status(job)) for job in jobs]
    lengths = durations(jobs)
    if json:
        listed = [vars(absence) for absence in absent]
        pairs = zip(statuses, lengths, strict=True)
        documents = [_document(*each, told) for each, told in pairs]
        give_json({"schema": 1, "jobs": documents, "absent": listed})
        return
    give(_table(statuses, lengths))
    say_absent(absent)
    waiting = sum(any(_open(s) for s in stages.values()) for _, stages in statuses)
    say(f"{waiting} of {len(jobs)} jobs have something to run")
    say(
        "GiB: what a GPU's allocator is predicted to take for a training step. About: how long "
        "training takes here, at the speed measured here, else by multiply-adds."
    )


def _open(status: Status) -> bool:
    return status.state in ("to run", "resumes")


def _document(job: JobSpec, stages: dict[str, Status], told: Duration | None) -> dict[str, Any]:
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


def _predicted(job: JobSpec, told: Duration | None) -> dict[str, Any]:
    """Memory of a training step and seconds of training; null where they cannot be told."""
    return {
        "training_memory": job.prediction.model_dump() if job.prediction else None,
        "training_seconds": told.seconds if told else None,
        "told_by": told.source if told else None,
    }


def _table(
    statuses: list[tuple[JobSpec, dict[str, Status]]], lengths: list[Duration | None]
) -> Table:
    table = Table("job", "train", "evaluate", "measure", box=None, pad_edge=False, padding=(0, 2))
    table.add_column("GiB", justify="right")
    table.add_column("about", justify="right")
    for (job, stages), told in zip(statuses, lengths, strict=True):
        cells = (_cell(stages[name]) for name in ("train", "evaluate", "measure"))
        memory = f"{job.prediction.reserved / GIB:.2f}" if job.prediction else "-"
        table.add_row(job.title, *cells, memory, _time(told, stages["train"]))
    return table


def _time(told: Duration | None, training: Status) -> str:
    if told is None or not _open(training):
        return "-"
    return f"{max(1, round(told.seconds / 60)):,} min"


def _cell(status: Status) -> str:
    if status.state == "none":
        return "-"
    return f"{status.state} ({status.why})" if status.why else status.state
