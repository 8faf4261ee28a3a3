"""The time that a running job has left under its limits, and what it was doing."""

from __future__ import annotations

import math
from time import monotonic

from harness.run.events import ProgressEvent
from harness.run.job.limits import Limits

RESUME = "the same command goes on from the last checkpoint"


class JobClock:
    """Counts a job's time from now on.

    Args:
        limits: of the job.
        is_quiet: True if no silence is held against it.
    """

    def __init__(self, limits: Limits, *, is_quiet: bool = False) -> None:
        self._limits = limits
        self._began = self._heard = monotonic()
        self._always_quiet = self._is_quiet = is_quiet
        self._doing, self._done, self._total = "starting", 0, 0

    def hear(self, event: ProgressEvent) -> None:
        """Take note of a sign of life."""
        self._heard = monotonic()
        if event.kind == "stage":
            self._doing, self._done, self._total = event.text, 0, event.total
            self._is_quiet = self._always_quiet or event.is_quiet
        elif event.kind == "advance":
            self._done = event.done

    @property
    def left(self) -> float:
        """Seconds until one of the limits is over; 0 if one is."""
        return max(0.0, min(self._job_left, self._silence_left))

    @property
    def told(self) -> str:
        """The limit that is over, and where it met the job."""
        limits = self._limits
        over = (
            f"took longer than {limits.job_hours:g} hours (--job-hours)"
            if self._job_left <= 0
            else f"no progress for {limits.silence_minutes:g} minutes (--silence-minutes)"
        )
        of = f", {self._done:,} of {self._total:,} done" if self._total else ""
        goes_on = f"; {RESUME}" if self._doing == "train" and self._done else ""
        return f"{over}: ended in {self._doing!r}{of}{goes_on}"

    @property
    def is_job_over(self) -> bool:
        """True if the job as a whole has no time left, whatever it still says."""
        return self._job_left <= 0

    @property
    def _job_left(self) -> float:
        hours = self._limits.job_hours
        return math.inf if hours is None else self._began + 3600 * hours - monotonic()

    @property
    def _silence_left(self) -> float:
        if self._is_quiet:
            return math.inf
        return self._heard + 60 * self._limits.silence_minutes - monotonic()
