"""Attestations with the evidence that lifts a record, as `harness reproduce --sign` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.board.record_paths import scores_path, signature_path
from harness.config.loader import LoadedBenchmark
from harness.records.attestation import Attestation, attestation_path, attestation_text
from harness.records.documents import sha256, sha256_file
from harness.records.files import write_text
from harness.records.record import Artefact
from harness.records.record_files import read_record
from harness.records.signature import sign
from harness.registry.tolerance import others_of, range_of


def bring(record: Path, told: Attestation, scores: bytes | None, key: Path | None) -> Path:
    """Write an attestation beside a record, with these scores and this key's signature."""
    if scores is not None:
        named = Artefact(sha256=sha256(scores), bytes=len(scores))
        told = told.model_copy(update={"scores": named})
    path = attestation_path(record, told)
    write_text(path, attestation_text(told))
    if scores is not None:
        path.with_name(scores_path(path.name)).write_bytes(scores)
    if key is not None:
        path.with_name(signature_path(path.name)).write_text(sign(told.chain, key))
    return path


def truthful(loaded: LoadedBenchmark, path: Path, value: float, **changes: Any) -> Attestation:
    """What somebody says who made a published record again, and got a value; or some of it not."""
    record = read_record(path)
    within = range_of(loaded, record, others_of(path, record))
    fields: dict[str, Any] = {
        "record": sha256_file(path),
        "metric": record.protocol.primary,
        "recorded": record.metrics[record.protocol.primary].value,
        "reproduced": value,
        "low": within.low,
        "high": within.high,
        "rule": within.rule,
        "told": within.told,
        "same_checkpoint": False if "checkpoint" in record.artefacts else None,
        "by": "A. Nother",
        "code": record.code,
        "environment": record.environment,
        "same_environment": True,
        "finished": "2026-11-21T12:00:00+00:00",
    }
    return Attestation(**fields | changes)
