"""`harness verify`: published numbers, computed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.answers import Answered, give_answers, records_of
from harness.cli.board import PUBLISHED
from harness.cli.output import give_json, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.registry.verify_record import Verdict

Records = Annotated[
    list[Path] | None,
    typer.Argument(help="Records, or folders of them; the published ones by default."),
]


def verify(
    records: Records = None,
    *,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Compute the metrics of records again from their stored scores; fail where they differ.

    The details beside a record are computed again too.
    """
    from harness.config.loader import load
    from harness.registry.verify_record import verify as verify_record

    loaded, verdicts, unreadable = load(config), [], []
    for file in records_of(records or [PUBLISHED]):
        try:
            verdicts.append(verify_record(loaded, file, runs))
        except RequestError as error:
            unreadable.append(str(error))
    if json:
        give_json({"schema": 1, "records": [_document(verdict) for verdict in verdicts]})
    else:
        give_answers([_answered(verdict) for verdict in verdicts])
        for verdict in verdicts:
            for note in verdict.notes:
                say(f"{verdict.record}: {note}")
    if unreadable:
        raise RequestError("\n".join(unreadable))
    if any(verdict.answer == "differs" for verdict in verdicts):
        raise typer.Exit(1)


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "record": str(verdict.record),
        "answer": verdict.answer,
        "reasons": list(verdict.reasons),
        "numbers": verdict.numbers,
        "details": verdict.details,
        "notes": list(verdict.notes),
    }


def _answered(verdict: Verdict) -> Answered:
    counted = f"{verdict.numbers} numbers" + (" and its details" if verdict.details else "")
    told = f"{verdict.record} ({counted})" if verdict.answer == "verified" else str(verdict.record)
    return verdict.answer, verdict.reasons, told
