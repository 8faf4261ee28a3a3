"""The details of a record, in a file beside it: `X.details.json`.

All of it can be computed again from the record's scores and the locked lists, so it is no part of
the record. It names the record by the sha256 of its file's bytes: a record is never edited, so
details that name another hash are stale, which shows without the scores.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from harness.records.documents import Part, check_schema, read_document, readable_json, sha256_file
from harness.records.files import write_text
from harness.records.record_files import LARGEST

SCHEMA: Final = 1

DETAILS = "details.json"
"""Of a record in its run's folder; beside a published `X.json` it is `X.details.json`."""

DIGITS = 6


def significant(value: float) -> float:
    """Return a number of 6 significant digits, the same on processors that round otherwise.

    >>> significant(0.123456789), significant(2 / 3 * 1e-3)
    (0.123457, 0.000666667)
    """
    return float(f"{value:.{DIGITS}g}")


Figure = Annotated[float, Field(ge=-LARGEST, le=LARGEST), AfterValidator(significant)]
"""A number of 6 significant digits; rates are fractions."""

Rate = Annotated[float, Field(ge=0, le=1), AfterValidator(significant)]

Count = Annotated[int, Field(ge=0)]


class DetPoint(Part):
    """One point of a DET curve."""

    false_alarm: Rate
    miss: Rate


class Det(Part):
    """Points of a DET curve by ascending threshold, from accepting all to rejecting all.

    A long curve is thinned; the two points between which the EER lies are always there. Rates of 0
    and 1 have no place on the scale of the normal distribution: they are drawn half a trial inside,
    at 0.5 / `nontargets` and 0.5 / `targets`.
    """

    false_alarm: tuple[Rate, ...] = Field(description="falling from 1 to 0")
    miss: tuple[Rate, ...] = Field(description="rising from 0 to 1, as long as false_alarm")
    targets: int = Field(ge=1, description="trials behind the miss rates")
    nontargets: int = Field(ge=1, description="trials behind the false-alarm rates")
    min_dcf: DetPoint = Field(description="where the cost is least")

    @field_validator("miss")
    @classmethod
    def _check_length(cls, miss: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        if len(info.data.get("false_alarm", miss)) != len(miss):
            raise ValueError("not as many as of false_alarm")
        return miss


class GroupMetric(Part):
    """A metric on a part of the test, with its interval over units if there are enough.

    Its title, unit and decimals are those of the metric in the record's `protocol.facts`.
    """

    value: Figure
    low: Figure | None = None
    high: Figure | None = None


class Group(Part):
    """A part of the test.

    `trials` and `targets` are None if a task has no trials. A metric is None if the group
    is too small for it.
    """

    name: str
    units: Count = Field(description="speakers, objects, drawers in it")
    items: Count = Field(description="utterances, pictures, sounds in it")
    trials: Count | None = None
    targets: Count | None = None
    against: Literal["all targets", "all nontargets"] | None = Field(
        default=None,
        description="the trials of the whole test that EER and minDCF take for the side that the "
        "group does not have",
    )
    metrics: dict[str, GroupMetric | None]


class Breakdown(Part):
    """The test in groups."""

    title: str
    rule: str = Field(description="which trials or items are of a group, for readers")
    groups: tuple[Group, ...]
    untold: Count = Field(default=0, description="further groups, all smaller than those told")


class Details(Part):
    """The details of one record."""

    details_schema: Literal[1] = Field(default=SCHEMA, alias="schema")
    record: str = Field(description="sha256 of the record's file")
    det: Det | None = Field(default=None, description="None if a task has no trials")
    breakdowns: dict[str, Breakdown]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def is_of(self, record: Path) -> bool:
        """Return True if a record's file is the one that these details were computed for."""
        return self.record == sha256_file(record)


def details_text(details: Details) -> str:
    """Return the text of the file."""
    return readable_json(details.model_dump(mode="json", by_alias=True))


def write_details(path: Path, details: Details) -> None:
    """Write details atomically."""
    write_text(path, details_text(details))


def read_details(path: Path) -> Details:
    """Read the details of a record.

    Raises:
        RequestError: the file is absent, holds no details, or is of a schema this program does not
            know.
    """
    current = partial(check_schema, SCHEMA, "details")
    return read_document(path, Details, "a record's details", current)
