"""Files read for a network: sounds of any rate, or pictures, with what they are warned of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from harness.errors import RequestError
from harness.use.given_items import GivenItems
from harness.use.model_facts import ModelFacts
from harness.use.networks import AT_ONCE
from harness.use.picture_reading import PictureReading
from harness.use.sound_facts import read_sound
from harness.use.sound_warnings import SoundWarning, warnings_of


@dataclass(frozen=True, eq=False)
class ReadFile:
    """A file's content.

    Attributes:
        path: of the file.
        content: int16 `[samples]` at 16 kHz, or uint8 `[height, width]`, in colour
            `[height, width, 3]`.
        warnings: what makes a decision on it less sure.
    """

    path: Path
    content: NDArray[Any]
    warnings: tuple[SoundWarning, ...] = ()


def read_file(path: Path, facts: ModelFacts) -> ReadFile:
    """Read a file as a network's training items were read.

    Raises:
        RequestError: it cannot be read as what the network takes, or the network takes neither
            sounds nor pictures.
    """
    if facts.kind == "audio":
        samples, measured = read_sound(path)
        return ReadFile(path, samples, tuple(warnings_of(measured, facts.sounds)))
    if facts.kind != "image":
        raise RequestError(f"{facts.entry}: takes {facts.kind}s, which no file of its own holds")
    return ReadFile(path, (facts.pictures or PictureReading()).read(path))


def read_in_parts(
    paths: Sequence[Path], facts: ModelFacts
) -> Iterator[tuple[list[ReadFile], GivenItems]]:
    """Yield files some at a time, so that memory does not hold all of them.

    Raises:
        RequestError: as `read_file`.
    """
    for start in range(0, len(paths), AT_ONCE):
        files = [read_file(path, facts) for path in paths[start : start + AT_ONCE]]
        names = [str(file.path) for file in files]
        yield files, GivenItems(names, [file.content for file in files])
