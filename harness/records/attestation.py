"""Attestations: files beside a record that say it was made again, and came out alike.

Records are never edited, so who makes one again says so in a file of its own. It names the record
by the sha256 of its file's bytes: beside any other bytes it says nothing. It brings the scores of
the new record, and a signature over all three.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from harness.errors import RequestError
from harness.records.documents import (
    Part,
    canonical_json,
    check_schema,
    digest,
    read_document,
    readable_json,
    sha256,
    sha256_file,
)
from harness.records.files import write_text
from harness.records.provenance import DIRTY
from harness.records.record import Artefact, Environment

SCHEMA: Final = 1

MARK = ".attestation-"
"""Between the name of a record's file and the digits of an attestation of it."""

Rule = Literal["equal", "one trial", "seeds", "interval"]

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Attestation(Part):
    """The result of making one record again.

    The rule says where the range comes from, in which a value counts as made again: `equal` (both
    are the same to the last bit), `one trial` (nothing is trained: rounding may swap two scores),
    `seeds` (the spread over seeds of the table's other records), `interval` (the record's own over
    the test sample, where no spread is known).
    """

    attestation_schema: Literal[1] = Field(default=SCHEMA, alias="schema")
    record: Sha256 = Field(description="of the record's file")
    metric: str = Field(description="the primary one")
    recorded: float
    reproduced: float
    low: float = Field(description="least value that counts as made again")
    high: float = Field(description="largest")
    rule: Rule
    told: str = Field(description="how the range was found, for readers")
    same_checkpoint: bool | None = Field(
        default=None, description="whether the weights are the same to the last bit"
    )
    by: str = Field(default="", description="who made it again, as they call themselves")
    code: str = Field(description="commit of the code that did")
    environment: Environment | None = None
    same_environment: bool = Field(default=False, description="whether it is the record's")
    finished: str = Field(description="when the new record ended: UTC, ISO 8601")
    scores: Artefact | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="of the new record, beside the attestation; none where they may not lie there",
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @field_validator("code")
    @classmethod
    def _check_code(cls, code: str) -> str:
        if not code or code.endswith(DIRTY):
            raise ValueError("code that is in no commit attests nothing")
        return code

    @field_validator("high")
    @classmethod
    def _check_range(cls, high: float, info: ValidationInfo) -> float:
        low, value = (info.data.get(name, high) for name in ("low", "reproduced"))
        if not low <= value <= high:
            raise ValueError("the value is out of the range that counts as made again")
        return high

    @property
    def chain(self) -> bytes:
        """What its signature signs: the hashes of its file, of its scores and of the record."""
        signed = {
            "schema": SCHEMA,
            "signs": "attestation",
            "attestation": sha256(attestation_text(self).encode()),
            "scores": self.scores.sha256 if self.scores else None,
            "record": self.record,
        }
        return canonical_json(signed).encode()

    def is_of(self, record: Path) -> bool:
        """Return True if a record's file is the one that was made again."""
        return self.record == sha256_file(record)


def attestation_path(record: Path, attestation: Attestation) -> Path:
    """Return an attestation's path beside its record, `<record>.attestation-<digits>.json`."""
    digits = digest(attestation.model_dump(mode="json", by_alias=True))[:12]
    return record.with_name(f"{record.name.removesuffix('.json')}{MARK}{digits}.json")


def attestation_text(attestation: Attestation) -> str:
    """Return the one text that an attestation is spelled as."""
    return readable_json(attestation.model_dump(mode="json", by_alias=True))


def write_attestation(record: Path, attestation: Attestation) -> Path:
    """Write an attestation beside its record.

    Raises:
        RequestError: it is of another record.
    """
    if not attestation.is_of(record):
        raise RequestError(f"{record}: is not the record that was made again; it was changed since")
    path = attestation_path(record, attestation)
    write_text(path, attestation_text(attestation))
    return path


def find_attestations(record: Path) -> list[Path]:
    """List the files beside a record that are called attestations of it, by name."""
    if not record.parent.is_dir():
        return []
    start = record.name.removesuffix(".json") + MARK
    beside = (path for path in record.parent.iterdir() if path.name.startswith(start))
    return sorted(path for path in beside if path.name.endswith(".json"))


def read_attestation(path: Path) -> Attestation:
    """Read an attestation.

    Raises:
        RequestError: the file is absent, is none, or is of a schema this program does not know.
    """
    current = partial(check_schema, SCHEMA, "attestation")
    return read_document(path, Attestation, "an attestation", current)


def wrong_attestation(path: Path, record: Path) -> str:
    """Return the reason why a file beside a record attests nothing of it; empty if it does."""
    try:
        attestation = read_attestation(path)
    except RequestError as error:
        return str(error)
    if not attestation.is_of(record):
        return f"{path}: of another record than {record.name}, or that was changed since"
    if path != attestation_path(record, attestation):
        return f"{path}: its name is not that of its content"
    return ""
