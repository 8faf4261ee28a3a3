"""`harness publish`: chosen records become the published tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.board.local import chosen_records
from harness.board.publish import publish as publish_records
from harness.cli import options
from harness.cli.output import give, give_json

Folder = Annotated[Path, typer.Option("--folder", help="Folder of the published tables.")]


def publish(
    *,
    suite: Annotated[
        list[str] | None, typer.Option("--suite", help="Only this suite (repeatable).")
    ] = None,
    dataset: options.Datasets = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    folder: Folder = Path("leaderboards"),
    include_failed: Annotated[
        bool, typer.Option("--include-failed", help="Publish rows without a result too.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Copy records of a runs folder into the published tables and rebuild these."""
    chosen = chosen_records(
        runs, tuple(suite or ()), tuple(dataset or ()), include_failed=include_failed
    )
    written = publish_records(chosen, folder, Path.cwd(), include_failed=include_failed)
    names = [str(path) for path in written]
    if json:
        give_json({"schema": 1, "written": names})
    else:
        give("\n".join(names) or "nothing changed: all of it is published already")
