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
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harness.errors import RequestError, unreadable

STANDARD_INPUT = Path("-")
"""Stands for what is piped into the command; a file of that name needs its whole path."""

BLOCK_BYTES = 1 << 24
"""Bytes read at once; smaller blocks are slower, larger ones only take more memory."""

EXAMPLES = 3
"""Lines that an error shows; it counts all of them."""

SHOWN = 80
"""Characters of a line that an error shows."""

Lines = range | NDArray[np.int32]
"""`[N]`, numbers of lines in a file, counted from 1; a range takes no memory."""

_BINARY_STARTS = {
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
"""First bytes of files that are mistaken for text, and their names."""


class ScoreFileError(RequestError):
    """A trial, score or utt2spk file that cannot be used as the request wants it."""


@dataclass
class LineErrors:
    """Unreadable lines, collected while a file is read, so that one error reports them all.

    Attributes:
        path: the file.
        count: the number of unreadable lines.
        examples: descriptions of the first of them.
    """

    path: Path
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, line: int, text: bytes, why: str) -> None:
        """Record that a line, counted from 1, is unreadable."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"line {line} ({quote(text)}): {why}")

    def check(self, lines: int, layout: str) -> None:
        """Raise ScoreFileError if there were any; `lines` is the number of lines of the file."""
        if self.count:
            raise ScoreFileError(
                f"{self.path}: {self.count} of {lines} lines cannot be read as {layout!r}: "
                f"{list_examples(self.examples, self.count)}; mend or remove them"
            )


def list_examples(examples: Iterable[str], count: int) -> str:
    """Join the first few examples, and say how many more there are.

    >>> list_examples(["line 1: no score", "line 7: no score"], 5)
    'line 1: no score; line 7: no score; and 3 more'
    """
    shown = list(islice(examples, EXAMPLES))
    more = [f"and {count - len(shown)} more"] if count > len(shown) else []
    return "; ".join(shown + more)


def count_of(count: int, noun: str) -> str:
    """Put a number before a noun.

    >>> count_of(1, "line"), count_of(2, "line")
    ('1 line', '2 lines')
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")


def quote(text: bytes) -> str:
    r"""Show the start of a line, with invisible and undecodable characters escaped.

    >>> quote(b"caf" + bytes([233]) + b" 1")
    "'caf\\\\xe9 1'"
    """
    start = text[:SHOWN].decode("utf-8", errors="backslashreplace")
    return repr(start) + ("..." if len(text) > SHOWN else "")


@dataclass(frozen=True, eq=False)
class LineBlock:
    """N whole lines, each ended by a newline.

    Attributes:
        text: the lines, undecoded.
        numbers: `[N]`, the number of each line in its file, counted from 1.
    """

    text: bytes
    numbers: Lines

    @classmethod
    def starting_at(cls, first: int, text: bytes) -> LineBlock:
        """Return the block of a text whose first line has this number."""
        return cls(text, range(first, first + text.count(b"\n")))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield the number of each line, and the line without its newline."""
        return zip(self.numbers, self.text.split(b"\n")[:-1], strict=True)

    def without_blank_lines(self) -> LineBlock:
        """Return the lines that hold something, under their own numbers."""
        numbers, lines = zip(*(line for line in self if line[1].strip()), strict=True)
        return LineBlock(b"\n".join(lines) + b"\n", np.array(numbers, dtype=np.int32))


def read_blocks(path: Path, size: int = BLOCK_BYTES) -> Iterator[LineBlock]:
    """Read a file block by block; a byte order mark and blank lines at the end are dropped.

    Args:
        path: a plain or gzip file (recognised by its content), a pipe, or `STANDARD_INPUT`.
        size: bytes read at once.

    Raises:
        ScoreFileError: the file is absent, no file, empty, UTF-16 text or broken gzip.
    """
    first, rest = 1, b""
    with _open(path) as file:
        chunk = _remove_mark(file.read(size), path)
        while chunk:
            text = rest + chunk
            end = _end_of_filled_lines(text)
            if end:
                block = LineBlock.starting_at(first, text[:end])
                yield block
                first += len(block.numbers)
            rest = text[end:]
            chunk = file.read(size)
    if rest.strip():
        yield LineBlock.starting_at(first, rest.rstrip() + b"\n")
    elif first == 1:
        raise ScoreFileError(f"{path}: is empty; give a file with one line a trial")


def _end_of_filled_lines(text: bytes) -> int:
    """Return the end of the last line that is not blank; blank ones wait for what follows them."""
    end = text.rfind(b"\n") + 1
    while end:
        start = text.rfind(b"\n", 0, end - 1) + 1
        if text[start:end].strip():
            break
        end = start
    return end


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb") as raw:
            # Peeked, not read and rewound: a pipe cannot be rewound.
            if isinstance(raw, io.BufferedReader) and raw.peek(2)[:2] == b"\x1f\x8b":
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
        raise ScoreFileError(unreadable(path, error)) from error


def _remove_mark(start: bytes, path: Path) -> bytes:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ScoreFileError(f"{path}: is UTF-16 text; save it as UTF-8")
    if start[:4].count(0) == 2 and (start[:4:2] == b"\0\0" or start[1:4:2] == b"\0\0"):
        raise ScoreFileError(f"{path}: is UTF-16 text without its mark; save it as UTF-8")
    for mark, kind in _BINARY_STARTS.items():
        if start.startswith(mark):
            raise ScoreFileError(f"{path}: is {kind}; give plain text, or such text as .gz")
    return start.removeprefix(codecs.BOM_UTF8)
