"""Blocks of lines parsed into columns: by pandas' C parser, or line by line if that fails."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.trials.formats import CONTROL, GUARD, SKIPPED, Format
from harness.trials.text_lines import LineBlock, LineErrors

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]
"""Column -> `[N]`: scores, or numbers of names; a label is 0 (nontarget) or 1 (target)."""

_CONTROL = re.compile(b"[" + re.escape(CONTROL) + b"]")

# From 3.1 on the parser's numbers are exact without asking, and asking is deprecated.
_VERSION = tuple(int(part) for part in pd.__version__.split(".")[:2])
_EXACT: dict[str, Any] = {} if _VERSION >= (3, 1) else {"float_precision": "round_trip"}


class Numbering(dict[str, int]):
    """Names and their numbers, counted from 0 in the order in which they are first seen.

    >>> Numbering(["b", "a"]).number(["a", "c"])
    array([1, 2], dtype=int32)
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__((name, number) for number, name in enumerate(names))

    def number(self, names: Iterable[str]) -> Codes:
        """Return the number of each name, `[N]`; unknown names get the next ones."""
        return np.array([self.setdefault(name, len(self)) for name in names], dtype=np.int32)


def parse_fast(
    block: LineBlock, form: Format, numberings: Mapping[str, Numbering]
) -> Columns | None:
    """Parse a block by pandas, or return None if any of its lines might be unreadable.

    Names are categories to the parser, so that a name becomes a string once a block, not once a
    line.

    Args:
        block: the lines.
        form: their format.
        numberings: column -> its numbering, which grows; the label's holds its two labels.
    """
    table = _read_csv(block.text, form)
    if table is None or len(table) != 1 + len(block.numbers):
        return None
    columns: Columns = {}
    names: dict[str, list[str]] = {}
    for name in table.columns:
        if name == "score":
            columns[name] = table[name].to_numpy(np.float64)[1:]
            if not np.isfinite(columns[name]).all():
                return None
            continue
        # The guard's name is both the first one seen and the first one sorted.
        columns[name] = table[name].cat.codes.to_numpy()[1:] - 1
        names[name] = [each.strip(" \t") for each in table[name].cat.categories[1:]]
        is_complete = int(columns[name].min()) >= 0 and "" not in names[name]
        if not is_complete or (name == "label" and not set(names[name]) <= set(form.labels)):
            return None
    for name in names:
        if name in form.columns:
            columns[name] = numberings[name].number(names[name])[columns[name]]
        else:
            del columns[name]
    return columns


def _read_csv(text: bytes, form: Format) -> pd.DataFrame | None:
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    if any(sign in text for sign in CONTROL):
        return None
    if form.quoted and b'"' in text:
        if not _plain_quotes(form.separator).fullmatch(text):
            return None
        text = text.replace(b'"', b"")
    # A line before the first, so that the parser guesses nothing from what it reads. Without it
    # some releases of pandas take names that all look like numbers for numbers, and 007 and 7 for
    # one; they take true and false for scores, and a first line that is too long for one that
    # begins with the row's name.
    guard = form.separator.join("0" if name == "score" else GUARD for name in form.columns)
    # Two columns that are skipped must not have one name.
    names = [f"{name}{n}" if name == SKIPPED else name for n, name in enumerate(form.columns)]
    options: dict[str, Any] = {
        "sep": r"\s+" if form.separator == " " else form.separator,
        "header": None,
        "names": names,
        "dtype": {name: "float64" if name == "score" else "category" for name in names},
        "engine": "c",
        "encoding": "utf-8",
        "quoting": csv.QUOTE_NONE,  # a quote is part of a name
        "na_filter": False,
        "skip_blank_lines": False,
        "low_memory": False,
        **_EXACT,
    }
    try:
        table: pd.DataFrame = pd.read_csv(io.BytesIO(guard.encode() + b"\n" + text), **options)
    except ValueError:  # too many columns, a score that is no number, bytes that are not UTF-8
        return None
    return table


@cache
def _plain_quotes(separator: str) -> re.Pattern[bytes]:
    """Return a pattern of lines whose quotes enclose whole fields without a separator."""
    sign, parting = (r"[ \t]", r" \t") if separator == " " else (re.escape(separator), separator)
    field = rf'(?:"[^"\n{parting}]+"|[^"\n{parting}]*)'
    return re.compile(rf"(?:(?:{field}{sign})*{field}\n)*".encode())


def parse_lines(
    block: LineBlock, form: Format, numberings: Mapping[str, Numbering], errors: LineErrors
) -> Columns:
    """Parse a block line by line: slow, and every unreadable line is found with its number.

    Args:
        block: the lines.
        form: their format.
        numberings: column -> its numbering, which grows; the label's holds its two labels.
        errors: grows by the lines that cannot be read.
    """
    rows = []
    for number, line in block:
        text = line.removesuffix(b"\r")
        fields = form.fields(text)
        why = _line_error(text, fields, form)
        if why and number == 1 and form.is_header(fields):
            why = "a header that does not name the columns that are wanted"
        if why:
            errors.add(number, text, why)
        else:
            rows.append(fields)
    columns: Columns = {}
    for place, name in enumerate(form.columns):
        values = [row[place] for row in rows]
        if name == "score":
            columns[name] = np.array([float(value) for value in values], dtype=np.float64)
        elif name != SKIPPED:
            columns[name] = numberings[name].number(value.decode("utf-8") for value in values)
    return columns


def _line_error(text: bytes, fields: Sequence[bytes], form: Format) -> str:
    if not text.strip():
        return "a blank line before the end"
    if _CONTROL.search(text):
        return "holds a control character"
    return form.line_error(fields)
