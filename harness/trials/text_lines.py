"""Text files as blocks of whole lines, and errors that name lines."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from harness.errors import RequestError

EXAMPLES = 3
"""How many lines an error shows; it counts all of them."""

SHOWN = 80
"""How many characters of a line an error shows."""


class ScoreFileError(RequestError):
    """A trial, score or utt2spk file that cannot be used as the request wants it."""


@dataclass
class Complaints:
    """Unreadable lines, collected while a file is read, so that one error tells of them all.

    Attributes:
        path: the file.
        count: how many lines were complained of.
        examples: the first of them, in words.
    """

    path: Path
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, line: int, text: bytes, why: str) -> None:
        """Notes that a line, counted from 1, is unreadable."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"line {line} ({quoted(text)}): {why}")

    def stop(self, lines: int, layout: str) -> None:
        """Raises ScoreFileError where there were any; `lines` is how many the file has."""
        if self.count:
            raise ScoreFileError(
                f"{self.path}: {self.count} of {lines} lines cannot be read as {layout!r}: "
                f"{listed(self.examples, self.count)}; mend or remove them"
            )


def listed(examples: Iterable[str], count: int) -> str:
    """Joins the first few examples, and says how many more there are.

    >>> listed(["line 1: no score", "line 7: no score"], 5)
    'line 1: no score; line 7: no score; and 3 more'
    """
    shown = list(examples)[:EXAMPLES]
    more = [f"and {count - len(shown)} more"] if count > len(shown) else []
    return "; ".join(shown + more)


def counted(count: int, noun: str) -> str:
    """Puts a number before a noun.

    >>> counted(1, "line"), counted(2, "line")
    ('1 line', '2 lines')
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")


def quoted(text: bytes) -> str:
    r"""Shows the start of a line, with whatever is invisible or undecodable in it made visible.

    >>> quoted(b"caf" + bytes([233]) + b" 1")
    "'caf\\\\xe9 1'"
    """
    start = text[:SHOWN].decode("utf-8", errors="backslashreplace")
    return repr(start) + ("..." if len(text) > SHOWN else "")


STANDARD_INPUT = Path("-")
"""Stands for what is piped into the command; a file of that name wants its whole path."""

SIZE = 1 << 24
"""Bytes read at once; smaller blocks are slower, larger ones only take more memory."""

_GZIP = b"\x1f\x8b"

_NO_TEXT = {
    b"PK\x03\x04": "a zip file (as .npz and .xlsx files are)",
    b"\x93NUMPY": "an array of numpy",
    b"\x80": "a pickle or a PyTorch file",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet table",
    b"\xfd7zXZ": "an xz file",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"version https://git-lfs": "a Git LFS pointer and not the file itself",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}
"""First bytes of files that are handed over for text, and their names."""


@dataclass(frozen=True)
class Block:
    """Whole lines, each ended by a newline.

    Attributes:
        first: the number of its first line, counted from 1.
        text: the lines, undecoded.
        lines: how many there are.
    """

    first: int
    text: bytes
    lines: int

    @classmethod
    def of(cls, text: bytes, first: int) -> Block:
        """A block of this text."""
        return cls(first, text, text.count(b"\n"))


def blocks(path: Path, size: int = SIZE) -> Iterator[Block]:
    """Reads a file; a byte order mark and blank lines at the end are left away.

    Args:
        path: a plain or gzip file (told by its content), a pipe, or `STANDARD_INPUT`.
        size: bytes read at once.

    Raises:
        ScoreFileError: the file is absent, no file, empty, UTF-16 text or broken gzip.
    """
    first, rest = 1, b""
    for chunk in _chunks(path, size):
        text = rest + chunk
        end = _end_of_lines(text)
        if end:
            block = Block.of(text[:end], first)
            yield block
            first += block.lines
        rest = text[end:]
    if rest.strip():
        yield Block.of(rest.rstrip() + b"\n", first)
    elif first == 1:
        raise ScoreFileError(f"{path}: is empty; give a file with one line a trial")


def _end_of_lines(text: bytes) -> int:
    """Where the last line that is not blank ends; blank ones wait for what follows them."""
    end = text.rfind(b"\n") + 1
    while end:
        start = text.rfind(b"\n", 0, end - 1) + 1
        if text[start:end].strip():
            break
        end = start
    return end


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    with _opened(path) as file:
        chunk = _without_mark(file.read(size), path)
        while chunk:
            yield chunk
            chunk = file.read(size)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb") as raw:
            # Peeked, not read and rewound: a pipe cannot be rewound.
            packed = isinstance(raw, io.BufferedReader) and raw.peek(2)[:2] == _GZIP
            if packed:
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield unpacked
            else:
                yield raw
    except FileNotFoundError as error:
        raise ScoreFileError(f"{path}: no such file; check the path") from error
    except IsADirectoryError as error:
        raise ScoreFileError(f"{path}: is a folder; give the file in it") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ScoreFileError(
            f"{path}: broken gzip file ({error}); copy or make it again"
        ) from error
    except OSError as error:
        raise ScoreFileError(
            f"{path}: cannot be read: {error.strerror}; check its path and rights"
        ) from error


def _without_mark(start: bytes, path: Path) -> bytes:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ScoreFileError(f"{path}: is UTF-16 text; save it as UTF-8")
    if start[:4].count(0) == 2 and (start[:4:2] == b"\0\0" or start[1:4:2] == b"\0\0"):
        raise ScoreFileError(f"{path}: is UTF-16 text without its mark; save it as UTF-8")
    for mark, kind in _NO_TEXT.items():
        if start.startswith(mark):
            raise ScoreFileError(f"{path}: is {kind}; give plain text, or such text as .gz")
    return start.removeprefix(codecs.BOM_UTF8)
