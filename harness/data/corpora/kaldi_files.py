"""The files of a Kaldi data folder: lines of a name and what belongs to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from harness.data.reading.lists import read_text
from harness.errors import DataError

_BLANKS = " \t\r"


@dataclass(frozen=True, slots=True)
class Named:
    """What one line says of its name.

    Attributes:
        text: the rest of the line.
        where: file and line, for errors.
        line: counted from 1.
    """

    text: str
    where: str
    line: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a recording.

    Attributes:
        recording: which.
        start, end: in seconds; no end is the recording's.
    """

    recording: str
    start: float
    end: float | None


def read_named(path: Path) -> dict[str, Named]:
    """Read lines of a name and a rest, parted at the first blank.

    Raises:
        DataError: the file is absent, empty, or no UTF-8 text, or a line has no rest or a name
            that stands in an earlier one.
    """
    found: dict[str, Named] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        words = line.strip(_BLANKS).replace("\t", " ").split(" ", 1)
        if words == [""]:
            continue
        where, name = f"{path}: line {number}", words[0]
        if len(words) == 1:
            raise DataError(f"{where}: says nothing of {name!r}; '{name} ...' is wanted")
        if name in found:
            raise DataError(f"{where}: {name!r} stands in line {found[name].line} too")
        found[name] = Named(words[1].strip(_BLANKS), where, number)
    if not found:
        raise DataError(f"{path}: is empty")
    return found


def read_optional(path: Path) -> dict[str, Named] | None:
    """Read a file that need not be there; None where it is not."""
    return read_named(path) if path.exists() else None


def segment(named: Named) -> Segment:
    """Read the rest of a line of `segments`: a recording, a start and an end.

    Raises:
        DataError: other than three words, or no times in their order.
    """
    words = named.text.split()
    if len(words) != 3:
        raise DataError(
            f"{named.where}: '{named.text}' is not 'recording start end', in seconds"
            + ("; a channel of a recording is not read here" if len(words) == 4 else "")
        )
    start, end = seconds(words[1], named.where), seconds(words[2], named.where)
    if end == -1:  # older folders write an open end so
        return Segment(words[0], _not_negative(start, named), None)
    if end <= start:
        raise DataError(f"{named.where}: ends at {words[2]} s, not after its start at {words[1]} s")
    return Segment(words[0], _not_negative(start, named), end)


def seconds(text: str, where: str) -> float:
    """Read a time.

    Raises:
        DataError: it is no finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {text!r} is no time in seconds")
    return value


def _not_negative(start: float, named: Named) -> float:
    if start < 0:
        raise DataError(f"{named.where}: starts at {start:g} s, before its recording")
    return start
