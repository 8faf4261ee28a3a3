"""Cuts of Lhotse: `cuts.jsonl`, plain or gzip, with recordings that are files."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.data.item_names import clean_name
from harness.data.reading.audio_corpus import SplitSpeechCorpus, import_library
from harness.data.reading.item_table import ListedUtterance, value_or_blank
from harness.data.reading.sources import Root, allow_command, part
from harness.data.reading.text_lists import read_json_line
from harness.errors import DataError

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
"""Errors that Lhotse raises at a line that is no cut."""

_SAVE = "write its sound to a file first (Lhotse's `CutSet.save_audios` does)"


@dataclass(frozen=True, kw_only=True)
class LhotseCuts(SplitSpeechCorpus):
    """Cuts of one file, or of one for each split, with the words of their supervisions.

    Paths are relative to the corpus's folder. `label` may name a field of the supervisions
    (`language`, ...).

    Attributes:
        file: the cuts, below the corpus's folder, if the benchmark splits them.
    """

    file: str = "cuts.jsonl.gz"

    exact_seconds: ClassVar[bool] = True

    def only_list(self) -> str:
        """Return the file of all cuts."""
        return self.file

    def list_entries(self, root: Root, name: str, split: str) -> Iterable[ListedUtterance]:
        """Return the cuts of a file.

        Raises:
            ConfigError: the `lhotse` library is not installed.
            DataError: the file is absent, a line is no cut of one recording and one speaker, a
                path leaves the folder, or a sound is written by a command without leave.
        """
        path = root.folder / name
        deserialise = import_library("lhotse.serialization", "lhotse").deserialize_item
        number = 0
        for number, line in _lines(path):
            where = f"{path}: line {number}"
            try:
                cut = deserialise(read_json_line(line, where))
                if not hasattr(cut, "supervisions") or not hasattr(cut, "start"):
                    raise DataError(f"{where}: a {type(cut).__name__}, and no cut; make cuts of it")
                entry = self._entry(cut, root, where, number, split)
            except UNREADABLE as error:  # no cut, or a field of another type
                raise DataError(f"{where}: no cut of Lhotse ({error!r})") from error
            yield entry
        if not number:
            raise DataError(f"{path}: lists no cut")

    def _entry(self, cut: Any, root: Root, where: str, line: int, split: str) -> ListedUtterance:
        if not isinstance(cut.id, str):
            raise DataError(f"{where}: the id {cut.id!r} is no text")
        speaker = _speaker(cut, where)
        place = _place(cut, where)
        if place.type == "command":
            source = allow_command(place.source, where, allowed=self.allow_commands)
        else:
            source = root.source(place.source, where)
        before, after = cut.start, cut.recording.duration - cut.end
        if not (before < SAME_S and abs(after) < SAME_S):
            source = part(source, cut.start, cut.end)
        start, seconds = float(cut.start), float(cut.duration)
        if not (math.isfinite(start) and math.isfinite(seconds)):
            raise DataError(f"{where}: starts at {start} s and lasts {seconds} s")
        return ListedUtterance(cut.id, speaker, source, seconds, line, split, _further(cut))


def _speaker(cut: Any, where: str) -> str:
    """Return the one speaker of a cut's supervisions."""
    names = [value_or_blank(each.speaker) for each in cut.supervisions]
    speakers = sorted({clean_name(name): name for name in names if name}.values())
    if len(speakers) != 1:
        found = f"the speakers {', '.join(speakers)}" if speakers else "no speaker"
        raise DataError(
            f"{where}: {cut.id!r} has {found}, one is wanted (Lhotse's "
            "`CutSet.trim_to_supervisions` makes a cut of each supervision)"
        )
    return speakers[0]


def _place(cut: Any, where: str) -> Any:
    """Return the one source of a cut's sound, a file or a command."""
    recording = getattr(cut, "recording", None)
    if recording is None:
        raise DataError(f"{where}: {cut.id!r} is no cut of one recording; {_SAVE}")
    kinds = [source.type for source in recording.sources]
    if len(kinds) != 1 or kinds[0] not in ("file", "command"):
        found = ", ".join(kinds) or "none"
        raise DataError(f"{where}: the recording's source must be one file, not {found}; {_SAVE}")
    if recording.transforms:
        raise DataError(f"{where}: the recording is to be transformed; {_SAVE}")
    channels = cut.channel if isinstance(cut.channel, list) else [cut.channel]
    if sorted(channels) != sorted(recording.channel_ids):
        raise DataError(
            f"{where}: {cut.id!r} is channel {cut.channel} of "
            f"{len(recording.channel_ids)}, which is not read here; {_SAVE}"
        )
    return recording.sources[0]


def _further(cut: Any) -> dict[str, str]:
    """Return the words of a cut's supervisions: gender, language, text and custom fields."""
    found: dict[str, str] = {}
    for each in cut.supervisions:
        fields = {"gender": each.gender, "language": each.language, "text": each.text}
        fields |= each.custom or {}
        found |= {name: value for name, value in fields.items() if isinstance(value, str)}
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    # The content tells a packed file, whatever its name is.
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
