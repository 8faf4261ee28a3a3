"""`harness watch`: the trainings that run now, as text that changes with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.cli import options
from harness.cli.endings import INTERRUPTED
from harness.cli.output import changing_result, give_json, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.run.watching import Looks, WatchedTraining

T = TypeVar("T")


def watch(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUNS...]",
            help="Trainings by run, folder, or a part of their title or key; else all that run.",
        ),
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Show them once, and end.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Show the latest values, the speed and the time left of trainings, until they end.

    A training writes its series every ten seconds and at resume points: values are as old.
    """
    from harness.run.watching import Watcher

    if json and not once:
        raise RequestError("--json: give --once too; a document cannot change")
    watcher = Watcher(runs, given or ())
    if json:
        give_json({"schema": 1, "trainings": [_document(each) for each in watcher.look()]})
        return
    show_looks(watcher, _lines, _table, None if once else every)
    if not watcher.look():
        say(f"no training runs under {runs}")


def show_looks(
    watcher: Looks[T],
    lines: Callable[[T], dict[str, str]],
    table: Callable[[T], RenderableType],
    every: float | None,
) -> None:
    """Show what a watcher sees until it has seen all: a table that changes, or lines that are new.

    Args:
        watcher: looks again and again.
        lines: what is seen -> a line for each thing that is watched, by its name.
        table: the same for a terminal.
        every: seconds between two looks; None for one look.
    """
    from harness.run.watching import follow

    try:
        with changing_result() as console:
            shown: dict[str, str] = {}

            def print_new(found: T) -> None:
                for name, line in lines(found).items():
                    if shown.get(name) != line:
                        shown[name] = line
                        console.print(line, markup=False, emoji=False, soft_wrap=True)

            if every is None:
                print_new(watcher.look())
            elif console.is_terminal:
                with Live(console=console, auto_refresh=False) as live:
                    follow(
                        watcher,
                        lambda found: live.update(table(found), refresh=True),
                        lambda: time.sleep(every),
                    )
            else:
                follow(watcher, print_new, lambda: time.sleep(every))
    except KeyboardInterrupt as error:
        say("no longer watched; what runs goes on")
        raise typer.Exit(INTERRUPTED) from error


def _lines(found: list[WatchedTraining]) -> dict[str, str]:
    return {str(each.folder): f"{each.title}: {'; '.join(_parts(each))}" for each in found}


def _table(found: list[WatchedTraining]) -> Table:
    table = Table("training", "latest values", box=None, pad_edge=False, padding=(0, 2))
    for each in found:
        table.add_row(Text(each.title), Text("\n".join(_parts(each))))
    if not found:
        table.add_row("none runs at the moment", "")
    return table


def _parts(training: WatchedTraining) -> list[str]:
    """Return how far a training is, and its values, a part a group of names."""
    from harness.report.text import duration, read_words

    latest, state = training.latest, training.state
    last = f" of {latest.last_step:,}" if latest.last_step is not None else ""
    progress = [state, f"step {latest.step:,}{last}", f"epoch {latest.epoch:.3g}"]
    if state == "runs" and (speed := latest.steps_per_second) is not None:
        progress.append(f"{speed:.3g} steps/s")
    if state == "runs" and (left := latest.seconds_left):
        progress.append(f"{duration(left, read_words('en'))} left")
    groups: dict[tuple[str, int], list[str]] = {}
    for name, (step, value) in latest.values.items():
        group, _, short = name.partition("/")
        groups.setdefault((group, step), []).append(f"{short} {value:.4g}")
    return [
        ", ".join(progress),
        *(
            f"{group}{'' if step == latest.step else f' at step {step:,}'}: {', '.join(values)}"
            for (group, step), values in groups.items()
        ),
    ]


def _document(training: WatchedTraining) -> dict[str, Any]:
    latest = training.latest
    return {
        "training": training.title,
        "folder": str(training.folder),
        "state": training.state,
        "step": latest.step,
        "last_step": latest.last_step,
        "epoch": latest.epoch,
        "steps_per_second": latest.steps_per_second,
        "seconds_left": latest.seconds_left,
        "values": {
            name: {"step": step, "value": value} for name, (step, value) in latest.values.items()
        },
    }
