"""`harness verify`: published numbers, computed again."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.board import PUBLISHED
from harness.cli.output import give, give_json, say
from harness.config.loader import load
from harness.errors import RequestError
from harness.verify import Verdict, record_files
from harness.verify import verify as verify_record

SHOWN = 5
"""Reasons of a record that are told; the JSON holds all of them."""


def verify(
    records: Annotated[
        list[Path] | None,
        typer.Argument(help="Records, or folders of them; the published ones by default."),
    ] = None,
    *,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Compute the metrics of records again from their stored scores; fail where they differ."""
    loaded = load(config)
    files = [file for given in records or [PUBLISHED] for file in _files(given)]
    verdicts = [verify_record(loaded, file, runs) for file in files]
    if json:
        give_json({"schema": 1, "records": [_document(verdict) for verdict in verdicts]})
    else:
        give(*_lines(verdicts))
        counts = Counter(verdict.answer for verdict in verdicts)
        say(", ".join(f"{count} {answer}" for answer, count in sorted(counts.items())))
    if any(verdict.answer == "differs" for verdict in verdicts):
        raise typer.Exit(1)


def _files(given: Path) -> list[Path]:
    if given.is_file():
        return [given]
    found = record_files(given) if given.is_dir() else []
    if not found:
        raise RequestError(f"{given}: no record there; give a record.json or a folder of records")
    return found


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "record": str(verdict.record),
        "answer": verdict.answer,
        "reasons": list(verdict.reasons),
        "numbers": verdict.numbers,
    }


def _lines(verdicts: list[Verdict]) -> list[str]:
    """Each answer and reason once, with the records that it holds for."""
    groups: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        numbers = f" ({verdict.numbers} numbers)" if verdict.answer == "verified" else ""
        groups[_answer(verdict)].append(f"  {verdict.record}{numbers}")
    return [line for answer, records in sorted(groups.items()) for line in (answer, *records)]


def _answer(verdict: Verdict) -> str:
    shown, more = verdict.reasons[:SHOWN], len(verdict.reasons) - SHOWN
    reasons = "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
    return f"{verdict.answer}: {reasons}" if reasons else f"{verdict.answer}:"
