"""`harness board admit`: whether a change of the published tables may be taken in."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.output import complain, give, give_json, say
from harness.cli.publish import Folder

if TYPE_CHECKING:
    from harness.registry.admission import Admission

Base = Annotated[str, typer.Option("--base", help="Git revision that the change is held against.")]


def admit(
    base: Base,
    folder: Folder = Path("leaderboards"),
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Hold new records against the rules and published ones against a revision; tell what changes.

    Ends with 1 where something is wrong, with every complaint.
    """
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
                "difference": document,
            }
        )
    elif text:
        give(text.rstrip("\n"))
    if came.complaints:
        complain("\n".join(came.complaints))
        raise typer.Exit(1)
    say(f"{len(came.new)} new records, nothing wrong")


def _difference(folder: Path, came: Admission) -> tuple[str, dict[str, Any] | None]:
    """What the change does to the tables, as Markdown and as JSON."""
    from harness.board.versions.diff import diff_document, diff_text, differences
    from harness.board.versions.sides import GIT, side

    if came.first:
        return "No tables were published before.\n", None
    with ExitStack() as stack:
        before = stack.enter_context(side(f"{GIT}{came.base}", folder))
        after = stack.enter_context(side(str(folder), folder))
        found = list(differences(before, after))
        return diff_text(before, after, found), diff_document(before, after, found)
