"""The layouts of trial and score files, and the rules that a line must meet."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
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
"""Column separators, in the order in which they are tried; a space stands for any run of spaces
and tabs."""

SKIPPED = "-"
"""Stands in a layout for a column that a header names and nothing here needs."""

WORDS, DIGITS, SIGNS = ("nontarget", "target"), ("0", "1"), ("-1", "1")

_WORD_PAIRS = (
    "imp/tgt nontgt/tgt nontar/tar non-target/target non_target/target impostor/target "
    "imposter/target impostor/genuine imposter/genuine false/true different/same diff/same "
    "negative/positive no/yes nontarget/target"
)


def _label_pairs() -> tuple[tuple[str, str], ...]:
    pairs = [DIGITS, WORDS, SIGNS, ("-1", "+1"), ("0.0", "1.0")]
    for words in _WORD_PAIRS.split():
        no, yes = words.split("/")
        pairs += [(case(no), case(yes)) for case in (str, str.title, str.upper)]
    return tuple(dict.fromkeys(pairs))


LABELS = _label_pairs()
"""The ways to write labels: a nontarget's, a target's. A file keeps to one of them."""

GUARD = "\1"
"""A name that no item has, and that sorts before all others."""

CONTROL = b"\0\v\f\r" + GUARD.encode()
"""Bytes that no line may hold: some programs see other lines or columns there."""

HEADER_WORDS = {
    "enrol": "enrol enroll enrolment enrollment enrol_id enroll_id enrolment_id enrollment_id "
    "enrol_path enroll_path model modelid model_id utt1 file1 path1 wav1",
    "test": "test testid test_id test_path segment segmentid segment_id utt2 file2 path2 wav2",
    "score": "score scores llr cosine similarity",
    "label": "label key target is_target targettype target_type",
    "utterance": "utterance utt uttid utt_id segment segmentid segment_id",
    "speaker": "speaker spk speakerid speaker_id spkid spk_id subject subjectid subject_id",
}
"""Names of each column in header lines, in whatever case; NIST says modelid, segmentid, targettype
and LLR."""

_HEADER = {word for words in HEADER_WORDS.values() for word in words.split()}
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(rb"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Format:
    """The format of a file's lines.

    Attributes:
        layout: its columns in their order, one of the layouts above.
        separator: one of `SEPARATORS`.
        labels: the label of a nontarget and that of a target.
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

    def fields(self, line: bytes) -> list[bytes]:
        """Split a line into its columns.

        >>> Format("enrol test score", ",").fields(b"id 1, id 2,0.5")
        [b'id 1', b'id 2', b'0.5']
        >>> Format("enrol test score", ",", quoted=True).fields(b'"id, 1","id 2",0.5')
        [b'id, 1', b'id 2', b'0.5']
        """
        if self.quoted:
            return split_quoted(line, self.separator)
        if self.separator == " ":
            return line.split()
        return [part.strip() for part in line.split(self.separator.encode())]

    def fits(self, fields: Sequence[bytes]) -> bool:
        """Return whether a line is of this format; a score may be NaN, though it is unusable."""
        return len(fields) == len(self.columns) and not any(
            self._field_error(column, value)
            for column, value in zip(self.columns, fields, strict=True)
            if column != "score" or not _NOT_FINITE.fullmatch(value)
        )

    def line_error(self, fields: Sequence[bytes]) -> str:
        """Return why the fields of a line cannot be used; empty if they can.

        >>> Format("enrol test score", " ").line_error([b"a", b"b", b"nan"])
        "score 'nan' is not a finite number"
        """
        if len(fields) != len(self.columns):
            return f"{len(fields)} columns, want {len(self.columns)}"
        return next(filter(None, map(self._field_error, self.columns, fields)), "")

    def is_header(self, fields: Sequence[bytes]) -> bool:
        """Return whether a line that does not fit names columns instead."""
        words = {field.decode("utf-8", errors="replace").lower() for field in fields}
        return len(fields) == len(self.columns) and len(words & _HEADER) > 1

    def _field_error(self, column: str, value: bytes) -> str:
        text, error = value.decode("utf-8", errors="backslashreplace"), ""
        if column == "score":
            if not (_NUMBER.fullmatch(value) and math.isfinite(float(value))):
                error = f"score {text!r} is not a finite number"
        elif column == "label":
            if text not in self.labels:
                error = f"label {text!r}, want {' or '.join(self.labels)}"
        elif column != SKIPPED:
            if not value:
                error = "an empty name"
            elif text.encode() != value:
                error = f"name {text!r} is not UTF-8 text"
        return error


def split_quoted(line: bytes, separator: str) -> list[bytes]:
    """Split a line whose fields may stand in quotes, with quotes inside them doubled.

    A line whose quotes do not match up is one field.
    """
    if separator == " ":
        return [re.sub(rb'\A"(.*)"\Z', rb"\1", part, flags=re.DOTALL) for part in line.split()]
    # Latin-1 has a letter for each byte, so that bytes that are no UTF-8 are kept.
    reader = csv.reader(
        [line.decode("latin-1")], delimiter=separator, skipinitialspace=True, strict=True
    )
    try:
        return [part.strip().encode("latin-1") for part in next(reader, [])]
    except csv.Error:
        return [line]


def select_layouts(layout: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the one layout that was asked for, or all that are known.

    Raises:
        RequestError: a layout that is not known.

    >>> select_layouts("label enrol test", TRIAL_LAYOUTS)
    ('label enrol test',)
    """
    if layout is None:
        return known
    if layout not in known:
        wanted = ", ".join(map(repr, known))
        raise RequestError(f"layout {layout!r} is not known here; give one of {wanted}")
    return (layout,)
