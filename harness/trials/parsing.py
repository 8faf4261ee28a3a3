"""Blocks of lines parsed into columns: by pandas' C parser, or line by line where that fails."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.trials.formats import CONTROL, GUARD, SKIPPED, Format
from harness.trials.text_lines import Block, Complaints

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass
class Numbering:
    """Numbers names in the order in which they are first asked for, from 0.

    Attributes:
        codes: name -> number.
    """

    codes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> Numbering:
        """A numbering that begins with these names.

        >>> Numbering.of(["b", "a"]).number(["a", "c"])
        array([1, 2], dtype=int32)
        """
        return cls({name: code for code, name in enumerate(names)})

    def number(self, names: Iterable[str]) -> Codes:
        """Returns the number of each name, `[N]`; unknown names get the next ones."""
        codes = self.codes
        return np.array([codes.setdefault(name, len(codes)) for name in names], dtype=np.int32)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of their numbers."""
        return tuple(self.codes)


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of N lines.

    Attributes:
        codes: column -> `[N]`, numbers of its names; a label is 0 (nontarget) or 1 (target).
        scores: `[N]`; empty where the layout has none.
    """

    codes: Mapping[str, Codes]
    scores: Floats

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Puts blocks of lines one after another."""
        codes = {
            name: np.concatenate([part.codes[name] for part in parts]) for name in parts[0].codes
        }
        return cls(codes, np.concatenate([part.scores for part in parts]))


_BLANKS = " \t"

# From 3.1 on the parser's numbers are exact without asking, and asking is deprecated.
_VERSION = tuple(int(part) for part in pd.__version__.split(".")[:2])
_EXACT: dict[str, Any] = {} if _VERSION >= (3, 1) else {"float_precision": "round_trip"}


@dataclass(frozen=True, eq=False)
class _Names:
    """A column of names: `[N]` positions in the distinct ones, without the blanks around them."""

    codes: NDArray[np.integer[Any]]
    distinct: list[str]


def fast_columns(block: Block, form: Format, numberings: Mapping[str, Numbering]) -> Columns | None:
    """Reads a block, or returns None where any line might be unreadable.

    Names are categories to the parser, so that a name becomes a string once a block, not once a
    line.

    Args:
        block: the lines.
        form: how they are written.
        numberings: column -> its numbering, which grows; the label's holds its two labels.
    """
    table = _table(block, form)
    if table is None:
        return None
    scores = _scores(table)
    named = {name: _names(table[name]) for name in table.columns if name != "score"}
    if scores is None or not all(_is_regular(*names, form) for names in named.items()):
        return None
    named = {name: named[name] for name in form.kept if name != "score"}
    codes = {
        name: numberings[name].number(names.distinct)[names.codes] for name, names in named.items()
    }
    return Columns(codes, scores)


def _table(block: Block, form: Format) -> pd.DataFrame | None:
    text = block.text.replace(b"\r\n", b"\n") if b"\r" in block.text else block.text
    if any(sign in text for sign in CONTROL):
        return None
    if form.quoted and b'"' in text:
        if not _plainly_quoted(form.separator).fullmatch(text):
            return None
        text = text.replace(b'"', b"")
    try:
        table = _parsed(_guard(form) + text, form)
    except ValueError:  # too many columns, a score that is no number, bytes that are not UTF-8
        return None
    return table if len(table) == 1 + block.lines else None


@cache
def _plainly_quoted(separator: str) -> re.Pattern[bytes]:
    """Matches lines whose quotes stand around whole fields that hold no separator."""
    sign, parting = (r"[ \t]", r" \t") if separator == " " else (re.escape(separator), separator)
    field = rf'(?:"[^"\n{parting}]+"|[^"\n{parting}]*)'
    return re.compile(rf"(?:(?:{field}{sign})*{field}\n)*".encode())


def _guard(form: Format) -> bytes:
    """A line before the first, so that the parser guesses nothing from what it reads.

    Without it some releases of pandas take names that all look like numbers for numbers, and 007
    and 7 for one; they take true and false for scores, and a first line that is too long for one
    that begins with the row's name.
    """
    fields = ("0" if name == "score" else GUARD for name in form.columns)
    return (form.separator.join(fields) + "\n").encode()


def _parsed(text: bytes, form: Format) -> pd.DataFrame:
    # Two columns that are skipped must not have one name.
    names = [f"{name}{n}" if name == SKIPPED else name for n, name in enumerate(form.columns)]
    kinds = {name: "float64" if name == "score" else "category" for name in names}
    options: dict[str, Any] = {
        "sep": r"\s+" if form.separator == " " else form.separator,
        "header": None,
        "names": names,
        "dtype": kinds,
        "engine": "c",
        "encoding": "utf-8",
        "quoting": csv.QUOTE_NONE,  # a quote is part of a name
        "na_filter": False,
        "skip_blank_lines": False,
        "low_memory": False,
        **_EXACT,
    }
    table: pd.DataFrame = pd.read_csv(io.BytesIO(text), **options)
    return table


def _names(column: pd.Series[Any]) -> _Names:
    """Takes the names out of a column, the guard's left away: first both seen and sorted."""
    codes = column.cat.codes.to_numpy()[1:] - 1
    return _Names(codes, [name.strip(_BLANKS) for name in column.cat.categories[1:]])


def _is_regular(column: str, names: _Names, form: Format) -> bool:
    """No name is missing or empty, and no label is other than the two."""
    found = set(names.distinct)
    known_labels = column != "label" or found <= set(form.labels)
    return known_labels and "" not in found and int(names.codes.min()) >= 0


def _scores(table: pd.DataFrame) -> Floats | None:
    if "score" not in table:
        return np.empty(0)
    scores: Floats = table["score"].to_numpy(np.float64)[1:]
    return scores if np.isfinite(scores).all() else None


_CONTROL = re.compile(b"[" + re.escape(CONTROL) + b"]")


def line_columns(
    block: Block, form: Format, numberings: Mapping[str, Numbering], complaints: Complaints
) -> Columns:
    """Reads the lines that can be read, and complains of the others.

    Args:
        block: the lines.
        form: how they are written.
        numberings: column -> its numbering, which grows; the label's holds its two labels.
        complaints: grows by the lines that cannot be read.
    """
    readable = _readable(block, form, complaints)
    places = [form.columns.index(name) for name in form.kept]
    by_name = {
        name: [row[place] for row in readable]
        for name, place in zip(form.kept, places, strict=True)
    }
    scores = np.array([float(value) for value in by_name.pop("score", [])], dtype=np.float64)
    codes = {
        name: numberings[name].number(value.decode("utf-8") for value in values)
        for name, values in by_name.items()
    }
    return Columns(codes, scores)


def _readable(block: Block, form: Format, complaints: Complaints) -> list[list[bytes]]:
    rows = []
    for number, line in enumerate(block.text.split(b"\n")[:-1], start=block.first):
        text = line.removesuffix(b"\r")
        fields = form.fields(text)
        why = _complaint(text, fields, form)
        if why and number == 1 and form.is_header(fields):
            why = "a header that does not name the columns that are wanted"
        if why:
            complaints.add(number, text, why)
        else:
            rows.append(fields)
    return rows


def _complaint(text: bytes, fields: Sequence[bytes], form: Format) -> str:
    if not text.strip():
        return "a blank line before the end"
    if _CONTROL.search(text):
        return "holds a control character"
    return form.complaint(fields)
