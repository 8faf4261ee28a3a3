"""The header line that a file may have, and what it says of the columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.trials.complaints import ScoreFileError, quoted
from harness.trials.formats import (
    HEADER_WORDS,
    SEPARATORS,
    SKIPPED,
    SPEAKER_LAYOUTS,
    unquoted_fields,
)

_LACKING = {
    "score": "is that of trials without scores; give the file with a column `LLR` or `score`",
    "label": "is that of trials without labels; give their key, with a column `targettype` or "
    "`label`",
}


@dataclass(frozen=True)
class Header:
    """What a header line says.

    Attributes:
        layout: the columns in their order, `SKIPPED` for those that are not needed.
        separator: what they are parted by.
    """

    layout: str
    separator: str


def read_header(line: bytes, layouts: Sequence[str], path: Path) -> Header | None:
    """Read a file's first line as one that names the columns; None where it does not.

    Args:
        line: the first line.
        layouts: the layouts that may be; a single one was asked for by name.
        path: the file, for errors.

    Raises:
        ScoreFileError: it names a column twice, lacks one that is needed, or names others than the
            layout that was asked for.

    >>> read_header(b"modelid,segmentid,side,LLR", ("enrol test score",), Path("scores"))
    Header(layout='enrol test - score', separator=',')
    """
    possible = {name for layout in layouts for name in layout.split()}
    keys = {"utterance", "speaker"} if "speaker" in possible else {"enrol", "test"}
    for separator in SEPARATORS:
        columns = [_column(word, possible) for word in unquoted_fields(line, separator)]
        if keys <= set(columns):
            _check_columns(columns, layouts, line, path)
            return Header(" ".join(columns), separator)
    return None


def is_quoted(lines: Sequence[bytes], separator: str) -> bool:
    """Whether quotes in some lines stand around whole fields, and nowhere else."""
    sign = r"[ \t]+" if separator == " " else re.escape(separator)
    inner = r"[^\s\"]*" if separator == " " else r'(?:[^"]|"")*'
    outer = r'[^"\s]*' if separator == " " else rf'[^"{separator}]*'
    field = rf' *"{inner}" *|{outer}'
    line = re.compile(rf"(?:{field})(?:{sign}(?:{field}))*".encode())
    with_quotes = [each for each in lines if b'"' in each]
    return bool(with_quotes) and all(line.fullmatch(each) for each in with_quotes)


def _column(word: bytes, possible: Collection[str]) -> str:
    told = word.decode("utf-8", errors="replace").lower().lstrip("#")
    told = "score" if told.endswith("_score") else told
    named = (name for name, words in HEADER_WORDS.items() if told in words.split())
    return next((name for name in named if name in possible), SKIPPED)


def _check_columns(columns: Sequence[str], layouts: Sequence[str], line: bytes, path: Path) -> None:
    kept = [name for name in columns if name != SKIPPED]
    where = f"{path}: its header ({quoted(line)})"
    if len(set(kept)) < len(kept):
        twice = next(name for name in kept if kept.count(name) > 1)
        raise ScoreFileError(f"{where} names the {twice} twice; leave one of the columns away")
    needed = [set(layout.split()) for layout in layouts]
    lacking = min((each - set(kept) for each in needed), key=len)
    if lacking:
        name = sorted(lacking)[0]
        raise ScoreFileError(f"{where} {_LACKING[name]}")
    asked = layouts[0].split()
    if len(layouts) == 1 and layouts[0] not in SPEAKER_LAYOUTS and kept != asked:
        raise ScoreFileError(
            f"{where} names the columns {' '.join(kept)!r}, and the layout {layouts[0]!r} was "
            "asked for; leave the layout away"
        )
