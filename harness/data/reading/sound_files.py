"""Which sound files lie in a folder, told by their names alone: none is opened or asked after."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from harness.errors import DataError
from harness.trials.text_lines import list_examples

ENDINGS = (".wav", ".flac")
"""What is taken; where one recording lies there as both, the last of these."""


def sounds(folder: Path, endings: tuple[str, ...] = ENDINGS) -> dict[str, str]:
    """File names by their stems, sorted; none where there is no such folder.

    Raises:
        DataError: the folder cannot be listed.
    """
    names = _names(folder)
    found: dict[str, str] = {}
    for ending in endings:
        cut = -len(ending)
        found |= {name[:cut]: name for name in names if name.endswith(ending) and name[0] != "."}
    return dict(sorted(found.items()))


def stem(name: str) -> str:
    """A listed path without its ending, which conversion may have changed.

    >>> stem("test/id00807-speech-01-001.wav"), stem("id1/v.2")
    ('test/id00807-speech-01-001', 'id1/v.2')
    """
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name


def check_present(wanted: Collection[str], found: Mapping[str, str], listing: Path) -> None:
    """Refuse a list that names files which are not there.

    Args:
        wanted: what the list names, by stem.
        found: what is there, by stem.
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


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror})") from error
