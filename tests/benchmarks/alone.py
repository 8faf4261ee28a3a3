"""Jobs run in a process of their own, which tells how long they took and how much they held."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import psutil

from harness.measure.memory_use import ProcessPeak


@dataclass
class Stopwatch:
    """Seconds of each step of a job, and the memory it took.

    Attributes:
        seconds: step -> seconds by the clock on the wall.
        extra: step -> peak of resident memory up to its end over what was held before the job,
            bytes.
        values: what the job computed.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    extra: dict[str, int] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._peak = ProcessPeak()
        self._peak.reset()
        self._before = int(psutil.Process().memory_info().rss)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times a step."""
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
        self.extra[name] = self._peak.read().bytes - self._before


def alone(job: Callable[[Path], Stopwatch], folder: Path) -> Stopwatch:
    """Runs a job in a fresh process, where nothing freed earlier can be used again."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(job, folder).result()


def best(runs: list[Stopwatch]) -> Stopwatch:
    """The run of a job that took the least time in all."""
    return min(runs, key=lambda run: sum(run.seconds.values()))
