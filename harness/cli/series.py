"""`harness series`: the values of a training over time, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.output import give, say


def series(
    run: Annotated[
        Path,
        typer.Argument(help="A run (its place below --runs, or its record), or any log or folder."),
    ],
    csv: Annotated[bool, typer.Option("--csv", help="Give CSV (what is given else).")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write a Parquet file.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; else standard output.")
    ] = None,
    runs: options.Runs = options.DEFAULT_RUNS,
) -> None:
    """Give the series of a run, or of a log of another program: a row a step, a column a name."""
    from harness.errors import RequestError
    from harness.records.files import write_bytes
    from harness.run.folder import find_series
    from harness.series.exports import csv_text, parquet_bytes, steps_table
    from harness.series.reading import read_series

    if csv and parquet:
        raise RequestError("--csv and --parquet: give one of them")
    if parquet and output is None:
        raise RequestError("--parquet: give its file by -o FILE")
    place, _ = find_series(runs, run)
    found = read_series(place)
    table = steps_table(found)
    for each in found:
        say(f"{each.source}: {len(each.names)} names, {len(each.frame())} steps")
    if output is None:
        give(csv_text(table).rstrip("\n"))
        return
    write_bytes(output, parquet_bytes(table) if parquet else csv_text(table).encode())
    say(f"{output}: written")
