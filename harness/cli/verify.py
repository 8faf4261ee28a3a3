"""`harness verify` and `harness details`: published numbers computed again, details completed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import complain, give, give_json, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.registry.record_details import DetailsAnswer
    from harness.registry.verify_record import Verdict

Records = Annotated[
    list[Path] | None,
    typer.Argument(help="Records, or folders of them; the published ones by default."),
]

SHOWN = 5
"""Reasons of a record that are told; JSON holds all of them."""

Answered = tuple[str, Sequence[str], str]
"""An answer, its reasons, and the record as a line names it."""


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
    for file in records_of(records or [options.PUBLISHED]):
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


def details(
    records: Records = None, *, config: options.Config = None, json: options.Json = False
) -> None:
    """Write the DET curve and the breakdowns of records beside them, where they are missing.

    Nothing that is there is written anew; details that differ from what is computed are an error.
    """
    from harness.config.loader import load
    from harness.registry.record_details import complete_details

    loaded, done, unreadable = load(config), [], []
    for record in records_of(records or [options.PUBLISHED]):
        try:
            done.append(complete_details(loaded, record))
        except RequestError as error:
            unreadable.append(str(error))
    if json:
        give_json({"schema": 1, "records": [_details_document(each) for each in done]})
    else:
        give_answers([(each.answer, each.reasons, str(each.record)) for each in done])
    if unreadable:
        raise RequestError("\n".join(unreadable))
    if any(each.answer == "differs" for each in done):
        complain("details that differ are kept; delete them, and the same command writes them anew")
        raise typer.Exit(1)


def _details_document(done: DetailsAnswer) -> dict[str, object]:
    from harness.registry.record_details import details_beside

    return {
        "record": str(done.record),
        "details": str(details_beside(done.record)),
        "answer": done.answer,
        "reasons": list(done.reasons),
    }


def records_of(given: Iterable[Path]) -> list[Path]:
    """The records that are named, and those below folders that are.

    Raises:
        RequestError: a folder holds none, or there is no such thing.
    """
    return [record for path in given for record in _records(path)]


def give_answers(answered: Sequence[Answered]) -> None:
    """Print each answer and reason once, with the records that it holds for; say how many."""
    groups: dict[str, list[str]] = defaultdict(list)
    for answer, reasons, record in answered:
        groups[_with_reasons(answer, reasons)].append(f"  {record}")
    give(*(line for answer, records in sorted(groups.items()) for line in (answer, *records)))
    counts = Counter(answer for answer, _, _ in answered)
    say(", ".join(f"{count} {answer}" for answer, count in sorted(counts.items())))


def _records(given: Path) -> list[Path]:
    from harness.registry.verify_record import record_files

    if given.is_file():
        return [given]
    found = record_files(given) if given.is_dir() else []
    if not found:
        raise RequestError(f"{given}: no record there; give a record.json or a folder of records")
    return found


def _with_reasons(answer: str, reasons: Sequence[str]) -> str:
    shown, more = reasons[:SHOWN], len(reasons) - SHOWN
    told = "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
    return f"{answer}: {told}" if told else f"{answer}:"
