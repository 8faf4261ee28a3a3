"""The file of a training's own series: JSON lines, appended to, cut back on a resume.

A line is a step's scalars, a vector, a mark, or says that a resume point was written. The first
one names the training. A kill loses what was not flushed; a resume cuts the file back to the
resume point, so that no step stands twice and none is missing.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import DataError
from harness.records.damage import set_aside
from harness.records.files import append_text, read_bytes, write_text
from harness.series.points import Points, text_of
from harness.series.series import MarkKind, Series

FILE = "series.jsonl"
PUBLISHED = "series.jsonl.gz"
MOST_PUBLISHED = 200_000
"""Bytes of a published series."""

MOST_UNPACKED = 64_000_000
"""Bytes of a packed file's content: a small file of a stranger's must not fill the memory."""

FLUSH_SECONDS = 10.0
AT_END: tuple[MarkKind, ...] = ("chosen", "stopped")
"""Marks that end a training: one that goes on has not got them."""

Show = Callable[[int, Mapping[str, float]], None]
ShowHistogram = Callable[[int, str, Sequence[float], Sequence[float]], None]


class SeriesWriter:
    """Appends to the series of a training.

    Args:
        folder: the training's.
        facts: plain facts of it: entry, seed.
        step: the resume point that it goes on from; `before` for a training that begins.
        epoch: epochs that are done after a step.
        before: steps of the finished training that this one continues.
    """

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, str],
        step: int,
        epoch: Callable[[int], float],
        before: int = 0,
    ) -> None:
        self.show: Show = lambda _step, _values: None
        self.show_histogram: ShowHistogram = lambda _step, _name, _values, _edges: None
        self.epoch = epoch
        self._path, self._lines = folder / FILE, list[str]()
        self._flushed = time.monotonic()
        _cut(self._path, 0 if step == before else step, facts)
        if not self._path.exists():
            self._write({"series": 1, "facts": dict(facts)})
        if step > before:
            self.mark("resume", step)
        self.flush()

    def add(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Add the scalars of a step, by their whole names.

        Args:
            step: counted from 1.
            seconds: time in training so far.
            values: name -> value.
        """
        self._write({**self._at(step), "seconds": round(seconds, 3), "values": dict(values)})
        self.show(step, values)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def add_vector(
        self,
        step: int,
        name: str,
        values: Sequence[float],
        edges: Sequence[float] = (),
        labels: Sequence[str] = (),
    ) -> None:
        """Add several numbers of a step (see `Vector`); those with edges are shown, too."""
        found = {"values": list(values), "edges": list(edges), "labels": list(labels)}
        found = {key: each for key, each in found.items() if each or key == "values"}
        self._write({**self._at(step), "vector": name, **found})
        if edges:
            self.show_histogram(step, name, values, edges)

    def mark(self, kind: MarkKind, step: int, text: str = "") -> None:
        """Add a mark (see `Mark`)."""
        self._write({**self._at(step), "mark": kind, "text": text})

    def save_point(self, step: int) -> None:
        """Put all on disk, and say that a resume point of this step is written next."""
        self._write({"step": step, "resume_point": True})
        self.flush()

    def flush(self) -> None:
        """Put on disk what was added so far.

        Raises:
            StorageError: the disk is full.
        """
        self._flushed = time.monotonic()
        if self._lines:
            append_text(self._path, "".join(self._lines))
            self._lines.clear()

    def _at(self, step: int) -> dict[str, Any]:
        return {"step": step, "epoch": round(self.epoch(step), 6)}

    def _write(self, line: Mapping[str, Any]) -> None:
        self._lines.append(json.dumps(line) + "\n")


def last_resume_point(folder: Path) -> int | None:
    """Return the step of the last resume point that a training's series tells of; None if none."""
    path = folder / FILE
    if not path.exists():
        return None
    for _, line in reversed(list(_own_lines(path))):
        if line.get("resume_point"):
            return int(line["step"])
    return None


def is_own(first_line: str) -> bool:
    """Return whether a file that begins so is a series of ours."""
    return first_line.startswith('{"series": ')


def read_own(path: Path) -> Series:
    """Read the file of a series of ours, packed or not.

    Raises:
        DataError: a line of it is not what is written there.
    """
    points, facts = own_points(path)
    return points.series(f"series of {facts.get('entry', path.name)}", facts)


def own_points(path: Path) -> tuple[Points, dict[str, str]]:
    """Read the points of a series of ours, packed or not, and the facts of its training.

    Raises:
        DataError: a line of it is not what is written there.
    """
    text = unpacked(path).decode("utf-8", "replace")
    points, facts, whole = Points(path), dict[str, str](), text.rpartition("\n")[0]
    for number, line in enumerate(whole.splitlines(), 1):
        points.line = number
        facts = take_line(points, line) or facts
    return points, facts


def take_line(points: Points, text: str) -> dict[str, str]:
    """Add a line of a series of ours to its points; return the training's facts if it has them.

    Raises:
        DataError: it is not what is written there.
    """
    line = points.parse(text)
    if "series" in line:
        found = line.get("facts")
        if not isinstance(found, dict):
            raise points.refuse("its first line has no facts; get the file anew")
        return {text_of(key): text_of(each) for key, each in found.items()}
    if not line.get("resume_point"):
        points.add_line(line)
    return {}


def unpacked(path: Path) -> bytes:
    """Return the content of a file, unpacked if it is packed by gzip.

    Raises:
        DataError: it is packed and damaged, or too big.
    """
    content = read_bytes(path)
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.open(io.BytesIO(content)) as file:
            found = file.read(MOST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: a damaged gzip file; get it anew") from error
    if len(found) > MOST_UNPACKED:
        raise DataError(f"{path}: over {MOST_UNPACKED:,} bytes unpacked; unpack it yourself")
    return found


def published_bytes(path: Path, most: int = MOST_PUBLISHED) -> bytes:
    """Return the packed series of a training's file, under a size.

    Numbers have seven digits. If it is over the size, the steps with no more than scalars of
    training are thinned: every second of them stays, every fourth, and so on; the first and the
    last stay, as do validations, vectors and marks.

    Args:
        path: the training's own file.
        most: bytes.
    """
    lines = [line for _, line in _own_lines(path) if not line.get("resume_point")]
    plain = [number for number, line in enumerate(lines) if _is_of_training_alone(line)]
    every = 1
    while True:
        kept = {*plain[::every], *plain[-1:]}
        dropped = set(plain) - kept
        text = "".join(
            json.dumps(_shortened(line), separators=(", ", ": ")) + "\n"
            for number, line in enumerate(lines)
            if number not in dropped
        )
        packed = gzip.compress(text.encode(), 9, mtime=0)
        if len(packed) <= most or every >= len(plain):
            return packed
        every *= 2


def _is_of_training_alone(line: Mapping[str, Any]) -> bool:
    values = line.get("values")
    return isinstance(values, dict) and all(name.startswith("Train/") for name in values)


def _shortened(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value


def _cut(path: Path, step: int, facts: Mapping[str, str]) -> None:
    """Drop what follows a resume point, and any line that a kill cut short.

    A file with other lines that nobody wrote is set aside; those that can be read are kept, unless
    they are of another training.
    """
    if not path.exists():
        return
    if not step:
        path.unlink()
        return
    lines = list(_own_lines(path))
    if any(line["facts"] != facts for _, line in lines if "facts" in line):
        set_aside(path, "the series of another training", "it begins at the resume point")
        return
    kept = "".join(
        f"{text}\n"
        for text, line in lines
        if line.get("step", 0) <= step and line.get("mark") not in AT_END
    )
    if len(lines) < len(read_bytes(path).splitlines()) - 1:
        set_aside(path, "not all of it can be read", "the lines that can be read are kept")
    write_text(path, kept)


def _own_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the lines that can be read, each with what it says."""
    for raw in read_bytes(path).splitlines():
        try:
            text = raw.decode()
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and type(line.get("step", 0)) is int:
            yield text, line
