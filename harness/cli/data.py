"""`harness data`: which corpora are here, and whether every file of one can be used."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from harness.cli import options
from harness.cli.output import complain, give, give_json, say
from harness.cli.progress import ProgressDisplay
from harness.config.loader import load
from harness.data.inventory import (
    Checked,
    check_dataset_files,
    check_dataset_lists,
    inventory,
)

app = typer.Typer(help="Corpora: which are here, and whether they can be used.")


@app.command("list")
def list_(config: options.Config = None, json: options.Json = False) -> None:
    """List every dataset of the benchmark: found, pinned, or where to get it."""
    rows = inventory(load(config))
    if json:
        give_json({"schema": 1, "datasets": rows})
        return
    table = Table("dataset", "here", "locked", "title", box=None, pad_edge=False, padding=(0, 2))
    for row in rows:
        place = "embedded" if row["embedded"] else row["folder"] or "absent"
        table.add_row(row["name"], place, ", ".join(row["locked"]) or "no", row["title"])
    give(table)
    for row in rows:
        if row["absence"]:
            say(f"absent: {row['absence']}")


@app.command("check")
def check(
    dataset: Annotated[str, typer.Argument(help="Dataset of the benchmark file.")],
    profile: options.ProfileOption = options.Profile.quick,
    lists: Annotated[
        bool, typer.Option("--lists", help="Only manifest, split and trials; decode nothing.")
    ] = False,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Read every file of a dataset and hold it against the lock."""
    loaded = load(config)
    if lists:
        checked = check_dataset_lists(loaded, dataset, profile.value)
    else:
        with ProgressDisplay() as display:
            checked = check_dataset_files(
                loaded, dataset, profile.value, runs / "cache", display.packing
            )
    if json:
        give_json(_document(checked))
    else:
        give(_lines(checked))
    if checked.damaged:
        complain(checked.report)
        raise typer.Exit(1)


def _document(checked: Checked) -> dict[str, Any]:
    return {
        "schema": 1,
        "dataset": checked.name,
        "items": checked.items,
        "counts": checked.counts,
        "damaged": checked.damaged,
        "lock": checked.lock,
    }


def _lines(checked: Checked) -> str:
    usable = f"{checked.items - len(checked.damaged):,} of {checked.items:,} items can be used"
    lines = [f"{checked.name}: {usable if checked.decoded else f'{checked.items:,} items listed'}"]
    for split, counts in checked.counts.items():
        lines.append(f"  {split}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    lines.append(f"  lock: {checked.lock}")
    return "\n".join(lines)
