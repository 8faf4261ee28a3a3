"""What the last build saw and wrote, so that many unchanged records are not read again.

It is kept in the user's cache, by the place of the folder. `board check` never asks it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.board.store.shelf import json_files
from harness.board.writing.references import FILE as REFERENCES
from harness.errors import PathError, StorageError
from harness.records.documents import digest, sha256, sha256_file
from harness.records.files import read_bytes, read_text, write_text

SCHEMA = 2

LEAST = 500
"""Files from which on a build is remembered; fewer are read as quickly."""

SETTLED = 2_000_000_000
"""Nanoseconds for which a file must have lain still before its time of change is believed: one that
is changed twice within a tick of the clock keeps its time."""

ROOMS = ("board", "metrics", "records")
LIBRARIES = ("jinja2", "matplotlib", "numpy", "pydantic", "scipy", "seaborn", "tabulate")
"""What published files depend on besides the records."""

Seen = tuple[int, int, str]
"""A file's size, its time of change in nanoseconds (0: not to be believed), its sha256."""


class Memory:
    """The files of a folder as they are, and as the last build saw them.

    Args:
        folder: the published tables.
        suites: names of suites, in the order in which indexes list them.

    Attributes:
        found: how many files there are among its records.
    """

    def __init__(self, folder: Path, suites: Sequence[str] = ()) -> None:
        self.folder, self._suites = folder, list(suites)
        stats = _stats(folder)
        self.found = len(stats)
        self._stats = stats

    def unchanged(self) -> bool:
        """Whether the records are those of the last build, and the files are those it left."""
        kept = _read(self.folder, self._suites) if self.found >= LEAST else {}
        before, left = kept.get("inputs", {}), kept.get("outputs", {})
        if not before or before.keys() != self._stats.keys():
            return False
        inputs = {
            name: _again(self.folder / name, stat, before[name])
            for name, stat in self._stats.items()
        }
        if _contents(inputs) != _contents(before):
            return False
        outputs = {name: _file(self.folder / name, seen) for name, seen in left.items()}
        if _contents(outputs) != _contents(left):
            return False
        if (inputs, outputs) != (before, left):
            self._write(inputs, outputs)
        return True

    def keep(self, contents: Mapping[str, str], outputs: Iterable[Path]) -> None:
        """Remember this build.

        Args:
            contents: files that it read -> their sha256.
            outputs: files that it wrote or found right.
        """
        if self.found >= LEAST:
            inputs = {
                name: (*stat, contents.get(name) or _content(self.folder / name))
                for name, stat in self._stats.items()
            }
            names = {path.relative_to(self.folder).as_posix(): path for path in outputs}
            self._write(inputs, {name: _file(path) for name, path in names.items()})

    def _write(self, inputs: Mapping[str, Seen], outputs: Mapping[str, Seen]) -> None:
        kept = {"suites": self._suites, "inputs": inputs, "outputs": outputs}
        with suppress(PathError, StorageError):  # a cache that cannot be written only costs time
            write_text(_place(self.folder), json.dumps({"made_by": made_by(), **kept}))


@cache
def made_by() -> str:
    """A digest of the programs that make published files of records."""
    top = Path(__file__).resolve().parents[2]
    files = (path for room in ROOMS for path in sorted((top / room).rglob("*")))
    sources = {
        path.relative_to(top).as_posix(): sha256(read_bytes(path))
        for path in files
        if path.is_file() and path.suffix != ".pyc"
    }
    return digest([SCHEMA, sources, {name: version(name) for name in LIBRARIES}])


def _stats(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file that published files are made of."""
    latest, start = time.time_ns() - SETTLED, len(str(folder)) + 1
    found = {entry.path[start:]: entry.stat() for entry in json_files(folder)}
    if (folder / REFERENCES).is_file():
        found[REFERENCES] = (folder / REFERENCES).stat()
    return {
        name: (stat.st_size, stat.st_mtime_ns if stat.st_mtime_ns < latest else 0)
        for name, stat in found.items()
    }


def _again(path: Path, stat: tuple[int, int], before: Seen | None) -> Seen:
    """A file, which is only read where it may have changed."""
    same = before is not None and stat[1] and before[:2] == stat
    return before if before is not None and same else (*stat, _content(path))


def _file(path: Path, before: Seen | None = None) -> Seen:
    """A written file, read where it may have changed; nothing is known of one that is gone."""
    if not path.is_file():
        return 0, 0, ""
    stat = path.stat()
    return _again(path, (stat.st_size, stat.st_mtime_ns), before)


def _content(path: Path) -> str:
    """The sha256 of a file; empty for one that is gone, which no file has."""
    return sha256_file(path) if path.is_file() else ""


def _contents(seen: Mapping[str, Seen]) -> dict[str, str]:
    return {name: each[2] for name, each in seen.items()}


def _read(folder: Path, suites: Sequence[str]) -> dict[str, dict[str, Seen]]:
    """What was kept; nothing of other programs or another order of suites, or where damaged."""
    try:
        kept: Any = json.loads(read_text(_place(folder)))
        if (kept["made_by"], kept["suites"]) != (made_by(), suites):
            return {}
        parts = {part: kept[part].items() for part in ("inputs", "outputs")}
        return {
            part: {name: (size, changed, content) for name, (size, changed, content) in files}
            for part, files in parts.items()
        }
    except (PathError, StorageError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _place(folder: Path) -> Path:
    """The file of a folder in the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home, "trialboard", f"board-{digest(str(folder.resolve()))[:12]}.json")
