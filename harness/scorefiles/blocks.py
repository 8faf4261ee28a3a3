"""A text file, plain or gzip, as blocks of whole lines: the file is never in memory at once."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.scorefiles.complaints import ScoreFileError

SIZE = 1 << 24
"""Bytes read at once; smaller blocks are slower, larger ones only take more memory."""

_GZIP = b"\x1f\x8b"


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
        path: a plain or gzip file (told by its content), or a pipe.
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
        with path.open("rb") as raw:
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
    return start.removeprefix(codecs.BOM_UTF8)
