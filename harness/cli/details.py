"""`harness details`: what lies beside records, written where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from harness.cli import options
from harness.cli.answers import give_answers, records_of
from harness.cli.board import PUBLISHED
from harness.cli.output import complain, give_json
from harness.cli.verify import Records

if TYPE_CHECKING:
    from harness.registry.record_details import DetailsAnswer


def details(
    records: Records = None, *, config: options.Config = None, json: options.Json = False
) -> None:
    """Write the DET curve and the breakdowns of records beside them, where they are missing.

    Nothing that is there is written anew; details that differ from what is computed are an error.
    """
    from harness.config.loader import load
    from harness.registry.record_details import complete_details

    loaded = load(config)
    done = [complete_details(loaded, record) for record in records_of(records or [PUBLISHED])]
    if json:
        give_json({"schema": 1, "records": [_document(each) for each in done]})
    else:
        give_answers([(each.answer, each.reasons, str(each.record)) for each in done])
    if any(each.answer == "differs" for each in done):
        complain("details that differ are kept; delete them, and the same command writes them anew")
        raise typer.Exit(1)


def _document(done: DetailsAnswer) -> dict[str, object]:
    from harness.registry.record_details import details_beside

    return {
        "record": str(done.record),
        "details": str(details_beside(done.record)),
        "answer": done.answer,
        "reasons": list(done.reasons),
    }
