"""The evidence beside a published record, and the trust that it earns.

A record says of itself how far it may be trusted, and that is no more than an upper bound: what
counts lies beside it. Scores that are there can be judged again by anybody. A signature covers the
record and all that its numbers rest on, and counts where the signers file lists its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.board.record_paths import details_path, signature_path
from harness.records.documents import canonical_json, sha256_file
from harness.records.record import Record, Trust
from harness.records.signature import LONGEST, SignatureError, Signer, Signers

SCORES_LIMIT: Final = 1_000_000
"""Scores of at most so many bytes are published beside their record."""

UNSEEN: Final = "signed, scores not published"
"""Beside the trust of a row whose scores licence or size keep from being published."""

CHAIN: Final = 1
"""The schema of a digest chain."""


@dataclass(frozen=True)
class Evidence:
    """The files beside a record that speak for it.

    Attributes:
        has_scores: its scores are there, of the size that it names.
        is_signed: a signature is there that counts.
        is_attested: a valid attestation that it was made again is there.
    """

    has_scores: bool = False
    is_signed: bool = False
    is_attested: bool = False


def may_publish_scores(record: Record) -> bool:
    """Check if licence and size let a record's scores lie beside it; True if it names none."""
    scores = record.artefacts.get("scores")
    return record.dataset.publish_scores and (scores is None or scores.bytes <= SCORES_LIMIT)


def publishes_scores(record: Record) -> bool:
    """Check if the record's scores belong beside it: allowed, made, and small."""
    return "scores" in record.artefacts and may_publish_scores(record)


def trust_of(record: Record, evidence: Evidence) -> Trust:
    """Return the trust that a published record has earned; never more than it asks for.

    A record without results holds no number that could be believed, so it needs no scores.
    """
    held = evidence.has_scores or (evidence.is_signed and not may_publish_scores(record))
    if record.trust == "claimed" or (record.state == "done" and not held):
        return "claimed"
    if not evidence.is_signed or record.trust == "rescored" or record.submission is not None:
        return "rescored"
    return "reproduced" if evidence.is_attested else "measured"


def is_unseen(record: Record, evidence: Evidence) -> bool:
    """Check if a signature alone carries the record's numbers."""
    return (
        record.state == "done"
        and not evidence.has_scores
        and trust_of(record, evidence) != "claimed"
    )


def digest_chain(record: Record, record_sha256: str, details_sha256: str | None) -> bytes:
    """Return what a record's signature signs: the hashes of all that its numbers rest on.

    Args:
        record: the record.
        record_sha256: of its file.
        details_sha256: of the details beside it; None if there are none.
    """
    trained = record.stages.get("train")
    files = {name: record.artefacts.get(name) for name in ("checkpoint", "scores")}
    chain = {
        "schema": CHAIN,
        "signs": "record",
        "record": record_sha256,
        "lock": record.dataset.lock,
        "code": record.code,
        "training": trained.key if trained else None,
        **{name: file.sha256 if file else None for name, file in files.items()},
        "details": details_sha256,
    }
    return canonical_json(chain).encode()


def chain_of(path: Path, record: Record) -> bytes:
    """Return the digest chain of a published record's file."""
    details = path.with_name(details_path(path.name))
    beside = sha256_file(details) if details.is_file() else None
    return digest_chain(record, sha256_file(path), beside)


def finished_at(record: Record) -> datetime:
    """Return when a record says that it ended; the last time of all if it says nothing.

    So a key that counts no longer counts for no record without a date either.
    """
    return parse_time(record.ended) or datetime.max.replace(tzinfo=UTC)


def parse_time(text: str) -> datetime | None:
    """Return a time of ISO 8601, in UTC if it names no zone; None if the text is none.

    >>> parse_time("2026-11-20T11:45:20Z").isoformat()
    '2026-11-20T11:45:20+00:00'
    """
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_signature(path: Path) -> str:
    """Read a signature's file.

    Raises:
        SignatureError: it is no file, too long or no text, so none that counts.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise SignatureError(f"more than {LONGEST:,} bytes, which no signature has")
        return content.decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SignatureError(f"no signature ({error})") from error


def signer_of(path: Path, record: Record, signers: Signers) -> Signer:
    """Find who signed a published record.

    Args:
        path: its file; the signature lies beside it.
        record: the file's content.
        signers: those whose signatures count.

    Raises:
        SignatureError: nobody did whose signature counts; why.
    """
    signature = read_signature(path.with_name(signature_path(path.name)))
    return signers.verify(chain_of(path, record), signature, finished_at(record))
