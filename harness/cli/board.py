"""`harness board`: published tables built from their records, checked, compared, admitted."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.output import complain, give, give_differences, give_json, give_written, say

if TYPE_CHECKING:
    from harness.registry.admission import Admission


Side = Annotated[
    str, typer.Argument(help="SUITE@VERSION, a folder of published tables, or git:REVISION.")
]
Base = Annotated[str, typer.Option("--base", help="Git revision that the change is held against.")]


def build(folder: options.Folder = options.PUBLISHED, json: options.Json = False) -> None:
    """Write every published file that is not yet what its records give."""
    from harness.board.publishing.published_tables import build as build_files
    from harness.registry.history.night_page import build as build_history

    written = build_files(folder) + build_history(folder)
    give_written(written, "nothing changed: all files are what their records give", json=json)


def check(folder: options.Folder = options.PUBLISHED, json: options.Json = False) -> None:
    """Fail where a published file is not exactly what its records give."""
    from harness.registry.check import check as check_files

    give_differences(
        check_files(folder), "all published files are what their records give", json=json
    )


def diff(
    before: Side,
    after: Side,
    folder: options.Folder = options.PUBLISHED,
    json: options.Json = False,
) -> None:
    """Say what is different between two sets of published tables, as Markdown."""
    from harness.board.versions.table_diff import diff_document, diff_text, differences, side

    with side(before, folder) as was, side(after, folder) as now:
        found = differences(was, now)
        if json:
            give_json(diff_document(was, now, found))
        else:
            give(diff_text(was, now, found).rstrip("\n"))


def admit(
    base: Base,
    folder: options.Folder = options.PUBLISHED,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Hold new records against the rules and published ones against a revision; tell what changes.

    Ends with 1 where something is wrong, with every complaint.
    """
    from harness.board.writing.markdown import escape
    from harness.config.loader import load
    from harness.registry.admission import admit as admit_change

    came = admit_change(folder, base, load(config))
    # What cannot be read has no tables to compare.
    text, document = ("", None) if came.unreadable else _difference(folder, came)
    if json:
        give_json(
            {
                "schema": 1,
                "base": came.base,
                "new": list(came.new),
                "complaints": list(came.complaints),
                "worse": list(came.worse),
                "trust": dict(came.trusts),
                "told": list(came.told),
                "remarks": list(came.remarks),
                "difference": document,
            }
        )
    else:
        listed = "\n".join(f"- {escape(line)}" for line in came.remarks)
        told = [text.rstrip("\n"), f"## To be looked at\n\n{listed}" if listed else ""]
        give(*filter(None, ["\n\n".join(filter(None, told))]))
    trusts = (f"{name}: {trust}" for name, trust in came.trusts.items())
    for line in (*came.told, *trusts, *came.worse):
        say(line)
    if came.complaints:
        complain("\n".join(came.complaints))
        raise typer.Exit(1)
    say(f"{len(came.new)} new records, nothing wrong")


def _difference(folder: Path, came: Admission) -> tuple[str, dict[str, Any] | None]:
    """What the change does to the tables, as Markdown and as JSON."""
    from harness.board.versions.table_diff import GIT, diff_document, diff_text, differences, side

    if came.first:
        return "No tables were published before.\n", None
    with ExitStack() as stack:
        before = stack.enter_context(side(f"{GIT}{came.base}", folder))
        after = stack.enter_context(side(str(folder), folder))
        found = list(differences(before, after))
        return diff_text(before, after, found), diff_document(before, after, found)
