"""The layouts of trial and score files, and what makes a line fit one."""

from __future__ import annotations

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

SEPARATORS = ("\t", ",", " ")
"""What columns are parted by, in the order in which they are tried; a space stands for any run of
spaces and tabs."""

WORDS, DIGITS = ("nontarget", "target"), ("0", "1")
"""The two ways to write labels: a nontarget's, a target's. A file keeps to one of them."""

GUARD = "\1"
"""A name that none has, and that sorts before all others."""

CONTROL = b"\0\v\f\r" + GUARD.encode()
"""What no line may hold: some programs see other lines or columns there."""

_HEADER = {"enrol", "enroll", "enrolment", "enrollment", "test", "score", "scores", "label", "key"}
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(rb"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Format:
    """How the lines of one file are written.

    Attributes:
        layout: its columns in their order, one of the layouts above.
        separator: one of `SEPARATORS`.
        labels: how a nontarget and a target are labelled.
    """

    layout: str
    separator: str
    labels: tuple[str, str] = DIGITS

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.layout.split())

    def fields(self, line: bytes) -> list[bytes]:
        """Parts a line into its columns.

        >>> Format("enrol test score", ",").fields(b"id 1, id 2,0.5")
        [b'id 1', b'id 2', b'0.5']
        """
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
        return {**names, "score": _score_complaint, "label": self._label_complaint}

    @cached_property
    def _ordered_checks(self) -> list[Callable[[bytes], str]]:
        return [self._checks[column] for column in self.columns]

    def _label_complaint(self, value: bytes) -> str:
        nontarget, target = self.labels
        if value in (nontarget.encode(), target.encode()):
            return ""
        return f"label {_shown(value)}, want {nontarget} or {target}"


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
