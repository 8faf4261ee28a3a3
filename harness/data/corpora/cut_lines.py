"""The lines of a file of Lhotse cuts, and what one cut must be to be an utterance."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.names import clean_name
from harness.data.reading.columns import known
from harness.data.reading.json_lines import read_json_line
from harness.errors import ConfigError, DataError

SAME_S = 1e-4
"""Less than two samples: times that differ by less are one."""

UNREADABLE = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RecursionError,
)
"""What Lhotse raises at a line that is no cut."""

_SAVE = "write its sound to a file first (Lhotse's `CutSet.save_audios` does)"


@dataclass(frozen=True)
class CutLine:
    """One cut.

    Attributes:
        cut: as Lhotse reads it.
        where: file and line, for errors.
        number: the line, counted from 1.
    """

    cut: Any
    where: str
    number: int

    def name(self) -> str:
        """The cut's id.

        Raises:
            DataError: it is no text.
        """
        if not isinstance(self.cut.id, str):
            raise DataError(f"{self.where}: the id {self.cut.id!r} is no text")
        return self.cut.id

    def seconds(self) -> float:
        """How long the cut is.

        Raises:
            DataError: its times are no finite numbers.
        """
        start, duration = float(self.cut.start), float(self.cut.duration)
        if not (math.isfinite(start) and math.isfinite(duration)):
            raise DataError(f"{self.where}: starts at {start} s and lasts {duration} s")
        return duration

    def speaker(self) -> str:
        """The one speaker of its supervisions.

        Raises:
            DataError: there is none, or there are several.
        """
        told = [known(each.speaker) for each in self.cut.supervisions]
        speakers = sorted({clean_name(name): name for name in told if name}.values())
        if len(speakers) != 1:
            found = f"the speakers {', '.join(speakers)}" if speakers else "no speaker"
            raise DataError(
                f"{self.where}: {self.cut.id!r} has {found}, one is wanted (Lhotse's "
                "`CutSet.trim_to_supervisions` makes a cut of each supervision)"
            )
        return speakers[0]

    def place(self) -> Any:
        """The one source of the sound, a file or a command.

        Raises:
            DataError: the cut has no recording, or one that must be worked on first.
        """
        recording = getattr(self.cut, "recording", None)
        if recording is None:
            raise DataError(f"{self.where}: {self.cut.id!r} is no cut of one recording; {_SAVE}")
        kinds = [source.type for source in recording.sources]
        if len(kinds) != 1 or kinds[0] not in ("file", "command"):
            found = ", ".join(kinds) or "none"
            raise DataError(
                f"{self.where}: the recording's source must be one file, not {found}; {_SAVE}"
            )
        if recording.transforms:
            raise DataError(f"{self.where}: the recording is to be transformed; {_SAVE}")
        self._check_channels(recording)
        return recording.sources[0]

    def is_whole(self) -> bool:
        """Whether the cut is all of its recording."""
        before, after = self.cut.start, self.cut.recording.duration - self.cut.end
        return bool(before < SAME_S and abs(after) < SAME_S)

    def further(self) -> dict[str, str]:
        """What its supervisions tell in words: gender, language, text and custom fields."""
        told: dict[str, str] = {}
        for each in self.cut.supervisions:
            fields = {"gender": each.gender, "language": each.language, "text": each.text}
            fields |= each.custom or {}
            told |= {name: value for name, value in fields.items() if isinstance(value, str)}
        return told

    def _check_channels(self, recording: Any) -> None:
        channel = self.cut.channel
        channels = channel if isinstance(channel, list) else [channel]
        if sorted(channels) != sorted(recording.channel_ids):
            raise DataError(
                f"{self.where}: {self.cut.id!r} is channel {channel} of "
                f"{len(recording.channel_ids)}, which is not read here; {_SAVE}"
            )


def cut_lines(path: Path) -> Iterator[CutLine]:
    """Read cuts, one JSON object a line.

    Raises:
        ConfigError: the `lhotse` library is not installed.
        DataError: the file is absent or broken, or a line is no cut.
    """
    deserialise = _library().deserialize_item
    for number, line in _lines(path):
        where = f"{path}: line {number}"
        try:
            cut = deserialise(read_json_line(line, where))
        except UNREADABLE as error:
            raise DataError(f"{where}: no cut of Lhotse ({error!r})") from error
        if not hasattr(cut, "supervisions") or not hasattr(cut, "start"):
            raise DataError(f"{where}: a {type(cut).__name__}, and no cut; make cuts of it")
        yield CutLine(cut, where, number)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    # The content tells whether it is packed, whatever the file is called.
    try:
        packed = path.read_bytes()
        content = gzip.decompress(packed) if packed.startswith(b"\x1f\x8b") else packed
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason})") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: broken gzip file ({error}); copy or make it again") from error
    except OSError as error:
        raise DataError(f"{path}: no such file of cuts ({error.strerror})") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _library() -> Any:
    try:
        from lhotse import serialization
    except ModuleNotFoundError as error:
        raise ConfigError(
            "this layout is read by the library `lhotse`, which is not installed: "
            "`pip install trialboard[lhotse]`"
        ) from error
    return serialization
