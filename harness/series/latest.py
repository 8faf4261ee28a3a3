"""The latest values of a series that is still being written, read as they are added."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path

from harness.errors import DataError, naming
from harness.series.points import Points
from harness.series.series_file import FILE, take_line

RECENT = 50
"""Steps over which the speed is taken."""


class LatestValues:
    """Follows the series of one training.

    Args:
        folder: the training's.

    Attributes:
        values: name -> step and value of its last point.
        step: the last that was written.
        epoch: epochs that are done then.
        last_step: the step after which the training ends; None where an older series does not say.
        entry: as the training names itself; empty until it begins to write.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._begin(0)

    def _begin(self, inode: int) -> None:
        self._inode, self._read = inode, 0
        self._clock: deque[tuple[int, float]] = deque(maxlen=RECENT + 1)
        self.values: dict[str, tuple[int, float]] = {}
        self.step, self.epoch = 0, 0.0
        self.last_step: int | None = None
        self.entry = ""

    @property
    def steps_per_second(self) -> float | None:
        """Return the speed over the last steps, validations included; None if it is not known."""
        if len(self._clock) < 2:
            return None
        (first, began), (last, ended) = self._clock[0], self._clock[-1]
        return (last - first) / (ended - began) if ended > began else None

    @property
    def seconds_left(self) -> float | None:
        """Return the time that the rest of the training takes at that speed; None if unknown."""
        speed = self.steps_per_second
        if speed is None or self.last_step is None:
            return None
        return max(0, self.last_step - self.step) / speed

    def update(self) -> bool:
        """Read what was added; return whether there is a new step.

        A training that went on from a resume point cuts its series back: it is read anew then.
        """
        before = self.step
        if not self._path.exists():
            return False  # it has not begun to write
        with naming(self._path), self._path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._inode or status.st_size < self._read:
                self._begin(status.st_ino)
            file.seek(self._read)
            whole, end, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(end)
        for raw in whole.splitlines():
            with suppress(DataError):  # what a resume will set aside is not shown
                self._take(raw.decode("utf-8", "replace"))
        return self.step != before

    def _take(self, text: str) -> None:
        points = Points(self._path)
        if facts := take_line(points, text):
            last = facts.get("last_step", "")
            self.last_step = int(last) if last.isdigit() else None
            self.entry = facts.get("entry", "")
        for name, step, epoch, _, value in points.rows:
            self.values[name] = (step, value)
            self.step, self.epoch = step, epoch
        if points.rows:
            self._clock.append((self.step, points.rows[0][3]))
