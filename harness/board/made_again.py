"""The evidence beside an attestation, without which it lifts no record."""

from __future__ import annotations

from pathlib import Path

from harness.board.evidence import (
    SCORES_LIMIT,
    may_publish_scores,
    parse_time,
    read_signature,
    signer_of,
)
from harness.board.record_paths import scores_path, signature_path
from harness.records.attestation import Attestation, read_attestation, wrong_attestation
from harness.records.record import Artefact, Record
from harness.records.signature import SignatureError, Signer, Signers


def may_publish_these(record: Record, scores: Artefact | None) -> bool:
    """Check if licence and size let the scores of a record made again lie beside it."""
    return may_publish_scores(record) and scores is not None and scores.bytes <= SCORES_LIMIT


def lacking(path: Path, file: Path, record: Record, signers: Signers) -> str:
    """Return why an attestation does not lift its record to `reproduced`; empty if it does.

    Args:
        path, file, record, signers: as `attesting_signer` takes them.
    """
    try:
        attesting_signer(path, file, record, signers)
    except SignatureError as error:
        return str(error)
    return ""


def attesting_signer(path: Path, file: Path, record: Record, signers: Signers) -> Signer:
    """Find who attests that a record was made again, by a signature that lifts it.

    Of its scores the size has to do here; `check` holds them against their hash, and where a change
    is admitted they are judged again.

    Args:
        path: the attestation; its scores and its signature lie beside it.
        file: the record's file.
        record: the file's content.
        signers: those whose signatures count.

    Raises:
        SignatureError: it lifts nothing; why.
    """
    if wrong := wrong_attestation(path, file):
        raise SignatureError(wrong)
    told = read_attestation(path)
    if wrong := _wrong_scores(path, told, record):
        raise SignatureError(wrong)
    if (finished := parse_time(told.finished)) is None:
        raise SignatureError(f"finished is {told.finished[:40]!r}, no time of ISO 8601")
    signature = path.with_name(signature_path(path.name))
    if not signature.is_file():
        raise SignatureError("it is not signed")
    signer = signers.verify(told.chain, read_signature(signature), finished)
    try:
        own = signer_of(file, record, signers)
    except SignatureError as error:
        raise SignatureError(f"its record is not signed itself: {error}") from error
    if signer.key == own.key or signer.name == own.name:
        raise SignatureError(
            f"signed by {signer.name}, who signed the record; somebody else has to"
        )
    return signer


def _wrong_scores(path: Path, attestation: Attestation, record: Record) -> str:
    named, scores = attestation.scores, path.with_name(scores_path(path.name))
    if named is None:
        allowed = may_publish_scores(record) and "scores" in record.artefacts
        return "it brings no scores of its own" if allowed else ""
    if not scores.is_file():
        return f"its scores are not beside it ({scores.name})"
    size = scores.stat().st_size
    return f"its scores have {size:,} bytes, not {named.bytes:,}" * (size != named.bytes)
