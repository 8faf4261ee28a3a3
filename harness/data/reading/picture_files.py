"""Picture files below a folder, known by their names alone: none is opened."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from harness.errors import DataError

READABLE = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)
"""Endings in lower case, with the dot."""

IGNORED = (
    "*.txt", "*.csv", "*.tsv", "*.json", "*.xml", "*.md", "*.html", "*.pdf", "*.npz", "Thumbs.db",
)  # fmt: skip
"""Files that may lie beside pictures; any other file that is no picture is an error."""


def list_pictures(folder: Path, ignore: tuple[str, ...]) -> list[str]:
    """Return the paths of all pictures below a folder, relative to it and sorted.

    Hidden files and folders are left away.

    Args:
        folder: the corpus's.
        ignore: names of files and folders that are left away too, with `*` and `?`.

    Raises:
        DataError: a folder cannot be listed, a link leaves the folder or leads nowhere, a file is
            neither a picture that is read here nor ignored, or lies in no class's folder.
    """
    root = os.path.realpath(folder)
    files = sorted(_files(root, root, _pattern(ignore)))
    others = [path for path in files if _ending(path) not in READABLE]
    if others:
        kinds = Counter(_ending(path) or "no ending" for path in others)
        counts = ", ".join(f"{count} with {ending}" for ending, count in sorted(kinds.items()))
        raise DataError(
            f"{folder}: {len(others)} files are no pictures that are read here ({counts}), the "
            f"first {others[0]!r}; convert them, take them out, or add their names to `ignore`, as "
            'in `ignore = ["*.txt", "*.xyz"]`'
        )
    loose = [path for path in files if "/" not in path]
    if loose:
        raise DataError(f"{folder}/{loose[0]}: lies in no class's folder; move it into one")
    return files


def list_folders(folder: Path, ignore: Iterable[str]) -> list[str]:
    """Return the names of the folders in a folder that are neither hidden nor ignored, sorted.

    Raises:
        DataError: it cannot be listed.
    """
    entries = _entries(str(folder), _pattern(tuple(ignore)))
    return sorted(entry.name for entry in entries if entry.is_dir())


def _files(root: str, folder: str, ignored: re.Pattern[str]) -> Iterator[str]:
    for entry in _entries(folder, ignored):
        if entry.is_symlink():
            _check_link(entry.path, root)
        if entry.is_dir():
            yield from _files(root, entry.path, ignored)
        else:
            yield os.path.relpath(entry.path, root).replace(os.sep, "/")


def _check_link(path: str, root: str) -> None:
    """Refuse a link that leads out of the corpus, nowhere, or to a folder around it."""
    target = os.path.realpath(path)
    if not os.path.exists(target):
        raise DataError(f"{path}: links to {target}, which is not there; mend or remove it")
    if os.path.commonpath([target, root]) != root:
        raise DataError(
            f"{path}: links to {target}, which is outside of {root}; copy it there, or name it in "
            "`ignore`"
        )
    if f"{os.path.abspath(path)}/".startswith(f"{target}/"):
        raise DataError(f"{path}: links to a folder above it; remove it, or name it in `ignore`")


def _entries(folder: str, ignored: re.Pattern[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror})") from error
    return [each for each in found if each.name[0] != "." and not ignored.match(each.name)]


@lru_cache(maxsize=8)
def _pattern(ignore: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, ignore)) or "$.", re.IGNORECASE)


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()
