"""The companions of records: computed from their scores, held against what lies beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.board.names import details_path
from harness.config.loader import LoadedBenchmark
from harness.errors import DataError
from harness.records.canonical import sha256_file
from harness.records.details import DETAILS, Details, details_text, read_details, write_details
from harness.records.store import read_record
from harness.registry.rescoring import NotHereError, UnusableError, changed, rejudging
from harness.run.job.record_writing import RECORD
from harness.tasks.task import Detailing

TOLERANCE = 2e-6
"""By how much, of itself, a rounded number may differ: one in its last digit."""

Answer = Literal["written", "there", "differs", "not here"]


@dataclass(frozen=True)
class Completion:
    """What came of one record's companion.

    Attributes:
        record: its file.
        answer: `there` where an equal companion lay beside it already; one that differs is left as
            it is.
        reasons: what differs, or what is needed.
    """

    record: Path
    answer: Answer
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Companions:
    """Computes companions, and remembers why some cannot be.

    Attributes:
        loaded: the benchmark that the records were made with.
        reasons: why -> the records that have none for it.
    """

    loaded: LoadedBenchmark
    reasons: dict[str, list[Path]] = field(default_factory=dict)

    def of(self, record: Path) -> Details | None:
        """A record's companion; None where it cannot be computed here.

        Raises:
            DataError, RequestError: as `details_of`.
        """
        try:
            return details_of(self.loaded, record)
        except NotHereError as error:
            self.reasons.setdefault(str(error), []).append(record)
            return None


def complete(loaded: LoadedBenchmark, record: Path) -> Completion:
    """Write a record's companion where it is missing; one that is there is held against it.

    Raises:
        DataError, RequestError: as `details_of`, or what lies there is no companion.
    """
    beside = details_beside(record)
    try:
        found = details_of(loaded, record)
    except NotHereError as error:
        return Completion(record, "not here", (str(error),))
    if not beside.exists():
        write_details(beside, found)
        return Completion(record, "written")
    differing = differences(read_details(beside), found)
    return Completion(record, "differs" if differing else "there", differing)


def content_at(place: Path, details: Details) -> bytes:
    """What a companion's file is to hold: what is there, where that tells the same.

    Another machine may have rounded a number's last digit otherwise.

    Raises:
        RequestError: what lies there is no companion.
    """
    if place.exists() and not differences(read_details(place), details):
        return place.read_bytes()
    return details_text(details).encode()


def details_beside(record: Path) -> Path:
    """Where a record's companion lies, in a run's folder or among the published ones."""
    return record.with_name(DETAILS if record.name == RECORD else details_path(record.name))


def details_of(loaded: LoadedBenchmark, path: Path) -> Details:
    """Compute a record's companion.

    Args:
        loaded: the benchmark that the record was made with.
        path: the record; its scores lie beside it.

    Raises:
        NotHereError: it cannot be computed on this machine, and why.
        DataError: the scores are not those that the record names, or its lists do not fit them.
        RequestError: the file is not a record.
    """
    record = read_record(path)
    try:
        needed = rejudging(loaded, record, path)
        if reason := changed(needed.path, record, "scores"):
            raise DataError(reason)
        return named(path, needed.detail())
    except UnusableError as error:
        raise DataError(f"{path}: {error}") from error


def named(record: Path, found: Detailing) -> Details:
    """A companion with the record that it is of."""
    return Details(record=sha256_file(record), det=found.det, breakdowns=found.breakdowns)


def differences(there: Details, here: Details) -> tuple[str, ...]:
    """Where a companion is not what was computed; each place is named by its way in the file.

    Args:
        there: as it lies beside its record.
        here: as computed now.
    """
    pair = (each.model_dump(mode="json", by_alias=True) for each in (there, here))
    return tuple(_differences("details", *pair))


def _differences(where: str, there: Any, here: Any) -> Iterator[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted(there.keys() | here.keys()):
            yield from _differences(f"{where}.{key}", there.get(key), here.get(key))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for number, pair in enumerate(zip(there, here, strict=True)):
            name = pair[0].get("name", number) if isinstance(pair[0], dict) else number
            yield from _differences(f"{where}[{name}]", *pair)
    elif not _same(there, here):
        yield f"{where}: recorded {_told(there)}, computed {_told(here)}"


def _same(there: Any, here: Any) -> bool:
    if isinstance(there, float) and isinstance(here, float):
        return math.isclose(there, here, rel_tol=TOLERANCE, abs_tol=0.0)
    return bool(there == here)


def _told(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} of them"
    if isinstance(value, dict):
        return "something"
    return "nothing" if value is None else f"{value!r}"
