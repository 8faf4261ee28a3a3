"""`harness runs`: what is stored, how big it is, what may go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.table import Table

from harness.cli import options
from harness.cli.output import give, give_json, say


def list_(runs: options.Runs = options.DEFAULT_RUNS, json: options.Json = False) -> None:
    """List every stored record."""
    from harness.execute.storage import stored_runs

    stored = stored_runs(runs)
    if json:
        give_json({"schema": 1, "runs": stored})
        return
    table = Table(
        "run", "state", "result", "made", "size", box=None, pad_edge=False, padding=(0, 2)
    )
    for row in stored:
        size = decimal(row["bytes"])
        table.add_row(row["run"], row["state"], row["result"], row["finished"], size)
    give(table)


def show(
    run: Annotated[
        Path, typer.Argument(help="A run as `list` names it, its folder, or its record.json.")
    ],
    runs: options.Runs = options.DEFAULT_RUNS,
) -> None:
    """Print a run's record, as JSON."""
    from harness.execute.storage import find_run
    from harness.records.store import read_record, to_document

    give_json(to_document(read_record(find_run(runs, run))))


def gc(
    runs: options.Runs = options.DEFAULT_RUNS,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete; without it, only say what would go.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Find stages that no record names, and resume points of finished trainings."""
    from harness.execute.storage import collect_garbage

    garbage = collect_garbage(runs, delete=delete)
    if json:
        give_json({"schema": 1, "deleted": delete, "garbage": garbage})
        return
    for item in garbage:
        give(f"{item['path']}  {decimal(item['bytes'])}")
    total = decimal(sum(item["bytes"] for item in garbage))
    say(f"{total} {'deleted' if delete else 'would go; add --delete'}")
