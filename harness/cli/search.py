"""`harness search`: settings of one entry proposed by Optuna, the best on validation tested."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.progress import ProgressDisplay
from harness.cli.run import write_tables

if TYPE_CHECKING:
    pass


class Method(StrEnum):
    """Ways to propose settings."""

    grid = "grid"
    random = "random"
    tpe = "tpe"


def search(
    *,
    suite: options.Suite,
    over: Annotated[
        list[str],
        typer.Option(
            "--over",
            help="A recipe key and what it may be: optimizer.lr=1e-4..1e-2:log, batch=16..64, or "
            "values, as in select=best,last.",
        ),
    ],
    method: Annotated[
        Method, typer.Option(help="How settings are proposed; a grid takes values alone.")
    ] = Method.tpe,
    trials: Annotated[int, typer.Option(min=2, max=200, help="Settings to try.")] = 20,
    search_seed: Annotated[int, typer.Option(min=0, help="Of the proposals.")] = 0,
    prune: Annotated[
        bool, typer.Option(help="End trainings below the median of those before.")
    ] = True,
    profile: options.ProfileOption = options.Profile.quick,
    dataset: options.Datasets = None,
    model: options.Models = None,
    loss: options.Losses = None,
    recipe: options.Recipes = None,
    budget: options.Budgets = None,
    seeds: options.Seeds = "",
    device: options.DeviceOption = options.Device.auto,
    executor: options.ExecutorOption = "local",
    data_workers: options.DataWorkers = 0,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    settings: options.Settings = None,
    job_hours: options.JobHours = None,
    silence_minutes: options.SilenceMinutes = None,
    leave_out_damaged: options.LeaveOut = False,
    json: options.Json = False,
) -> None:
    """Try settings one after the other, choose on validation, and score the chosen one on test.

    A search that is stopped goes on where it was by the same command.
    """
    from harness.config.loader import load
    from harness.run.execute.executor import choose_executor
    from harness.search.proposals import SearchPlan
    from harness.search.search import run_search
    from harness.search.search_page import (
        COLUMNS,
        conclusion,
        document,
        rows,
        title,
        write_search,
    )
    from harness.search.space import parse_space

    request = options.make_request(
        suite, profile, runs, device=device, workers=1, seeds=seeds, settings=settings,
        datasets=dataset, models=model, losses=loss, recipes=recipe, budgets=budget,
        leave_out_damaged=leave_out_damaged,
        data_workers=data_workers, job_hours=job_hours, silence_minutes=silence_minutes,
    )  # fmt: skip
    plan = SearchPlan(
        space=parse_space(over),
        method=method.value,
        trials=trials,
        seed=search_seed,
        prunes=prune,
    )
    loaded = load(config)
    engine = choose_executor(executor, loaded.benchmark.executors)
    with ProgressDisplay() as display:
        found = run_search(loaded, request, plan, watch=display.show, executor=engine)
    written = write_search(runs, found)
    write_tables(request, {})
    if json:
        give_json({**document(found), "page": str(written)})
    else:
        shown = Table(*COLUMNS, title=title(found), title_justify="left", box=None)
        for row in rows(found):
            shown.add_row(*row)
        give(shown, conclusion(found))
        say(str(written))
    if not found.tested or any(each.state != "done" for each in found.tested):
        raise typer.Exit(1)
