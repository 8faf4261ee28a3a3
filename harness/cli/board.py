"""`harness board`: published tables made from their records, and held against them."""

from __future__ import annotations

from pathlib import Path

import typer

from harness.board.check import check as check_files
from harness.board.published import build as build_files
from harness.cli import options
from harness.cli.output import complain, give, give_json
from harness.cli.publish import Folder

app = typer.Typer(help="Published tables: made from records, held against them.")

PUBLISHED = Path("leaderboards")


@app.command("build")
def build(folder: Folder = PUBLISHED, json: options.Json = False) -> None:
    """Write every published file that is not yet what its records give."""
    written = [str(path) for path in build_files(folder)]
    if json:
        give_json({"schema": 1, "written": written})
    else:
        give("\n".join(written) or "nothing changed: all files are what their records give")


@app.command("check")
def check(folder: Folder = PUBLISHED, json: options.Json = False) -> None:
    """Fail where a published file is not exactly what its records give."""
    differences = check_files(folder)
    if json:
        give_json({"schema": 1, "differences": differences})
    elif not differences:
        give("all published files are what their records give")
    else:
        complain("\n".join(differences))
    if differences:
        raise typer.Exit(1)
