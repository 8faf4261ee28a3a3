"""`harness board`: published tables made from their records, and held against them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.output import give, give_differences, give_json, give_written
from harness.cli.publish import Folder

PUBLISHED = Path("leaderboards")

Side = Annotated[
    str, typer.Argument(help="SUITE@VERSION, a folder of published tables, or git:REVISION.")
]


def build(folder: Folder = PUBLISHED, json: options.Json = False) -> None:
    """Write every published file that is not yet what its records give."""
    from harness.board.publishing.published import build as build_files
    from harness.registry.history.page import build as build_history

    written = build_files(folder) + build_history(folder)
    give_written(written, "nothing changed: all files are what their records give", json=json)


def check(folder: Folder = PUBLISHED, json: options.Json = False) -> None:
    """Fail where a published file is not exactly what its records give."""
    from harness.registry.check import check as check_files

    give_differences(
        check_files(folder), "all published files are what their records give", json=json
    )


def diff(before: Side, after: Side, folder: Folder = PUBLISHED, json: options.Json = False) -> None:
    """Say what is different between two sets of published tables, as Markdown."""
    from harness.board.versions.diff import diff_document, diff_text, differences
    from harness.board.versions.sides import side

    with side(before, folder) as was, side(after, folder) as now:
        found = differences(was, now)
        if json:
            give_json(diff_document(was, now, found))
        else:
            give(diff_text(was, now, found).rstrip("\n"))
