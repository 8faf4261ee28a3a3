"""From an item's source to its samples: a file, a part of one, or what a command writes."""

from __future__ import annotations

import os.path
import re
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.data.audio import read_audio
from harness.data.reading.commands import command_output

_PART = re.compile(r"(?P<place>.+)#(?P<start>\d+\.\d+)-(?P<end>\d+\.\d+|end)", re.DOTALL)

Span = tuple[float, float | None]
"""Where a part begins and ends, in seconds; None is the end of the recording."""


def part(source: str, start: float, end: float | None) -> str:
    """The source of a part of a recording, its times in seconds.

    >>> part("call.wav", 1.5, 3)
    'call.wav#1.500000-3.000000'
    """
    return f"{source}#{start:.6f}-" + ("end" if end is None else f"{end:.6f}")


def read_source(
    source: str,
    folder: Path,
    seconds: float | None = None,
    *,
    convert: bool = False,
    allow_commands: bool = False,
) -> NDArray[np.int16]:
    """Decode what a source names to int16 `[samples]`.

    Args:
        source: a path, a command that ends in `|`, or a `part` of one of them.
        folder: the corpus's folder: paths are relative to it, commands run in it.
        seconds: what the list says it lasts; None where the list is silent.
        convert: resample to 16 kHz and mix down to one channel, where that is needed.
        allow_commands: whether commands run; else every place is a path.

    Raises:
        DamagedItem: the sound is not what the list says.
    """
    place, span = _place(source, folder)
    if allow_commands and place.endswith("|"):
        output = BytesIO(command_output(place.removesuffix("|"), folder))
        return read_audio(output, seconds, convert=convert, span=span)
    return read_audio(folder / place, seconds, convert=convert, span=span)


def _place(source: str, folder: Path) -> tuple[str, Span | None]:
    found = _PART.fullmatch(source)
    # A file may be called like a part of another.
    if found is None or os.path.isfile(folder / source):
        return source, None
    end = None if found["end"] == "end" else float(found["end"])
    return found["place"], (float(found["start"]), end)
