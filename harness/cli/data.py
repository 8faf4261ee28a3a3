"""`harness data`: which corpora are here, and whether every file of one can be used."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from harness.cli import options
from harness.cli.checked import give_checked
from harness.cli.output import give, give_json, say
from harness.cli.progress import ProgressDisplay
from harness.errors import RequestError


def list_(config: options.Config = None, json: options.Json = False) -> None:
    """List every dataset of the benchmark: found, pinned, or where to get it."""
    from harness.config.loader import load
    from harness.datasets.inventory import absences, inventory
    from harness.datasets.locate import absence_lines

    loaded = load(config)
    rows = inventory(loaded)
    if json:
        give_json({"schema": 1, "datasets": rows})
        return
    table = Table("dataset", "here", "locked", "title", box=None, pad_edge=False, padding=(0, 2))
    for row in rows:
        place = "embedded" if row["embedded"] else row["folder"] or "absent"
        name = f"{row['name']} ({row['folds']} folds)" if row["folds"] else row["name"]
        table.add_row(name, place, ", ".join(row["locked"]) or "no", row["title"])
    give(table)
    for line in absence_lines(absences(loaded)):
        say(line)


def check(
    dataset: Annotated[str, typer.Argument(help="Dataset of the benchmark file.")],
    profile: options.ProfileOption = options.Profile.quick,
    lists: Annotated[
        bool, typer.Option("--lists", help="Only manifest, split and trials; decode nothing.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every file again, changed or not.")
    ] = False,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Hold a dataset's files against what was decoded of them, and that against the lock."""
    from harness.config.loader import load
    from harness.datasets.inventory import check_dataset_files, check_dataset_lists
    from harness.datasets.lengths import inputs_asked_by
    from harness.run.plan.adapter_workers import model_input

    loaded = load(config)
    if lists and full:
        raise RequestError("--lists decodes nothing and --full reads every file; give one of them")
    parts = loaded.parts(dataset)
    if lists:
        checked = [check_dataset_lists(loaded, part, profile.value) for part in parts]
    else:
        with ProgressDisplay() as display, inputs_asked_by(model_input):
            checked = [
                check_dataset_files(
                    loaded,
                    part,
                    profile.value,
                    runs / "cache",
                    display.packing,
                    full=full,
                    tell=display.tell,
                )
                for part in parts
            ]
    give_checked(dataset, checked, json=json)
