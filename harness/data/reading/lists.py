"""A corpus's small lists: lines of words, each with its number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError


@dataclass(frozen=True)
class Line:
    """One line that is not blank.

    Attributes:
        number: counted from 1.
        words: what it holds, parted at blanks.
    """

    number: int
    words: list[str]


def read_lines(path: Path, form: str, *, least: int = 1) -> list[Line]:
    """Read a list; blank lines, trailing blanks and any line ends are no part of it.

    Args:
        path: the list.
        form: how a line is written, for the error.
        least: how many words a line must have.

    Raises:
        DataError: absent, empty, not UTF-8 text, a line with too few words, or one whose first
            word stands in an earlier line.
    """
    texts = read_text(path).split("\n")
    lines = [Line(number, text.split()) for number, text in enumerate(texts, 1) if text.strip()]
    if not lines:
        raise DataError(f"{path}: lists nothing; lines of '{form}' are wanted")
    seen: dict[str, int] = {}
    for line in lines:
        where, first = f"{path}: line {line.number}", line.words[0]
        if len(line.words) < least:
            raise DataError(f"{where}: {' '.join(line.words)!r} is too short; '{form}' is wanted")
        if first in seen:
            raise DataError(f"{where}: {first!r} stands in line {seen[first]} too; keep it once")
        seen[first] = line.number
    return lines


def read_text(path: Path) -> str:
    """The text of a list, without a byte order mark.

    Raises:
        DataError: the file cannot be read, or is not UTF-8 text.
    """
    try:
        return decoded(path.read_bytes(), path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); it comes with the corpus, so unpack or "
            "copy that again"
        ) from error


def decoded(content: bytes, path: Path) -> str:
    """The text that a file's bytes spell; programs on Windows put a byte order mark before it.

    Raises:
        DataError: a line is not UTF-8 text, or holds a zero byte, which no name and no path may.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + error.object[: error.start].count(b"\n")
        raise DataError(f"{path}: line {line} is not UTF-8 text ({error.reason})") from error
    if "\0" in text:
        line = 1 + content[: content.index(0)].count(b"\n")
        raise DataError(f"{path}: line {line} holds a zero byte; save the file as UTF-8 text")
    return text
