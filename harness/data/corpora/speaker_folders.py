"""One folder a speaker, sound files anywhere below it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from harness.data.reading.audio_corpus import SpeechCorpus
from harness.data.reading.item_table import ListedUtterance
from harness.data.reading.sound_files import READABLE, mend_ending
from harness.errors import DataError

IGNORED = (
    "*.txt", "*.csv", "*.tsv", "*.json", "*.xml", "*.lab", "*.TextGrid", "*.md", "*.html", "*.pdf",
    "*.jpg", "*.png",
)  # fmt: skip
"""Files that may lie beside sounds; any other file that is no sound is an error."""


@dataclass(frozen=True, kw_only=True)
class SpeakerFolders(SpeechCorpus):
    """Sound files below folders that are named by their speakers.

    An utterance is named by its path. `label` may be `session`, too: the folder below the
    speaker's, if there is one.

    Attributes:
        ignore: names of files and folders that are left away, with `*` and `?`; hidden ones
            always are.
    """

    ignore: tuple[str, ...] = IGNORED

    def entries(self, folder: Path) -> Iterable[ListedUtterance]:
        """Return every sound file; none is opened.

        Raises:
            DataError: a file is neither a sound that is read here nor ignored, a speaker has no
                sound, a sound has no speaker or lies there in two forms.
        """
        files = sorted(_files(os.path.realpath(folder), self.ignore))
        sounds = [path for path in files if _ending(path) in READABLE]
        _check_others([path for path in files if _ending(path) not in READABLE], folder)
        speakers = sorted(
            entry.name for entry in _entries(str(folder), self.ignore) if entry.is_dir()
        )
        _check_speakers(sounds, speakers, folder)
        _check_forms(sounds, folder)
        for path in sounds:
            speaker, *between, _ = path.split("/")
            session = between[0] if between else ""
            yield ListedUtterance(path, speaker, path, further={"session": session})


def _files(folder: str, ignore: tuple[str, ...], below: str = "") -> Iterator[str]:
    """Yield the paths of all files that are not ignored, relative to the folder."""
    for entry in _entries(f"{folder}/{below}", ignore):
        if entry.is_dir():
            # A link to a folder above would be walked through for ever.
            above = f"{os.path.realpath(entry.path)}/"
            if entry.is_symlink() and f"{entry.path}/".startswith(above):
                raise DataError(
                    f"{entry.path}: links to a folder above it; remove it, or ignore it"
                )
            yield from _files(folder, ignore, f"{below}{entry.name}/")
        elif below:  # files beside the speakers' folders are looked at on their own
            yield f"{below}{entry.name}"
        elif _ending(entry.name) in READABLE:
            raise DataError(f"{entry.path}: lies in no speaker's folder; move it into one")


def _entries(folder: str, ignore: tuple[str, ...]) -> list[os.DirEntry[str]]:
    """Return the entries of a folder that are neither hidden nor ignored."""
    pattern = _pattern(ignore)
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror})") from error
    return [each for each in found if each.name[0] != "." and not pattern.match(each.name)]


@lru_cache(maxsize=8)
def _pattern(ignore: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, ignore)) or "$.", re.IGNORECASE)


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _check_others(paths: list[str], folder: Path) -> None:
    if paths:
        kinds = Counter(_ending(path) or "no ending" for path in paths)
        counts = ", ".join(f"{count} with {ending}" for ending, count in sorted(kinds.items()))
        raise DataError(
            f"{folder}: {len(paths)} files are no sounds that are read here ({counts}), the first "
            f"{paths[0]!r}; {mend_ending(_ending(paths[0]))}"
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
