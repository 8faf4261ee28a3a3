"""Nights of a real published record: what a nightly job would leave behind, made fast."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.records.record import Metric, Record
from harness.records.record_files import read_record, write_record
from harness.registry.history.line import HistoryLine
from harness.registry.history.line_chain import add, read_history
from tests.places import ROOT

DIGITS = ROOT / "leaderboards" / "records" / "image" / "quick" / "digits"
BEGIN = date(2026, 3, 1)


def day(number: int) -> str:
    return (BEGIN + timedelta(days=number)).isoformat()


def real_record(name: str = "efficientnet-b0") -> Record:
    return read_record(next(DIGITS.glob(f"{name}*seed*[0-9a-f].json")))


def night_of(record: Record, number: int, **changes: Any) -> Record:
    """The record as another night would have made it.

    Args:
        record: of the entry.
        number: of the night.
        changes: of its resources, but for `accuracy`, `seed`, `state`, `reason` and `code`.
    """
    own = {
        name: changes.pop(name) for name in ("seed", "state", "reason", "code") if name in changes
    }
    metrics = dict(record.metrics)
    if "accuracy" in changes:
        old, value = metrics["accuracy"], changes.pop("accuracy")
        metrics["accuracy"] = Metric(
            value=value, low=value - 0.015, high=value + 0.010, unit=old.unit
        )
    if own.get("state", "done") != "done":
        metrics = {}
    finished = f"{day(number)}T02:00:00+00:00"
    resources = record.resources.model_copy(update=changes)
    return record.model_copy(
        update={"finished": finished, "metrics": metrics, "resources": resources, **own}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of published tables."""
    return tmp_path / "leaderboards"


Nightly = Callable[..., None]


@pytest.fixture
def nightly(tmp_path: Path, folder: Path) -> Nightly:
    """Add the records of one night to the history, through a runs folder of its own."""

    def run(number: int, *records: Record) -> None:
        runs = tmp_path / f"runs-{number}"
        for index, record in enumerate(records):
            place = runs / "image-quick" / "digits" / f"entry-{index}" / "job" / "record.json"
            write_record(place, record)
        add(runs, folder)

    return run


def lines_of(folder: Path) -> list[HistoryLine]:
    return [line for lines in read_history(folder).values() for line in lines]
