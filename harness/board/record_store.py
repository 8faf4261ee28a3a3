"""Read published records from the disk, grouped by the family of their table."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ValidationError

from harness.board.evidence import (
    Evidence,
    digest_chain,
    finished_at,
    is_unseen,
    publishes_scores,
    read_signature,
    trust_of,
)
from harness.board.made_again import lacking
from harness.board.record_paths import (
    DETAILS_ENDING,
    SCORES_ENDING,
    SERIES_ENDING,
    SIGNATURE_ENDING,
    details_path,
    is_record,
    record_of,
    scores_path,
    series_path,
    signature_path,
)
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Family, family_of, rendered_with
from harness.errors import DataError, RequestError, unreadable
from harness.health.training_end import TrainingEnd, read_training_end
from harness.records.attestation import MARK
from harness.records.details_schema import Details, read_details
from harness.records.documents import sha256, sha256_file
from harness.records.record import Record
from harness.records.record_files import read_record, usable_record
from harness.records.signature import SIGNERS, SignatureError, Signers, read_signers

RECORDS = "records"

NONE: Mapping[str, Record] = {}

GLANCES = 1000
"""Number of files that a process takes at once."""


class _Fold(BaseModel):
    of: str


class _Data(BaseModel):
    name: str
    fold: _Fold | None = None
    leaks: str = ""


class _Protocol(BaseModel):
    suite: str
    profile: str


class _Glance(BaseModel):
    """The part of a record's file that names its family; the rest is passed over."""

    protocol: _Protocol
    dataset: _Data


BESIDE = (SCORES_ENDING, SERIES_ENDING, SIGNATURE_ENDING)
"""Endings of files beside a record that are no JSON."""

_Beside = dict[str, os.DirEntry[str]]
"""The files beside a record, by their names."""


@dataclass(frozen=True)
class Held:
    """Records and the files beside them.

    Attributes:
        records: path relative to the folder -> record, with the trust that it has earned.
        details: the same path -> details beside it.
        contents: path of each file that was read -> its sha256.
        unseen: paths of the records that a signature alone carries.
        ends: the same path -> how its training ended, by the series beside it.
    """

    records: dict[str, Record] = field(default_factory=dict)
    details: dict[str, Details] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    ends: dict[str, TrainingEnd] = field(default_factory=dict)

    def filed(self) -> list[FiledRecord]:
        """Return the records as tables take them."""
        return [
            FiledRecord(record, path, is_unseen=path in self.unseen, end=self.ends.get(path))
            for path, record in self.records.items()
        ]


def board_files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Return every file among the published records on which tables rest, in no order."""
    pending = [folder / RECORDS]
    while pending:
        top = pending.pop()
        if not top.is_dir():
            continue
        with os.scandir(top) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                elif entry.name.endswith((".json", *BESIDE)):
                    yield entry


def record_files(folder: Path) -> list[Path]:
    """Return every published record's file, in the order of their paths."""
    names = (entry for entry in board_files(folder) if entry.name.endswith(".json"))
    return sorted(Path(entry.path) for entry in names if is_record(entry.name))


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
    name = data.fold.of if data.fold else data.name
    own = glance.protocol.suite, glance.protocol.profile, name
    return rendered_with(own, data.leaks)


def load(
    folder: Path,
    files: Iterable[Path],
    signers: Signers | None = None,
    known: Mapping[str, Record] = NONE,
) -> Held:
    """Read records and the files beside them, which decide what trust each record has.

    Details, attestations and signatures of another record than the one they lie beside are passed
    over; `check` names them, and compares scores by their hash: here their size has to do.

    Args:
        folder: the published tables.
        files: records below it.
        signers: those whose signatures count; None takes those of the folder.
        known: path -> record, as its file says it, of those that were read already.

    Raises:
        RequestError: files are not records, hold numbers that cannot be, or one beside them is not
            what its name says; each is named.
    """
    held, files, wrong = Held(), list(files), []
    listed = read_signers(folder / SIGNERS) if signers is None else signers
    beside = _companions({file.parent for file in files})
    for file in files:
        try:
            _read_into(held, folder, file, beside.get(str(file), {}), listed, known)
        except RequestError as error:
            wrong.append(str(error))
    refuse(wrong)
    return held


def _read_into(
    held: Held,
    folder: Path,
    file: Path,
    beside: _Beside,
    signers: Signers,
    known: Mapping[str, Record],
) -> None:
    """Read one record and its companions."""
    path, content = file.relative_to(folder).as_posix(), _content(file)
    record = known.get(path) or usable_record(file, read_record(file))
    held.contents[path] = sha256(content)
    at, attestations = path.removesuffix(file.name), list[Path]()
    for name, entry in beside.items():
        companion = Path(entry.path)
        if not name.endswith(SCORES_ENDING):
            held.contents[at + name] = sha256_file(companion)
        if name.endswith(DETAILS_ENDING) and (details := read_details(companion)).is_of(file):
            held.details[path] = details
        elif MARK in name and name.endswith(".json"):
            attestations.append(companion)
    details_sha256 = held.contents.get(at + details_path(file.name))
    chain = digest_chain(record, held.contents[path], details_sha256)
    evidence = Evidence(
        has_scores=_has_scores(record, beside.get(scores_path(file.name))),
        is_signed=_is_signed(chain, beside.get(signature_path(file.name)), record, signers),
        is_attested=any(not lacking(each, file, record, signers) for each in attestations),
    )
    held.records[path] = record.model_copy(update={"trust": trust_of(record, evidence)})
    if is_unseen(record, evidence):
        held.unseen.add(path)
    series, named = beside.get(series_path(file.name)), record.artefacts.get("series")
    if series and named and held.contents[at + series.name] == named.sha256:
        with suppress(DataError):  # `admit` refuses it; no figure rests on it
            held.ends[path] = read_training_end(Path(series.path))


def _companions(folders: Iterable[Path]) -> dict[str, _Beside]:
    """Return the files beside each record of some folders, by their names."""
    found: dict[str, _Beside] = defaultdict(dict)
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_beside = entry.name.endswith(BESIDE) or (
                    entry.name.endswith(".json") and not is_record(entry.name)
                )
                if is_beside:
                    found[os.path.join(folder, record_of(entry.name))][entry.name] = entry
    return found


def _has_scores(record: Record, beside: os.DirEntry[str] | None) -> bool:
    """Check if the scores that a record names lie beside it, as far as their size tells."""
    if beside is None or not publishes_scores(record) or not beside.is_file():
        return False
    return beside.stat().st_size == record.artefacts["scores"].bytes


def _is_signed(
    chain: bytes, beside: os.DirEntry[str] | None, record: Record, signers: Signers
) -> bool:
    """Check if a record's signature is there and counts."""
    if beside is None or not signers.listed:
        return False
    try:
        signers.verify(chain, read_signature(Path(beside.path)), finished_at(record))
    except SignatureError:
        return False
    return True


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RequestError(unreadable(file, error)) from error
