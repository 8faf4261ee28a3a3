"""Read published records from the disk, grouped by the family of their table."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ValidationError

from harness.board.companions import record_of
from harness.board.record_paths import DETAILS_ENDING, is_record
from harness.board.standing.table import Family, family_of
from harness.errors import RequestError, unreadable
from harness.records.attestation import MARK, wrong_attestation
from harness.records.details_schema import Details, read_details
from harness.records.documents import sha256, sha256_file
from harness.records.record import Record
from harness.records.record_files import read_record, usable_record

RECORDS = "records"

GLANCES = 1000
"""Number of files that a process takes at once."""


class _Fold(BaseModel):
    of: str


class _Data(BaseModel):
    name: str
    fold: _Fold | None = None


class _Protocol(BaseModel):
    suite: str
    profile: str


class _Glance(BaseModel):
    """The part of a record's file that names its family; the rest is passed over."""

    protocol: _Protocol
    dataset: _Data


@dataclass(frozen=True)
class Held:
    """Records and the files beside them.

    Attributes:
        records: path relative to the folder -> record.
        details: the same path -> details beside it.
        contents: path of each file that was read -> its sha256.
    """

    records: dict[str, Record] = field(default_factory=dict)
    details: dict[str, Details] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)


def json_files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Return every JSON file among the published records, in no order."""
    pending = [folder / RECORDS]
    while pending:
        top = pending.pop()
        if not top.is_dir():
            continue
        with os.scandir(top) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                elif entry.name.endswith(".json"):
                    yield entry


def record_files(folder: Path) -> list[Path]:
    """Return every published record's file, in the order of their paths."""
    return sorted(Path(entry.path) for entry in json_files(folder) if is_record(entry.name))


def families(folder: Path, pool: Executor | None = None) -> dict[Family, list[Path]]:
    """Return the published records by the family of their table; families and files in order.

    Args:
        folder: the published tables.
        pool: further processes that read; None for this one alone.

    Raises:
        RequestError: files among the records are not records; each is named.
    """
    files, found = record_files(folder), defaultdict[Family, list[Path]](list)
    told = pool.map(_family_at, files, chunksize=GLANCES) if pool else map(_family_at, files)
    for path, family in zip(files, told, strict=True):
        if family is None:
            refuse(filter(None, map(_unusable, files)))
        else:
            found[family].append(path)
    return dict(sorted(found.items()))


def refuse(wrong: Iterable[str]) -> None:
    """Raise one RequestError that holds every line; do nothing if there is none."""
    if lines := "\n".join(wrong):
        raise RequestError(lines)


def _family_at(path: Path) -> Family | None:
    """Return the family of the record in a file; None if the file is not a record."""
    try:
        return family_at(path)
    except RequestError:
        return None


def _unusable(path: Path) -> str:
    """Return all that keeps a record from a table, what a glance passes over too; empty if none."""
    try:
        usable_record(path, read_record(path))
    except RequestError as error:
        return str(error)
    return ""


def family_at(path: Path) -> Family:
    """Return the family of the record in a file.

    Raises:
        RequestError: the file is not a record.
    """
    try:
        glance = _Glance.model_validate_json(_content(path))
    except ValidationError:
        return family_of(read_record(path))  # which says what is wrong
    data = glance.dataset
    return glance.protocol.suite, glance.protocol.profile, data.fold.of if data.fold else data.name


def load(folder: Path, files: Iterable[Path]) -> Held:
    """Read records and the files beside them.

    A measured record that was made again is one of trust `reproduced`. Details and attestations of
    another record than the one they lie beside are passed over; `check` names them.

    Args:
        folder: the published tables.
        files: records below it.

    Raises:
        RequestError: files are not records, hold numbers that cannot be, or one beside them is not
            what its name says; each is named.
    """
    held, files, wrong = Held(), list(files), []
    beside = _companions({file.parent for file in files})
    for file in files:
        try:
            _read_into(held, folder, file, beside.get(file, []))
        except RequestError as error:
            wrong.append(str(error))
    refuse(wrong)
    return held


def _read_into(held: Held, folder: Path, file: Path, companions: Iterable[Path]) -> None:
    """Read one record and its companions."""
    path, content = file.relative_to(folder).as_posix(), _content(file)
    record = usable_record(file, read_record(file))
    held.records[path] = _with_attestations(record, file, companions)
    held.contents[path] = sha256(content)
    for each in companions:
        held.contents[each.relative_to(folder).as_posix()] = sha256_file(each)
        if each.name.endswith(DETAILS_ENDING) and (details := read_details(each)).is_of(file):
            held.details[path] = details


def _companions(folders: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return the files beside each record of some folders."""
    found: dict[Path, list[Path]] = defaultdict(list)
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".json") and not is_record(name):
                found[folder / record_of(name)].append(folder / name)
    return found


def _with_attestations(record: Record, file: Path, companions: Iterable[Path]) -> Record:
    """Return the record with the trust that attestations beside it give."""
    attested = (not wrong_attestation(each, file) for each in companions if MARK in each.name)
    again = record.trust == "measured" and any(attested)
    return record.model_copy(update={"trust": "reproduced"}) if again else record


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RequestError(unreadable(file, error)) from error
