"""One folder a speaker, sound files anywhere below it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.reading.columns import SPEAKER, Entry, told_apart
from harness.data.reading.own_trials import OwnLists
from harness.data.reading.sound_endings import READABLE, mend
from harness.errors import DataError

IGNORED = (
    "*.txt", "*.csv", "*.tsv", "*.json", "*.xml", "*.lab", "*.TextGrid", "*.md", "*.html", "*.pdf",
    "*.jpg", "*.png",
)  # fmt: skip
"""What may lie beside sounds; any other file that is no sound is asked about."""


@dataclass(frozen=True, kw_only=True)
class SpeakerFolders(OwnLists):
    """Sound files below folders that are named by their speakers.

    Attributes:
        label: what is told apart: the speaker, or the `session`: the folder below the speaker's,
            where there is one.
        ignore: names of files and folders that are left away, with `*` and `?`; hidden ones
            always are.
        convert: resample to 16 kHz and mix down, instead of calling other files damaged.
    """

    label: str = SPEAKER
    ignore: tuple[str, ...] = IGNORED
    convert: bool = True

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every sound file, named by its path; none is opened.

        Raises:
            DataError: a file is neither a sound that is read here nor ignored, a speaker has no
                sound, a sound has no speaker or lies there in two forms.
        """
        del profile
        files = sorted(_files(os.path.realpath(folder), self.ignore))
        sounds = [path for path in files if _ending(path) in READABLE]
        _check_others([path for path in files if _ending(path) not in READABLE], folder)
        _check_speakers(sounds, _speakers(folder, self.ignore), folder)
        _check_forms(sounds, folder)
        return told_apart(map(_entry, sounds), self.label, str(folder))

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one file.

        Raises:
            DamagedItem: it cannot be read.
        """
        return read_audio(folder / item.source, convert=self.convert)


def _entry(path: str) -> Entry:
    speaker, *between, _ = path.split("/")
    return Entry(
        id=path, speaker=speaker, source=path, further={"session": between[0] if between else ""}
    )


def _files(folder: str, ignore: tuple[str, ...], below: str = "") -> Iterator[str]:
    """Paths of all files that are not ignored, relative to the folder."""
    for entry in _listed(f"{folder}/{below}"):
        if _is_ignored(entry.name, ignore):
            continue
        if entry.is_dir():
            _check_no_circle(entry)
            yield from _files(folder, ignore, f"{below}{entry.name}/")
        elif below:  # what lies beside the speakers' folders is looked at on its own
            yield f"{below}{entry.name}"
        elif _ending(entry.name) in READABLE:
            raise DataError(f"{entry.path}: lies in no speaker's folder; move it into one")


def _speakers(folder: Path, ignore: tuple[str, ...]) -> list[str]:
    entries = _listed(str(folder))
    return sorted(
        entry.name for entry in entries if entry.is_dir() and not _is_ignored(entry.name, ignore)
    )


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror})") from error


def _is_ignored(name: str, ignore: tuple[str, ...]) -> bool:
    return name.startswith(".") or bool(_pattern(ignore).match(name))


@lru_cache(maxsize=8)
def _pattern(ignore: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, ignore)) or "$.", re.IGNORECASE)


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _check_no_circle(entry: os.DirEntry[str]) -> None:
    """A link to a folder above would be walked through for ever."""
    if entry.is_symlink() and f"{entry.path}/".startswith(f"{os.path.realpath(entry.path)}/"):
        raise DataError(f"{entry.path}: links to a folder above it; remove it, or ignore it")


def _check_others(paths: list[str], folder: Path) -> None:
    if paths:
        kinds = Counter(_ending(path) or "no ending" for path in paths)
        counts = ", ".join(f"{count} with {ending}" for ending, count in sorted(kinds.items()))
        raise DataError(
            f"{folder}: {len(paths)} files are no sounds that are read here ({counts}), the first "
            f"{paths[0]!r}; {mend(_ending(paths[0]))}"
        )


def _check_speakers(sounds: list[str], speakers: list[str], folder: Path) -> None:
    heard = {path.partition("/")[0] for path in sounds}
    silent = [speaker for speaker in speakers if speaker not in heard]
    if silent:
        raise DataError(
            f"{folder}: no sound below {len(silent)} of {len(speakers)} folders, the first "
            f"{silent[0]!r}; unpack it again, or name it in `ignore` where it is no speaker"
        )
    if not speakers:
        raise DataError(f"{folder}: holds no folders; one a speaker is wanted")


def _check_forms(sounds: list[str], folder: Path) -> None:
    seen: dict[str, str] = {}
    for path in sounds:
        other = seen.setdefault(os.path.splitext(path)[0], path)
        if other != path:
            raise DataError(
                f"{folder}: {other!r} and {path!r} seem to be one recording in two forms; "
                'leave one away, as in `ignore = ["*.wav"]`'
            )
