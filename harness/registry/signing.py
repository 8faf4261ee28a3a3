"""Signatures of published records: over all that their numbers rest on, by a key of OpenSSH."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.board.evidence import digest_chain, publishes_scores, signer_of
from harness.board.publishing.published_tables import build
from harness.board.record_paths import details_path, scores_path, signature_path
from harness.errors import RequestError
from harness.records.documents import sha256, sha256_file
from harness.records.files import read_bytes, write_bytes
from harness.records.record import Record
from harness.records.signature import SIGNERS, SignatureError, read_signers, sign_all


def sign_published(records: Mapping[Path, Record], folder: Path, key: Path) -> list[Path]:
    """Sign records that are published already, and rebuild the tables.

    Args:
        records: path -> record.
        folder: the published tables that they lie in.
        key: as `harness.records.signature.sign` takes it.

    Returns:
        The files written: signatures, tables.

    Raises:
        RequestError: a record is not below the folder, is a claim, or has not the scores that it
            names beside it; or the key signs nothing. Nothing is written then.
    """
    for path in records:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise RequestError(f"{path}: not below {folder}; publish it first, or give --folder")
    signatures = make_signatures(records, {}, key)
    new = [path for path, text in signatures.items() if not _holds(path, text)]
    for path in new:
        write_bytes(path, signatures[path])
    return new + build(folder)


def make_signatures(
    records: Mapping[Path, Record], contents: Mapping[Path, bytes], key: Path
) -> dict[Path, bytes]:
    """Make the signatures of records where they lie, or are to lie.

    Args:
        records: path in the published folder -> record.
        contents: files that are not written yet; all others are read from the disk.
        key: as `harness.records.signature.sign` takes it.

    Returns:
        Path of each signature -> its content.

    Raises:
        RequestError: one cannot be signed.
    """
    chains = [_chain(path, record, contents) for path, record in records.items()]
    places = [path.with_name(signature_path(path.name)) for path in records]
    signed = sign_all(chains, key)
    return {path: text.encode() for path, text in zip(places, signed, strict=True)}


def unlisted(records: Mapping[Path, Record], folder: Path) -> str:
    """Return why signatures of published records do not count yet; empty if all do."""
    signers = read_signers(folder / SIGNERS)
    for path, record in records.items():
        try:
            signer_of(path, record, signers)
        except SignatureError as error:
            return str(error)
    return ""


def _chain(path: Path, record: Record, contents: Mapping[Path, bytes]) -> bytes:
    if record.trust == "claimed":
        raise RequestError(f"{path}: a claim, of which a signature says no more; leave it unsigned")
    scores, details = (path.with_name(of(path.name)) for of in (scores_path, details_path))
    if publishes_scores(record):
        found = _sha256(scores, contents)
        if found != record.artefacts["scores"].sha256:
            state = "missing" if found is None else "not the scores that its record names"
            raise RequestError(f"{scores}: {state}; restore it from git before you sign")
    written = _sha256(path, contents)
    if written is None:
        raise RequestError(f"{path}: no such file; check the path")
    return digest_chain(record, written, _sha256(details, contents))


def _sha256(path: Path, contents: Mapping[Path, bytes]) -> str | None:
    if path in contents:
        return sha256(contents[path])
    return sha256_file(path) if path.is_file() else None


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and read_bytes(path) == content
