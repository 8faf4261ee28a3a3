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
    """List every stored record, and say how big the cache beside them is."""
    from harness.run.folder import cache_size, run_rows

    stored, cached = run_rows(runs), cache_size(runs)
    if json:
        give_json({"schema": 1, "runs": stored, "cache_bytes": cached})
        return
    table = Table(
        "run", "state", "result", "made", "size", box=None, pad_edge=False, padding=(0, 2)
    )
    for row in stored:
        size = decimal(row["bytes"])
        table.add_row(row["run"], row["state"], row["result"], row["finished"], size)
    give(table, *(f"{row['run']} goes on from {row['parent']}" for row in stored if row["parent"]))
    say(f"cache of packed corpora and predictions: {decimal(cached)}")


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
