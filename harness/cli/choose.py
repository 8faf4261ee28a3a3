"""`harness choose`: from memory, hours and a dataset to the runs that decide between entries."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from harness.cli import options
from harness.cli.output import give, give_json, say


def choose(
    *,
    dataset: Annotated[str, typer.Option("--dataset", help="The dataset.")],
    hours: Annotated[float, typer.Option("--hours", help="Hours that there are; fractions count.")],
    memory: Annotated[
        str | None,
        typer.Option("--memory", help="Of the GPU, as in 6GiB; else the benchmark's budget."),
    ] = None,
    suite: Annotated[str, typer.Option("--suite", help="Suite of the benchmark file.")] = "speaker",
    profile: options.ProfileOption = options.Profile.quick,
    model: options.Models = None,
    loss: options.Losses = None,
    recipe: options.Recipes = None,
    budget: options.Budgets = None,
    most_seeds: Annotated[
        int, typer.Option("--most-seeds", min=1, max=20, help="Seeds of an entry at most.")
    ] = 5,
    device: options.DeviceOption = options.Device.auto,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    folder: options.Folder = options.PUBLISHED,
    settings: options.Settings = None,
    silence_minutes: options.SilenceMinutes = None,
    leave_out_damaged: options.LeaveOut = False,
    json: options.Json = False,
) -> None:
    """Say which entries fit and how long each takes, what can be decided, and what to run.

    Trains nothing. Once runs have begun, it says which of them can no longer win.
    """
    from harness.config.loader import load
    from harness.search.choice_text import COLUMNS, document, sentences, table
    from harness.search.choose import choose as choose_runs
    from harness.search.choose import with_seeds
    from harness.search.run_plan import command_lines

    loaded = load(config)
    request = options.make_request(
        suite, profile, runs, device=device, settings=settings, datasets=[dataset],
        models=model, losses=loss, recipes=recipe, budgets=budget,
        leave_out_damaged=leave_out_damaged, silence_minutes=silence_minutes,
    )  # fmt: skip
    found = choose_runs(
        loaded,
        with_seeds(request, most_seeds),
        memory=memory or loaded.benchmark.budget.gpu_memory,
        hours=hours,
        published=folder,
        tell=say,
    )
    words = ["--suite", suite, "--dataset", dataset, "--profile", profile.value]
    words += [word for name in recipe or () for word in ("--recipe", name)]
    words += [word for crops in budget or () for word in ("--budget", crops)]
    words += ["--config", str(config)] if config else []
    words += ["--runs", str(runs)] if runs != options.DEFAULT_RUNS else []
    words += ["--device", device.value] if device is not options.Device.auto else []
    words += [word for setting in settings or () for word in ("--set", setting)]
    words += ["--leave-out-damaged"] if leave_out_damaged else []
    if json:
        give_json(document(found, words))
        return
    shown = Table(*COLUMNS, box=None, pad_edge=False, padding=(0, 2))
    for row in table(found):
        shown.add_row(*row)
    give(shown, "\n".join(sentences(found)))
    give("\n".join(command_lines(found.candidates, found.plan.seeds, words)))
