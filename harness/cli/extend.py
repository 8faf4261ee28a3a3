"""`harness extend`: more training from where a finished run stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.progress import ProgressDisplay
from harness.cli.run import show


def extend(
    run: Annotated[
        Path, typer.Argument(help="A run as `runs list` names it, its folder, or its record.json.")
    ],
    *,
    epochs: Annotated[float | None, typer.Option("--epochs", help="Epochs more.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Steps more.")] = None,
    data_workers: options.DataWorkers = 0,
    executor: options.ExecutorOption = "local",
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    settings: options.Settings = None,
    job_hours: options.JobHours = None,
    silence_minutes: options.SilenceMinutes = None,
    json: options.Json = False,
) -> None:
    """Train on from where a finished run stands, as a run of its own that names its parent.

    The optimiser's state goes on. The learning rate and all scheduled values stay what they were
    at the last step, unless --set gives the continuation a schedule of its own.
    """
    from harness.config.loader import load
    from harness.run.execute.executor import choose_executor
    from harness.run.plan.extension import continued_recipe, read_finished
    from harness.run.training_on import extend_run

    finished = read_finished(runs, run)
    record = finished.record
    request = options.make_request(
        record.protocol.suite,
        options.Profile(record.protocol.profile),
        runs,
        device=options.Device(record.stages["train"].inputs["device"]),
        settings=settings,
        datasets=[record.dataset.name],
        leave_out_damaged=bool(record.dataset.left_out),
        data_workers=data_workers,
        job_hours=job_hours,
        silence_minutes=silence_minutes,
    )
    recipe = continued_recipe(finished, request.settings, epochs=epochs, steps=steps)
    loaded = load(config)
    engine = choose_executor(executor, loaded.benchmark.executors)
    with ProgressDisplay() as display:
        outcome = extend_run(loaded, request, finished, recipe, watch=display.show, executor=engine)
    if not show(outcome, request, as_json=json):
        raise typer.Exit(1)
