"""Paths of published records, and of the files beside them, below the published folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from harness.records.attestation import MARK
from harness.records.documents import digest
from harness.records.record import Record

DETAILS_ENDING = ".details.json"
"""Of files beside published records, with what can be computed again from their scores."""

SCORES_ENDING = ".scores.npz"

SERIES_ENDING = ".series.jsonl.gz"

SIGNATURE_ENDING = ".sig"

_BESIDE = re.compile(r"(.*\.)?details\.json|.*\.attestation-[^/]*\.json")


def slug(text: str) -> str:
    """Return text as part of a file name: small letters, digits, underscores and hyphens.

    Text without any of these is called `unnamed`.

    >>> slug("ecapa-512 + aam"), slug("../..")
    ('ecapa-512-aam', 'unnamed')
    """
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-") or "unnamed"


def record_path(record: Record, *, raised: bool = False) -> str:
    """Return the record's path below the folder of published tables.

    The digits at the end are of its stages' keys, so that another recipe or data is another file.

    Args:
        record: the record.
        raised: the protocol's version is among the digits: the place of a record whose keys are
            those of one under an earlier version, where the new one changed other data alone.
    """
    protocol, seed = record.protocol, "none" if record.seed is None else record.seed
    named: dict[str, Any] = {name: stage.key for name, stage in record.stages.items()}
    keys = digest(named | ({"protocol": protocol.version} if raised else {}))[:12]
    place = PurePosixPath("records", *map(slug, (protocol.suite, protocol.profile)))
    return str(place / slug(record.dataset.name) / f"{slug(record.entry)}-seed{seed}-{keys}.json")


def misplaced(path: str, record: Record) -> list[str]:
    """Return where a record below the published folder belongs; nothing if it may lie there."""
    if path in (record_path(record), record_path(record, raised=True)):
        return []
    return [f"what it says belongs at {record_path(record)}"]


def scores_path(path: str) -> str:
    """Return the path of the scores beside a published record."""
    return path.removesuffix(".json") + SCORES_ENDING


def series_path(path: str) -> str:
    """Return the path of the series of a training beside its published record."""
    return path.removesuffix(".json") + SERIES_ENDING


def details_path(path: str) -> str:
    """Return the path of the details beside a published record."""
    return path.removesuffix(".json") + DETAILS_ENDING


def signature_path(path: str) -> str:
    """Return the path of the signature beside a published record, or beside an attestation."""
    return path.removesuffix(".json") + SIGNATURE_ENDING


def record_of(path: str) -> str:
    """Return the path of the record beside which a file lies.

    >>> record_of("records/a.details.json"), record_of("records/a.attestation-b.json")
    ('records/a.json', 'records/a.json')
    >>> record_of("a.scores.npz"), record_of("a.sig"), record_of("a.attestation-b.sig")
    ('a.json', 'a.json', 'a.json')
    """
    place, slash, name = path.rpartition("/")
    if MARK in name and not name.endswith(DETAILS_ENDING):
        return f"{place}{slash}{name.rpartition(MARK)[0]}.json"
    endings = (DETAILS_ENDING, SCORES_ENDING, SERIES_ENDING, SIGNATURE_ENDING)
    ending = next((each for each in endings if name.endswith(each)), "")
    return f"{place}{slash}{name.removesuffix(ending)}.json"


def is_signature(name: str) -> bool:
    """Check if a file of that name is a record's signature, and not an attestation's."""
    return name.endswith(SIGNATURE_ENDING) and MARK not in name


def is_record(name: str) -> bool:
    """Check if a JSON file of that name is a record, and not a file that lies beside a record.

    >>> [is_record(name) for name in ("a.json", "a.details.json", "a.attestation-b.json")]
    [True, False, False]
    """
    return not _BESIDE.fullmatch(name)
