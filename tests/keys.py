"""Keys for signatures, and records published with the evidence of a trust."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.board.record_paths import record_path, scores_path
from harness.records.documents import sha256
from harness.records.record import Artefact, Record
from harness.records.record_files import read_record, write_record
from harness.records.signature import SIGNERS
from harness.registry.signing import make_signatures

needs_keys = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen, of OpenSSH's client, is absent"
)

SCORES = b"scores of a run"


def make_key(folder: Path, name: str = "key") -> Path:
    """Make a key, in a folder of no published tables."""
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def list_key(folder: Path, key: Path, name: str = "ann", options: str = "") -> None:
    """List a key in the signers file of published tables."""
    line = " ".join(filter(None, (name, options, key.with_suffix(".pub").read_text().strip())))
    with (folder / SIGNERS).open("a") as file:
        file.write(f"{line}\n")


def sign_records(paths: Iterable[Path], key: Path) -> list[Path]:
    """Sign records where they lie, and leave the tables as they are."""
    signatures = make_signatures({path: read_record(path) for path in paths}, {}, key)
    for path, content in signatures.items():
        path.write_bytes(content)
    return list(signatures)


def publish_with_scores(folder: Path, record: Record) -> Path:
    """Write a record of a published folder, with scores beside it if it has results."""
    named = {"scores": Artefact(sha256=sha256(SCORES), bytes=len(SCORES))}
    kept = record.model_copy(update={"artefacts": named if record.state == "done" else {}})
    path = folder / record_path(kept)
    write_record(path, kept)
    if kept.artefacts:
        (folder / scores_path(record_path(kept))).write_bytes(SCORES)
    return path
