"""Standard output and standard error, made fit for any text and for disks that are full."""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from typing import Any, TextIO

OUTPUT = "standard output"

LOOKALIKE = "harness.lookalike"
"""The name under which `_lookalike` is registered with the codecs."""

_ALIKE = str.maketrans("→←↑↓–—−×·•…“”„‘’†‡●█▇▆▅▄▃▂▁", "><^v---x..." + '"""' + "''" + "+#o########")

_WIDE = ("W", "F")


class _Output(io.FileIO):
    """Standard output; its errors name it."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            error.filename = OUTPUT
            raise


class _Messages(io.FileIO):
    """Standard error; a message that it does not take is lost, and nothing else."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content) or 0
        except OSError:
            return len(content)


def prepare_streams() -> None:
    """Let standard output and standard error take any text, and name the former's errors.

    What their encoding does not know is written as something that looks alike.
    """
    codecs.register_error(LOOKALIKE, _lookalike)
    if sys.stdout is None or sys.stderr is None:
        _fill_descriptors()
    sys.stdout = _prepared(sys.stdout, _Output)
    sys.stderr = _prepared(sys.stderr, _Messages)


def drop_output() -> None:
    """Send what standard output still holds to nowhere, so that the interpreter can end."""
    if isinstance(getattr(getattr(sys.stdout, "buffer", None), "raw", None), _Output):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _prepared(stream: TextIO, kind: type[io.FileIO]) -> TextIO:
    """The same stream with another raw file; one that a test put in its place stays itself."""
    if stream not in (sys.__stdout__, sys.__stderr__) or not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    raw = kind(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=LOOKALIKE,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _fill_descriptors() -> None:
    """Open closed standard descriptors: a file that took their number would get messages."""
    while (null := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(null)


def _lookalike(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(map(_plain, unknown)), error.end


def _plain(character: str) -> str:
    """ASCII for one character, as wide as that is, so that the columns of a table stay."""
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    decomposed = unicodedata.normalize("NFKD", character.translate(_ALIKE))
    letters = decomposed.encode("ascii", "ignore").decode()
    width = 2 if unicodedata.east_asian_width(character) in _WIDE else 1
    if unicodedata.combining(character):
        return ""
    return letters if len(letters) == width else "?" * width
