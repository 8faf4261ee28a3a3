"""`harness runs`: what is stored, how big it is, what may go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.run.job_states import JobState


def list_(runs: options.Runs = options.DEFAULT_RUNS, json: options.Json = False) -> None:
    """List every stored record, and say how big the cache beside them is."""
    from harness.run.folder import cache_size, run_rows

    stored, cached = run_rows(runs), cache_size(runs)
    if json:
        give_json({"schema": 1, "runs": stored, "cache_bytes": cached})
        return
    whole = Column("run", overflow="fold")  # a name is there to be copied
    table = Table(
        whole, "state", "result", "made", "size", box=None, pad_edge=False, padding=(0, 2)
    )
    for row in stored:
        size = decimal(row["bytes"])
        table.add_row(row["run"], row["state"], row["result"], row["finished"], size)
    give(table, *(f"{row['run']} goes on from {row['parent']}" for row in stored if row["parent"]))
    say(f"cache of packed corpora and predictions: {decimal(cached)}")


def watch(
    runs: options.Runs = options.DEFAULT_RUNS,
    *,
    once: Annotated[bool, typer.Option("--once", help="Show them once, and end.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    json: options.Json = False,
) -> None:
    """Show who runs which job, how far it is, and when its runner was last heard of.

    Until nothing runs any more; jobs that are done are counted.
    """
    from harness.cli.watch import show_looks
    from harness.run.job_states import JobWatcher

    if json and not once:
        raise RequestError("--json: give --once too; a document cannot change")
    watcher = JobWatcher(runs)
    if json:
        give_json({"schema": 1, "jobs": [vars(each) for each in watcher.look()]})
        return
    show_looks(watcher, _state_lines, _state_table, None if once else every)


def _state_lines(states: list[JobState]) -> dict[str, str]:
    from harness.run.job_states import count_states

    lines = {
        each.run: ", ".join(filter(None, (f"{each.job}: {each.state}", *_facts(each))))
        for each in states
        if each.state != "done"
    }
    return {**lines, "": count_states(states) or "no jobs"}


def _state_table(states: list[JobState]) -> RenderableType:
    from harness.run.job_states import count_states

    table = Table(
        "job", "state", "stage", "runner", "heard of", box=None, pad_edge=False, padding=(0, 2)
    )
    for each in states:
        if each.state != "done":
            table.add_row(*map(Text, (each.job, each.state, *_facts(each))))
    return Group(table, Text(count_states(states) or "no jobs"))


def _facts(state: JobState) -> tuple[str, str, str]:
    """Return how far a job is, who runs it, and the age of the last sign of life."""
    stage = state.reason or state.stage
    if state.total:
        stage += f" {state.done:,}/{state.total:,}"
    runner = f"{state.host}, process {state.pid}" if state.host else ""
    age = "" if state.heartbeat is None else f"{state.heartbeat:.0f} s ago"
    return stage, runner, age


def show(
    run: Annotated[
        Path, typer.Argument(help="A run as `list` names it, its folder, or its record.json.")
    ],
    runs: options.Runs = options.DEFAULT_RUNS,
) -> None:
    """Print a run's record, as JSON."""
    from harness.records.record_files import read_record, to_document
    from harness.run.folder import find_run

    give_json(to_document(read_record(find_run(runs, run))))


def gc(
    runs: options.Runs = options.DEFAULT_RUNS,
    config: options.Config = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete; without it, only say what would go.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Find what may go: stages that no record names, resume points, and unused parts of the cache.

    A pack in the cache is used where the benchmark file still names its dataset as it was packed.
    """
    from harness.config.loader import load
    from harness.run.cache import collect_cache
    from harness.run.folder import collect_garbage

    garbage = collect_garbage(runs, delete=delete)
    garbage += collect_cache(load(config), runs, delete=delete, tell=say)
    if json:
        give_json({"schema": 1, "deleted": delete, "garbage": garbage})
        return
    for item in garbage:
        give(f"{item['path']}  {decimal(item['bytes'])}  {item['why']}")
    total = decimal(sum(item["bytes"] for item in garbage))
    say(f"{total} {'deleted' if delete else 'would go; add --delete'}")
