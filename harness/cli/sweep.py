"""`harness sweep`: one entry with each of several settings, the best on validation tested."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.progress import ProgressDisplay
from harness.cli.run import write_tables


def sweep(
    *,
    suite: options.Suite,
    over: Annotated[
        list[str],
        typer.Option(
            "--over",
            help="A recipe key and the values to try, as in optimizer.lr=0.1,0.01; given several "
            "times, every combination is tried.",
        ),
    ],
    profile: options.ProfileOption = options.Profile.quick,
    dataset: options.Datasets = None,
    model: options.Models = None,
    loss: options.Losses = None,
    recipe: options.Recipes = None,
    budget: options.Budgets = None,
    seeds: options.Seeds = "",
    device: options.DeviceOption = options.Device.auto,
    executor: options.ExecutorOption = "local",
    workers: options.Workers = 1,
    data_workers: options.DataWorkers = 0,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    settings: options.Settings = None,
    job_hours: options.JobHours = None,
    silence_minutes: options.SilenceMinutes = None,
    leave_out_damaged: options.LeaveOut = False,
    json: options.Json = False,
) -> None:
    """Train each setting, choose on validation, and score the chosen one on test.

    The chosen one's record says how many configurations were tried.
    """
    from harness.config.loader import load
    from harness.run.execute.executor import choose_executor
    from harness.search.settings import parse_over
    from harness.search.sweep import run_sweep
    from harness.search.sweep_page import conclusions, document, heads, table, title, write_sweep

    request = options.make_request(
        suite, profile, runs, device=device, workers=workers, executor=executor,
        seeds=seeds, settings=settings,
        datasets=dataset, models=model, losses=loss, recipes=recipe, budgets=budget,
        leave_out_damaged=leave_out_damaged,
        data_workers=data_workers, job_hours=job_hours, silence_minutes=silence_minutes,
    )  # fmt: skip
    asked = parse_over(over)
    loaded = load(config)
    engine = choose_executor(executor, loaded.benchmark.executors)
    with ProgressDisplay() as display:
        found = run_sweep(
            loaded, request, asked, workers=workers, watch=display.show, executor=engine
        )
    written = [write_sweep(runs, each) for each in found]
    write_tables(request, {})
    if json:
        pages = zip(found, map(str, written), strict=True)
        give_json(
            {"schema": 1, "sweeps": [{**document(each), "page": page} for each, page in pages]}
        )
    else:
        for each in found:
            shown = Table(*heads(each), title=title(each), title_justify="left", box=None)
            for row in table(each):
                shown.add_row(*row)
            give(shown, "\n".join(conclusions(each)))
        say("\n".join(map(str, written)))
    complete = [each for each in found if each.test_row is not None]
    if len(complete) < len(found) or any(not row.is_done for each in found for row in each.rows):
        raise typer.Exit(1)
