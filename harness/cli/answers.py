"""Commands that answer for each of many records: which records, and how the answers are told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.cli.output import give, say
from harness.errors import RequestError

SHOWN = 5
"""Reasons of a record that are told; JSON holds all of them."""

Answered = tuple[str, Sequence[str], str]
"""An answer, its reasons, and the record as a line names it."""


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
