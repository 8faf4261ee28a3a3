"""The details beside records: computed from their scores, and compared with what lies there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.board.record_paths import details_path
from harness.config.loader import LoadedBenchmark
from harness.errors import DataError
from harness.records.details_schema import (
    DETAILS,
    Details,
    details_text,
    read_details,
    write_details,
)
from harness.records.documents import sha256_file
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.rescoring import (
    NotHereError,
    UnusableError,
    difference_from_artefact,
    find_rescoring,
)
from harness.run.job.record_writing import RECORD
from harness.tasks.task import Detailing

TOLERANCE = 2e-6
"""The relative difference that rounding may make: one in the last digit."""

Answer = Literal["written", "there", "differs", "not here"]


@dataclass(frozen=True)
class DetailsAnswer:
    """The state of one record's details.

    Attributes:
        record: its file.
        answer: `there` if equal details lay beside it already; different ones are left as they
            are.
        reasons: the differences, or what is needed.
    """

    record: Path
    answer: Answer
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class DetailsMaker:
    """Computes details, and remembers why some cannot be.

    Attributes:
        loaded: the benchmark that the records were made with.
        reasons: why -> the records that have none for it.
    """

    loaded: LoadedBenchmark
    reasons: dict[str, list[Path]] = field(default_factory=dict)

    def of(self, path: Path, record: Record) -> Details | None:
        """Compute the details of a record in a file; None if they cannot be computed here.

        Raises:
            DataError: as `details_of`.
        """
        try:
            return details_of(self.loaded, path, record)
        except NotHereError as error:
            self.reasons.setdefault(str(error), []).append(path)
            return None


def complete_details(loaded: LoadedBenchmark, record: Path) -> DetailsAnswer:
    """Write a record's details if they are missing; compare those that are there.

    Raises:
        DataError: as `details_of`.
        RequestError: the file is not a record, or the one beside it holds no details.
    """
    beside = details_beside(record)
    try:
        found = details_of(loaded, record, read_record(record))
    except NotHereError as error:
        return DetailsAnswer(record, "not here", (str(error),))
    if not beside.exists():
        write_details(beside, found)
        return DetailsAnswer(record, "written")
    differing = differences(read_details(beside), found)
    return DetailsAnswer(record, "differs" if differing else "there", differing)


def details_content(place: Path, details: Details) -> bytes:
    """Return the bytes of a details file; keep those of a file that is equal within rounding.

    Raises:
        RequestError: the file there holds no details.
    """
    if place.exists() and not differences(read_details(place), details):
        return place.read_bytes()
    return details_text(details).encode()


def details_beside(record: Path) -> Path:
    """Return the place of a record's details, in a run's folder or among the published ones."""
    return record.with_name(DETAILS if record.name == RECORD else details_path(record.name))


def details_of(loaded: LoadedBenchmark, path: Path, record: Record) -> Details:
    """Compute a record's details.

    Args:
        loaded: the benchmark that the record was made with.
        path: the record's file; its scores lie beside it.
        record: what the file holds.

    Raises:
        NotHereError: they cannot be computed on this machine, and why.
        DataError: the scores are not those that the record names, or its lists do not fit them.
    """
    try:
        needed = find_rescoring(loaded, record, path)
        if reason := difference_from_artefact(needed.path, record, "scores"):
            raise DataError(reason)
        return bind_details(path, needed.detail())
    except UnusableError as error:
        raise DataError(f"{path}: {error}") from error


def bind_details(record: Path, found: Detailing) -> Details:
    """Return details with the hash of the record that they are of."""
    return Details(record=sha256_file(record), det=found.det, breakdowns=found.breakdowns)


def differences(there: Details, here: Details) -> tuple[str, ...]:
    """Name every difference of details from computed ones, by its path in the file.

    Args:
        there: as they lie beside their record.
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
    else:
        floats = isinstance(there, float) and isinstance(here, float)
        if not (math.isclose(there, here, rel_tol=TOLERANCE) if floats else there == here):
            yield f"{where}: recorded {_brief(there)}, computed {_brief(here)}"


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} of them"
    if isinstance(value, dict):
        return "something"
    return "nothing" if value is None else f"{value!r}"
