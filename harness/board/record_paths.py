"""Paths of published records, and of the files beside them, below the published folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from harness.records.documents import digest
from harness.records.record import Record

DETAILS_ENDING = ".details.json"
"""Of files beside published records, with what can be computed again from their scores."""

_BESIDE = re.compile(r"(.*\.)?details\.json|.*\.attestation-[^/]*\.json")


def slug(text: str) -> str:
    """Return text as part of a file name: small letters, digits, underscores and hyphens.

    Text without any of these is called `unnamed`.

    >>> slug("ecapa-512 + aam"), slug("../..")
    ('ecapa-512-aam', 'unnamed')
    """
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-") or "unnamed"


def record_path(record: Record) -> str:
    """Return the record's path below the folder of published tables.

    The digits at the end are of its stages' keys, so that another recipe or data is another file.
    """
    protocol, seed = record.protocol, "none" if record.seed is None else record.seed
    keys = digest({name: stage.key for name, stage in record.stages.items()})[:12]
    place = PurePosixPath("records", *map(slug, (protocol.suite, protocol.profile)))
    return str(place / slug(record.dataset.name) / f"{slug(record.entry)}-seed{seed}-{keys}.json")


def scores_path(path: str) -> str:
    """Return the path of the scores beside a published record."""
    return path.removesuffix(".json") + ".scores.npz"


def details_path(path: str) -> str:
    """Return the path of the details beside a published record."""
    return path.removesuffix(".json") + DETAILS_ENDING


def is_record(name: str) -> bool:
    """Check if a JSON file of that name is a record, and not a file that lies beside a record.

    >>> [is_record(name) for name in ("a.json", "a.details.json", "a.attestation-b.json")]
    [True, False, False]
    """
    return not _BESIDE.fullmatch(name)
