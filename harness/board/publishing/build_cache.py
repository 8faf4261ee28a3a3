"""Cache of the last build: its inputs and outputs, so that unchanged records are not read again.

It is kept in the user's cache, by the place of the folder. `board check` never asks it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.board.record_paths import SCORES_ENDING
from harness.board.record_store import board_files
from harness.board.standing.curve_axes import NO_AXES, DatasetAxis
from harness.board.writing.references import FILE as REFERENCES
from harness.errors import PathError, StorageError
from harness.records.documents import digest, sha256, sha256_file
from harness.records.files import read_bytes, read_text, write_text
from harness.records.signature import SIGNERS

SCHEMA = 4

LEAST = 500
"""Number of files from which on a build is cached; fewer are read as quickly."""

SETTLED = 2_000_000_000
"""Nanoseconds for which a file must have lain still before its time of change is believed: one that
is changed twice within a tick of the clock keeps its time."""

ROOMS = ("board", "metrics", "records")
LIBRARIES = ("jinja2", "matplotlib", "numpy", "pydantic", "scipy", "tabulate")
"""Dependencies of published files besides the records."""

Seen = tuple[int, int, str]
"""A file's size, its time of change in nanoseconds (0: not to be believed), its sha256."""


class BuildCache:
    """The files of a folder now, and at the last build.

    Args:
        folder: the published tables.
        suites: names of suites, in the order in which indexes list them.
        axes: suite -> the number of its datasets over which its tables are a curve.

    Attributes:
        found: number of JSON files among its records.
    """

    def __init__(
        self,
        folder: Path,
        suites: Sequence[str] = (),
        axes: Mapping[str, DatasetAxis] = NO_AXES,
    ) -> None:
        self.folder = folder
        self._benchmark = digest([*suites, {name: asdict(axis) for name, axis in axes.items()}])
        latest, start = time.time_ns() - SETTLED, len(str(folder)) + 1
        stats = {entry.path[start:]: entry.stat() for entry in board_files(folder)}
        self.found = sum(name.endswith(".json") for name in stats)
        for name in (REFERENCES, SIGNERS):
            if (folder / name).is_file():
                stats[name] = (folder / name).stat()
        self._stats = {
            name: (stat.st_size, stat.st_mtime_ns if stat.st_mtime_ns < latest else 0)
            for name, stat in stats.items()
        }

    def is_current(self) -> bool:
        """Check if records and written files are those of the last build."""
        kept = self._read() if self.found >= LEAST else {}
        before, left = kept.get("inputs", {}), kept.get("outputs", {})
        if not before or before.keys() != self._stats.keys():
            return False
        inputs = {
            name: _state(self.folder / name, stat, before[name])
            for name, stat in self._stats.items()
        }
        if not _same_content(inputs, before):
            return False
        outputs = {name: _output_state(self.folder / name, seen) for name, seen in left.items()}
        if not _same_content(outputs, left):
            return False
        if (inputs, outputs) != (before, left):
            self._write(inputs, outputs)
        return True

    def keep(self, contents: Mapping[str, str], outputs: Iterable[Path]) -> None:
        """Cache this build.

        Args:
            contents: files that it read -> their sha256.
            outputs: files that it wrote or found right.
        """
        if self.found >= LEAST:
            inputs = {
                name: (*stat, contents.get(name) or _content(self.folder / name))
                for name, stat in self._stats.items()
            }
            written = {path.relative_to(self.folder).as_posix(): path for path in outputs}
            self._write(inputs, {name: _output_state(path) for name, path in written.items()})

    def _write(self, inputs: Mapping[str, Seen], outputs: Mapping[str, Seen]) -> None:
        kept = {"benchmark": self._benchmark, "inputs": inputs, "outputs": outputs}
        with suppress(PathError, StorageError):  # a cache that cannot be written only costs time
            write_text(self._place, json.dumps({"made_by": program_digest(), **kept}))

    def _read(self) -> dict[str, dict[str, Seen]]:
        """Return the last build; empty for other programs, suites in another way, or damage."""
        try:
            kept: Any = json.loads(read_text(self._place))
            if (kept["made_by"], kept["benchmark"]) != (program_digest(), self._benchmark):
                return {}
            parts = {part: kept[part].items() for part in ("inputs", "outputs")}
            return {
                part: {name: (size, changed, content) for name, (size, changed, content) in files}
                for part, files in parts.items()
            }
        except (PathError, StorageError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    @property
    def _place(self) -> Path:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        return Path(home, "trialboard", f"board-{digest(str(self.folder.resolve()))[:12]}.json")


@cache
def program_digest() -> str:
    """Return a digest of the programs that make published files of records."""
    top = Path(__file__).resolve().parents[2]
    files = (path for room in ROOMS for path in sorted((top / room).rglob("*")))
    sources = {
        path.relative_to(top).as_posix(): sha256(read_bytes(path))
        for path in files
        if path.is_file() and path.suffix != ".pyc"
    }
    return digest([SCHEMA, sources, {name: version(name) for name in LIBRARIES}])


def _state(path: Path, stat: tuple[int, int], before: Seen | None) -> Seen:
    """Return a file's state; it is only read if it may have changed."""
    if before is not None and stat[1] and before[:2] == stat:
        return before
    return (*stat, _content(path))


def _output_state(path: Path, before: Seen | None = None) -> Seen:
    """Return a written file's state; empty for one that is gone."""
    if not path.is_file():
        return 0, 0, ""
    stat = path.stat()
    return _state(path, (stat.st_size, stat.st_mtime_ns), before)


def _content(path: Path) -> str:
    """Return the sha256 of a file; of scores the size, as tables rest on no more of them.

    Empty for a file that is gone.
    """
    if not path.is_file():
        return ""
    return f"{path.stat().st_size}" if path.name.endswith(SCORES_ENDING) else sha256_file(path)


def _same_content(seen: Mapping[str, Seen], before: Mapping[str, Seen]) -> bool:
    return {n: each[2] for n, each in seen.items()} == {n: each[2] for n, each in before.items()}
