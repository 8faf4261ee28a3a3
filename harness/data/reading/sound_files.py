"""Sound files known by their names alone: none is opened."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import soundfile

from harness.errors import DataError
from harness.trials.text_lines import list_examples

ENDINGS = (".wav", ".flac")
"""Endings that are taken; of one recording with both, the last of these."""

_FORMATS = {
    ".ogg": "OGG", ".oga": "OGG", ".opus": "OGG", ".aif": "AIFF", ".aiff": "AIFF", ".sph": "NIST",
    **{f".{name.lower()}": name for name in ("WAV", "FLAC", "MP3", "AU", "CAF", "W64")},
}  # fmt: skip

READABLE = frozenset(
    ending for ending, name in _FORMATS.items() if name in soundfile.available_formats()
)
"""In lower case, with the dot; which they are depends on this machine's libsndfile."""

OTHER_SOUNDS = frozenset(
    {".m4a", ".mp4", ".aac", ".wma", ".amr", ".webm", ".mkv", ".mka", ".mov", ".3gp", ".ac3"}
    | {".ape", ".wv", ".spx", ".ra", ".shn"}
    | (_FORMATS.keys() - READABLE)
)
"""Sounds, or films with sound, that must be converted first."""


def mend_ending(ending: str) -> str:
    """Return what to do about a file with an ending that is not read here."""
    if ending in OTHER_SOUNDS:
        return f"convert it first, as in `ffmpeg -i in{ending} -ac 1 -ar 16000 out.flac`"
    return 'add its name to `ignore`, as in `ignore = ["*.txt", "*.xyz"]`, or take it out'


def sounds(folder: Path, endings: tuple[str, ...] = ENDINGS) -> dict[str, str]:
    """Return file names by their stems, sorted; none if there is no such folder.

    Raises:
        DataError: the folder cannot be listed.
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror})") from error
    found: dict[str, str] = {}
    for ending in endings:
        cut = -len(ending)
        found |= {name[:cut]: name for name in names if name.endswith(ending) and name[0] != "."}
    return dict(sorted(found.items()))


def stem(name: str) -> str:
    """Return a listed path without its ending, which conversion may have changed.

    >>> stem("test/id00807-speech-01-001.wav"), stem("id1/v.2")
    ('test/id00807-speech-01-001', 'id1/v.2')
    """
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name


def check_present(wanted: Collection[str], found: Mapping[str, str], listing: Path) -> None:
    """Refuse a list that names files which are not there.

    Args:
        wanted: the files that the list names, by stem.
        found: the files that are there, by stem.
        listing: the list.

    Raises:
        DataError: how many are absent, and the first of them.
    """
    absent = sorted(name for name in wanted if name not in found)
    if absent:
        raise DataError(
            f"{listing}: {len(absent)} of {len(wanted)} files that it names are absent, as .flac "
            f"and as .wav: {list_examples(absent, len(absent))}; unpacking or conversion was not "
            "finished, so do it again"
        )
