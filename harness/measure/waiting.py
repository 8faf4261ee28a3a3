"""How long threads waited for a processor: it tells whether something else ran beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

THREADS = Path("/proc/self/task")


@dataclass(frozen=True)
class CpuTimes:
    """What this process's threads spent so far, in seconds.

    Attributes:
        ran: on a processor.
        waited: ready to run, with no processor free.
    """

    ran: float = 0.0
    waited: float = 0.0

    def since(self, before: CpuTimes) -> CpuTimes:
        """What came between; a thread that ended meanwhile takes its times with it."""
        return CpuTimes(max(0.0, self.ran - before.ran), max(0.0, self.waited - before.waited))

    @property
    def share(self) -> float | None:
        """The part of the time that was waiting, 0 to 1; None where nothing was told."""
        spent = self.ran + self.waited
        return self.waited / spent if spent else None


def cpu_times() -> CpuTimes:
    """Sum over all threads; zeros where the system does not tell (it is Linux that does).

    Source: `schedstat` of each thread, nanoseconds on a processor and in its queue.
    """
    ran = waited = 0
    for told in THREADS.glob("*/schedstat"):
        try:
            numbers = told.read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # the thread ended while we looked
            continue
        ran, waited = ran + int(numbers[0]), waited + int(numbers[1])
    return CpuTimes(ran / 1e9, waited / 1e9)
