"""A corpus's small text files: lists of words with line numbers, and JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import DataError
from harness.records.documents import holds_half_letters


class ListLine(NamedTuple):
    """One line that is not blank.

    Attributes:
        number: counted from 1.
        words: its words, separated by blanks.
    """

    number: int
    words: list[str]


def read_lines(path: Path, form: str, *, least: int = 1) -> list[ListLine]:
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
    lines = [ListLine(number, text.split()) for number, text in enumerate(texts, 1) if text.strip()]
    if not lines:
        raise DataError(f"{path}: lists nothing; lines of '{form}' are wanted")
    seen: dict[str, int] = {}
    for number, words in lines:
        where, first = f"{path}: line {number}", words[0]
        if len(words) < least:
            raise DataError(f"{where}: {' '.join(words)!r} is too short; '{form}' is wanted")
        if first in seen:
            raise DataError(f"{where}: {first!r} stands in line {seen[first]} too; keep it once")
        seen[first] = number
    return lines


def read_text(path: Path) -> str:
    """Read the text of a list, without a byte order mark.

    Raises:
        DataError: the file cannot be read, or is not UTF-8 text.
    """
    try:
        return decode_text(path.read_bytes(), path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); it comes with the corpus, so unpack or "
            "copy that again"
        ) from error


def decode_text(content: bytes, path: Path) -> str:
    """Decode a file's bytes; programs on Windows put a byte order mark before the text.

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


def read_json_line(line: str, where: str) -> Any:
    """Read the value of a line of a JSON lines file.

    Args:
        line: the text.
        where: file and line, for the error.

    Raises:
        DataError: it is no JSON, nests or counts further than Python reads, or escapes half a
            letter, which no file name and no text may hold.
    """
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: no JSON ({error.msg} at character {error.pos + 1})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: no JSON that can be read ({error})") from error
    if holds_half_letters(line, value):
        raise DataError(f"{where}: escapes half a letter (\\ud800 to \\udfff); write it whole")
    return value
