"""`harness board`: published tables made from their records, and held against them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.board.guarding.check import check as check_files
from harness.board.publishing.published import build as build_files
from harness.board.versions.diff import diff_document, diff_text, differences
from harness.board.versions.sides import side
from harness.cli import options
from harness.cli.admit import admit
from harness.cli.output import complain, give, give_json
from harness.cli.publish import Folder
from harness.history.page import build as build_history

app = typer.Typer(help="Published tables: made from records, held against them.")

PUBLISHED = Path("leaderboards")

Side = Annotated[
    str, typer.Argument(help="SUITE@VERSION, a folder of published tables, or git:REVISION.")
]


@app.command("build")
def build(folder: Folder = PUBLISHED, json: options.Json = False) -> None:
    """Write every published file that is not yet what its records give."""
    written = [str(path) for path in build_files(folder) + build_history(folder)]
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


app.command("admit")(admit)


@app.command("diff")
def diff(before: Side, after: Side, folder: Folder = PUBLISHED, json: options.Json = False) -> None:
    """Say what is different between two sets of published tables, as Markdown."""
    with side(before, folder) as was, side(after, folder) as now:
        found = differences(was, now)
        if json:
            give_json(diff_document(was, now, found))
        else:
            give(diff_text(was, now, found).rstrip("\n"))
