"""The source of an item's sound: a path in the corpus, a part of a recording, or a command."""

from __future__ import annotations

import os.path
import re
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from unicodedata import normalize

from harness.config.trust import is_safe
from harness.data.audio import Span, read_audio
from harness.data.corpus import DamagedItem, Samples
from harness.data.item_names import strip_name
from harness.errors import DataError

PATIENCE_S = 120.0
"""The time that one command may run; commands decode minutes of sound at most."""

_SHOWN = 300
"""The number of characters of a failed command's messages that are shown, the last ones."""

_PART = re.compile(r"(?P<place>.+)#(?P<start>\d+\.\d+)-(?P<end>\d+\.\d+|end)", re.DOTALL)


@dataclass(frozen=True)
class Root:
    """The folder that listed paths must stay in.

    Attributes:
        folder: the corpus's folder.
        allow_outside: true if a path may leave it.
    """

    folder: Path
    allow_outside: bool = False

    def source(self, path: str, where: str) -> str:
        """Return a listed path as the source of an item, relative if it lies below the folder.

        Symbolic links are not followed: they are up to the person who made them.

        Args:
            path: relative to the folder, or absolute.
            where: file and line, for the error.

        Raises:
            DataError: the path is empty, or leaves the folder and may not.
        """
        relative = path
        for start in self._starts if os.path.isabs(path) else ():
            if path.startswith(start):
                relative = path[len(start) :].lstrip("/")
                break
        relative = self._as_on_disk(relative)
        leaves = os.path.isabs(relative) or ".." in relative.split("/")
        if relative and (self.allow_outside or not leaves):
            return relative
        mend = "`allow_outside = true` in the dataset's table lets it" if path else "it is empty"
        raise DataError(f"{where}: {path!r} leaves the corpus's folder; {mend}")

    def _as_on_disk(self, path: str) -> str:
        """Return the path as its file is spelled, if the list has other blanks or accents."""
        stripped = strip_name(path)
        if path.isascii() and path == stripped:
            return path
        spellings = (path, stripped, normalize("NFC", stripped), normalize("NFD", stripped))
        found = (each for each in spellings if os.path.exists(self.folder / each))
        return next(found, path) if stripped else ""

    @cached_property
    def _starts(self) -> tuple[str, ...]:
        return tuple(f"{folder}/" for folder in (self.folder.absolute(), self.folder.resolve()))


def part(source: str, start: float, end: float | None) -> str:
    """Return the source of a part of a recording, its times in seconds.

    >>> part("call.wav", 1.5, 3)
    'call.wav#1.500000-3.000000'
    """
    return f"{source}#{start:.6f}-" + ("end" if end is None else f"{end:.6f}")


def allow_command(command: str, where: str, *, allowed: bool) -> str:
    """Return the source of an item whose sound a command writes: the command and a `|`.

    Args:
        command: a shell command.
        where: file and line, for the error.
        allowed: true if commands may run.

    Raises:
        DataError: they may not.
    """
    if not allowed or is_safe():
        let = (
            "a call without --safe" if allowed else "`allow_commands = true` in the dataset's table"
        )
        raise DataError(
            f"{where}: {command!r} is a command, and would run in a shell of this machine; "
            f"{let} lets it, where you trust the list"
        )
    return f"{command} |"


def read_source(
    source: str,
    folder: Path,
    seconds: float | None = None,
    *,
    convert: bool = False,
    allow_commands: bool = False,
) -> Samples:
    """Decode the sound of a source to int16 `[samples]`.

    Args:
        source: a path, a command that ends in `|`, or a `part` of one of them.
        folder: the corpus's folder: paths are relative to it, commands run in it.
        seconds: the duration by the list; None if the list is silent.
        convert: resample to 16 kHz and mix down to one channel, if that is needed.
        allow_commands: run commands; else every place is a path.

    Raises:
        DamagedItem: the sound cannot be used, or differs from the list.
    """
    place: str = source
    span: Span | None = None
    found = _PART.fullmatch(source)
    # A file may be called like a part of another.
    if found is not None and not os.path.isfile(folder / source):
        place = found["place"]
        span = (float(found["start"]), None if found["end"] == "end" else float(found["end"]))
    if allow_commands and place.endswith("|"):
        output = BytesIO(command_output(place.removesuffix("|"), folder))
        return read_audio(output, seconds, convert=convert, span=span)
    return read_audio(folder / place, seconds, convert=convert, span=span)


def command_output(command: str, folder: Path, seconds: float = PATIENCE_S) -> bytes:
    """Run a shell command in a folder, and return its standard output.

    Raises:
        DamagedItem: it ends with an error, or takes longer than `seconds`.
    """
    with subprocess.Popen(
        command,
        shell=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, complaint = process.communicate(timeout=seconds)
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as error:
            # The shell and all that it started are a group of their own.
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, KeyboardInterrupt):
                raise
            raise DamagedItem(f"its command takes longer than {seconds:g} s") from error
    if process.returncode:
        end = complaint.decode(errors="replace").strip()[-_SHOWN:]
        raise DamagedItem(f"its command ends with {process.returncode}: {end}")
    return output
