"""The layouts of trial and score files, and what makes a line fit one."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.errors import RequestError

TRIAL_LAYOUTS = ("enrol test label", "label enrol test")
SCORE_LAYOUTS = (
    "enrol test score",
    "score enrol test",
    "enrol test score label",
    "enrol test label score",
)
SPEAKER_LAYOUTS = ("utterance speaker",)

SEPARATORS = ("\t", ",", ";", " ")
"""What columns are parted by, in the order in which they are tried; a space stands for any run of
spaces and tabs."""

SKIPPED = "-"
"""Stands in a layout for a column that a header names and nothing here needs."""

WORDS, DIGITS, SIGNS = ("nontarget", "target"), ("0", "1"), ("-1", "1")

_FURTHER = (
    ("imp", "tgt"),
    ("nontgt", "tgt"),
    ("nontar", "tar"),
    ("non-target", "target"),
    ("non_target", "target"),
    ("impostor", "target"),
    ("imposter", "target"),
    ("impostor", "genuine"),
    ("imposter", "genuine"),
    ("false", "true"),
    ("different", "same"),
    ("diff", "same"),
    ("negative", "positive"),
    ("no", "yes"),
)

LABELS: tuple[tuple[str, str], ...] = tuple(
    dict.fromkeys(
        [
            *(DIGITS, WORDS, SIGNS, ("-1", "+1"), ("0.0", "1.0")),
            *(
                (case(no), case(yes))
                for no, yes in _FURTHER
                for case in (str, str.title, str.upper)
            ),
            *((case(WORDS[0]), case(WORDS[1])) for case in (str.title, str.upper)),
        ]
    )
)
"""The ways to write labels: a nontarget's, a target's. A file keeps to one of them."""

GUARD = "\1"
"""A name that none has, and that sorts before all others."""

CONTROL = b"\0\v\f\r" + GUARD.encode()
"""What no line may hold: some programs see other lines or columns there."""

HEADER_WORDS = {
    "enrol": "enrol enroll enrolment enrollment enrol_id enroll_id enrolment_id enrollment_id "
    "enrol_path enroll_path model modelid model_id utt1 file1 path1 wav1",
    "test": "test testid test_id test_path segment segmentid segment_id utt2 file2 path2 wav2",
    "score": "score scores llr cosine similarity",
    "label": "label key target is_target targettype target_type",
    "utterance": "utterance utt uttid utt_id segment segmentid segment_id",
    "speaker": "speaker spk speakerid speaker_id spkid spk_id subject subjectid subject_id",
}
"""How header lines name each column, in whatever case; NIST says modelid, segmentid, targettype
and LLR."""

_HEADER = {word for words in HEADER_WORDS.values() for word in words.split()}
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(rb"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Format:
    """How the lines of one file are written.

    Attributes:
        layout: its columns in their order, one of the layouts above.
        separator: one of `SEPARATORS`.
        labels: how a nontarget and a target are labelled.
        quoted: whether quotes around a field are no part of it.
    """

    layout: str
    separator: str
    labels: tuple[str, str] = DIGITS
    quoted: bool = False

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.layout.split())

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(name for name in self.columns if name != SKIPPED)

    def fields(self, line: bytes) -> list[bytes]:
        """Parts a line into its columns.

        >>> Format("enrol test score", ",").fields(b"id 1, id 2,0.5")
        [b'id 1', b'id 2', b'0.5']
        >>> Format("enrol test score", ",", quoted=True).fields(b'"id, 1","id 2",0.5')
        [b'id, 1', b'id 2', b'0.5']
        """
        if self.quoted:
            return unquoted_fields(line, self.separator)
        if self.separator == " ":
            return line.split()
        return [part.strip() for part in line.split(self.separator.encode())]

    def fits(self, fields: Sequence[bytes]) -> bool:
        """Tells whether a line is of this format; a score may be NaN, though it cannot be used."""
        return len(fields) == len(self.columns) and not any(
            self._checks[column](value)
            for column, value in zip(self.columns, fields, strict=True)
            if column != "score" or not _NOT_FINITE.fullmatch(value)
        )

    def complaint(self, fields: Sequence[bytes]) -> str:
        """Says why the fields of a line cannot be used; nothing where they can.

        >>> Format("enrol test score", " ").complaint([b"a", b"b", b"nan"])
        "score 'nan' is not a finite number"
        """
        if len(fields) != len(self.columns):
            return f"{len(fields)} columns, want {len(self.columns)}"
        for check, value in zip(self._ordered_checks, fields, strict=True):
            if why := check(value):
                return why
        return ""

    def is_header(self, fields: Sequence[bytes]) -> bool:
        """Tells whether a line that does not fit names columns instead."""
        words = {field.decode("utf-8", errors="replace").lower() for field in fields}
        return len(fields) == len(self.columns) and len(words & _HEADER) > 1

    @cached_property
    def _checks(self) -> dict[str, Callable[[bytes], str]]:
        names = dict.fromkeys(("enrol", "test", "utterance", "speaker"), _name_complaint)
        skipped: dict[str, Callable[[bytes], str]] = {SKIPPED: lambda _: ""}
        return {**names, **skipped, "score": _score_complaint, "label": self._label_complaint}

    @cached_property
    def _ordered_checks(self) -> list[Callable[[bytes], str]]:
        return [self._checks[column] for column in self.columns]

    def _label_complaint(self, value: bytes) -> str:
        nontarget, target = self.labels
        if value in (nontarget.encode(), target.encode()):
            return ""
        return f"label {_shown(value)}, want {nontarget} or {target}"


def unquoted_fields(line: bytes, separator: str) -> list[bytes]:
    """Parts a line whose fields may stand in quotes, a quote within them doubled.

    A line whose quotes do not match up is one field.
    """
    if separator == " ":
        return [_unquoted(part) for part in line.split()]
    # Latin-1 has a letter for each byte, so that what is no UTF-8 comes through as it is.
    reader = csv.reader(
        [line.decode("latin-1")], delimiter=separator, skipinitialspace=True, strict=True
    )
    try:
        return [part.strip().encode("latin-1") for part in next(reader, [])]
    except csv.Error:
        return [line]


def _unquoted(part: bytes) -> bytes:
    whole = len(part) > 1 and part.startswith(b'"') and part.endswith(b'"')
    return part[1:-1] if whole else part


def named_layouts(layout: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the one layout that was asked for, or all that are known.

    Raises:
        RequestError: a layout that is not known.

    >>> named_layouts("label enrol test", TRIAL_LAYOUTS)
    ('label enrol test',)
    """
    if layout is None:
        return known
    if layout not in known:
        wanted = ", ".join(map(repr, known))
        raise RequestError(f"layout {layout!r} is not known here; give one of {wanted}")
    return (layout,)


def _name_complaint(value: bytes) -> str:
    if not value:
        return "an empty name"
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return f"name {_shown(value)} is not UTF-8 text"
    return ""


def _score_complaint(value: bytes) -> str:
    if _NUMBER.fullmatch(value) and math.isfinite(float(value)):
        return ""
    return f"score {_shown(value)} is not a finite number"


def _shown(value: bytes) -> str:
    return repr(value.decode("utf-8", errors="backslashreplace"))
