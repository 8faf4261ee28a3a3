"""Ratios of time, from contestants that take turns in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

Result = TypeVar("Result")

ON_THE_PROCESSOR = pytest.mark.benchmark(timer=time.process_time)
"""What other programs take does not count: a busy machine changes a ratio little."""


@dataclass
class Contestant(Generic[Result]):
    """Something that is run and timed.

    Attributes:
        run: what is timed.
        share: the part of the whole work that it does; its time is extrapolated.
        seconds: processor seconds of each run.
    """

    run: Callable[[], Result]
    share: float = 1.0
    seconds: list[float] = field(default_factory=list)

    def __call__(self) -> Result:
        """Runs once."""
        start = time.process_time()
        result = self.run()
        self.seconds.append(time.process_time() - start)
        return result

    @property
    def best(self) -> float:
        """The least processor seconds of any run, for the whole work."""
        return min(self.seconds) / self.share


def take_turns(
    benchmark: BenchmarkFixture,
    ours: Contestant[Result],
    rivals: Mapping[str, Contestant[object]],
    *,
    rounds: int,
) -> dict[str, float]:
    """Runs each rival once before each of our rounds, so that all meet the same machine.

    Returns:
        How many times as long as ours each rival's best run takes.
    """

    def rivals_first() -> None:
        for rival in rivals.values():
            rival()

    benchmark.pedantic(ours, setup=rivals_first, rounds=rounds)  # type: ignore[no-untyped-call]
    ratios = {name: rival.best / ours.best for name, rival in rivals.items()}
    benchmark.extra_info.update(ratios)
    return ratios
