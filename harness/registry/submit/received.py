"""Files as they were received: that they are files, how big they may be, and their hashes."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO

from harness.errors import RequestError
from harness.records.documents import sha256_file
from harness.records.record import Artefact

BYTES_A_TRIAL = 1_000
"""A line of a score file holds two names and a number."""

LINES_A_TRIAL = 2
"""A file with more lines than trials is told which are too many, up to here."""

AT_LEAST = 1_000
"""Lines that any file may have, however short its list."""

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


def received(path: Path) -> Artefact:
    """A file's size and hash.

    Raises:
        RequestError: there is no such file.
    """
    if not path.is_file():
        raise RequestError(f"{path}: no such file; check the path")
    return Artefact(sha256=sha256_file(path), bytes=path.stat().st_size)


def check_length(path: Path, trials: int) -> None:
    """Refuse a text file that is too long to be scores of a list, before it is read.

    Args:
        path: a plain or gzip file; what counts is its text.
        trials: of the list.

    Raises:
        RequestError: too many bytes or lines, or a broken gzip file.
    """
    most_lines = LINES_A_TRIAL * trials + AT_LEAST
    most_bytes, lines, size = BYTES_A_TRIAL * most_lines, 0, 0
    try:
        with _opened(path) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                lines += chunk.count(b"\n")
                if size > most_bytes or lines > most_lines:
                    raise RequestError(
                        f"{path}: more than {most_lines:,} lines or {most_bytes:,} bytes of text, "
                        f"and the list has {trials:,} trials; give one line a trial"
                    )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RequestError(f"{path}: broken gzip file ({error}); make it again") from error


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path) if packed else path.open("rb")
