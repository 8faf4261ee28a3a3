"""Files beside published records, each bound by a hash: scores, series, details, and more.

A record names its scores and its series; details and attestations name the record's file; a
signature signs the hashes of all. So a file that was exchanged, edited or left behind is found
without computing anything again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.board.evidence import publishes_scores, signer_of
from harness.board.record_paths import (
    DETAILS_ENDING,
    SERIES_ENDING,
    SIGNATURE_ENDING,
    is_record,
    is_signature,
    record_of,
    scores_path,
    series_path,
    signature_path,
)
from harness.errors import RequestError
from harness.records.attestation import (
    MARK,
    attestation_path,
    attestation_text,
    read_attestation,
)
from harness.records.details_schema import details_text, read_details
from harness.records.documents import sha256_file
from harness.records.record import Record
from harness.records.signature import SIGNERS, SignatureError, Signers, read_signers


def wrong_companions(folder: Path, records: Mapping[str, Record]) -> list[str]:
    """Name every file beside a record that is missing, not its own, or beside none.

    Args:
        folder: the published tables.
        records: path below them -> record.

    Raises:
        RequestError: one is not what its name says (`unreadable_companions`).
    """
    signers = read_signers(folder / SIGNERS)
    scores = [
        line
        for path, record in records.items()
        for line in (
            *_scores(folder / scores_path(path), scores_path(path), record),
            *_series(folder / series_path(path), series_path(path), record),
        )
    ]
    bound = [line for name in _beside(folder) for line in _companion(folder, name, records)]
    attested = (name for name in _beside(folder) if not name.endswith(DETAILS_ENDING))
    owners, orphans = {*records, *attested}, list[str]()
    for ending, owned in (
        ("*.npz", scores_path),
        (f"*{SERIES_ENDING}", series_path),
        (f"*{MARK}*{SIGNATURE_ENDING}", signature_path),
    ):
        found = (folder / "records").rglob(ending)
        there = {path.relative_to(folder).as_posix() for path in found}
        orphans += sorted(there - set(map(owned, owners)))
    bound += [f"{name}: stale, no record beside it; delete it" for name in orphans]
    return scores + bound + _wrong_signatures(folder, records, signers)


def unreadable_companions(folder: Path) -> list[str]:
    """Name every file beside a record that is not what its name says."""
    complaints = []
    for name in _beside(folder):
        try:
            read = read_details if name.endswith(DETAILS_ENDING) else read_attestation
            read(folder / name)
        except RequestError as error:
            complaints.append(f"{name}: {error}")
    try:
        read_signers(folder / SIGNERS)
    except RequestError as error:
        complaints.append(f"{SIGNERS}: {error}")
    return complaints


def signature_files(folder: Path) -> list[str]:
    """Return the signatures of published records, by their paths below the published folder."""
    files = (folder / "records").rglob(f"*{SIGNATURE_ENDING}")
    names = sorted(path.relative_to(folder).as_posix() for path in files)
    return [name for name in names if is_signature(name.rpartition("/")[2])]


def signature_fault(folder: Path, name: str, record: Record, signers: Signers) -> str:
    """Return why the signature beside a record does not count; empty if it does."""
    try:
        signer_of(folder / record_of(name), record, signers)
    except SignatureError as error:
        return str(error)
    return ""


def _wrong_signatures(folder: Path, records: Mapping[str, Record], signers: Signers) -> list[str]:
    """Name every signature that is of no record, or does not count."""
    wrong = []
    for name in signature_files(folder):
        if (record := records.get(record_of(name))) is None:
            wrong.append(f"{name}: stale, no record beside it; delete it")
        elif fault := signature_fault(folder, name, record, signers):
            wrong.append(
                f"{name}: {fault}; delete it, or sign the record anew: `harness publish --sign`"
            )
    return wrong


def _beside(folder: Path) -> list[str]:
    """Return the JSON files beside records, by their paths below the published folder."""
    files = (folder / "records").rglob("*.json")
    return sorted(path.relative_to(folder).as_posix() for path in files if not is_record(path.name))


def _scores(file: Path, name: str, record: Record) -> list[str]:
    """Say what is wrong with the scores beside a record."""
    allowed, named = publishes_scores(record), record.artefacts.get("scores")
    if not file.is_file():
        return [f"{name}: missing; its record is published with its scores"] if allowed else []
    if not record.dataset.publish_scores:
        return [f"{name}: scores on {record.dataset.name} may not be published; delete it"]
    if named is None:
        return [f"{name}: its record names no scores"]
    found, said = sha256_file(file), named.sha256
    return [f"{name}: sha256 {found[:12]}, its record says {said[:12]}"] * (found != said)


def _series(file: Path, name: str, record: Record) -> list[str]:
    """Say what is wrong with the series beside a record; older records name none."""
    named = record.artefacts.get("series")
    if not file.is_file():
        return [f"{name}: missing; its record is published with its series"] if named else []
    if named is None:
        return [f"{name}: its record names no series"]
    found, said = sha256_file(file), named.sha256
    return [f"{name}: sha256 {found[:12]}, its record says {said[:12]}"] * (found != said)


def _companion(folder: Path, name: str, records: Mapping[str, Record]) -> list[str]:
    record = record_of(name)
    if record not in records:
        return [f"{name}: stale, no record beside it; delete it"]
    path, beside = folder / name, folder / record
    if path.name.endswith(DETAILS_ENDING):
        return [f"{name}: {line}" for line in _details(path, beside)]
    return [
        *(f"{name}: {line}" for line in _attestation(path, beside, records[record])),
        *_attested_scores(path, scores_path(name), records[record]),
    ]


def _details(path: Path, beside: Path) -> Iterator[str]:
    details = read_details(path)
    if not details.is_of(beside):
        yield (
            "of another record than the one beside it; delete it, and `harness details` makes it "
            "anew"
        )
    if path.read_bytes() != details_text(details).encode():
        yield "not spelled as it was written; restore it from git"


def _attestation(path: Path, beside: Path, record: Record) -> Iterator[str]:
    told = read_attestation(path)
    if not told.is_of(beside):
        yield "of another record than the one beside it; delete it"
        return
    if path != attestation_path(beside, told):
        yield f"its content belongs at {attestation_path(beside, told).name}; restore it from git"
    if path.read_bytes() != attestation_text(told).encode():
        yield "not spelled as it was written; restore it from git"
    recorded, primary = record.metrics.get(told.metric), record.protocol.primary
    if told.metric != primary or recorded is None:
        yield f"tells of {told.metric!r}, its record's primary metric is {primary!r}"
    elif recorded.value != told.recorded:
        yield f"says that the record has {told.recorded:g}, which has {recorded.value:g}"


def _attested_scores(path: Path, name: str, record: Record) -> Iterator[str]:
    """Say what is wrong with the scores beside an attestation, which need not bring any."""
    named, file = read_attestation(path).scores, path.with_name(scores_path(path.name))
    if file.is_file() and named is None:
        yield f"{name}: its attestation names no scores; delete it"
    elif file.is_file() and not record.dataset.publish_scores:
        yield f"{name}: scores on {record.dataset.name} may not be published; delete it"
    elif named is not None and not file.is_file():
        yield f"{name}: missing; its attestation names them"
    elif named is not None and sha256_file(file) != named.sha256:
        yield f"{name}: not the scores that its attestation names (sha256 {named.sha256[:12]})"
