"""Waiting for a processor, as the system counts it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.measure import timing
from harness.measure.timing import CpuTimes, cpu_times

pytestmark = pytest.mark.skipif(
    not any(timing.THREADS.glob("*/schedstat")), reason="only Linux counts it"
)

BUSY = """
import os, sys, threading, time
from harness.measure.timing import cpu_times
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
before = cpu_times()
until = time.monotonic() + 0.4
def spin():
    while time.monotonic() < until:
        sum(range(1000))
neighbours = [os.fork() for _ in range(int(sys.argv[1]))] if int(sys.argv[1]) else []
spin()
if 0 in neighbours:
    os._exit(0)
for neighbour in neighbours:
    os.waitpid(neighbour, 0)
print(cpu_times().since(before).share)
"""


def share_beside(neighbours: int) -> float:
    """What a spinning process tells that shares one processor with so many others."""
    command = [sys.executable, "-c", BUSY, str(neighbours)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_a_process_that_shares_its_processor_waits() -> None:
    # The first neighbour forks again: three others on one processor leave it a quarter.
    assert share_beside(2) > 0.4


def test_times_only_grow() -> None:
    before = cpu_times()
    sum(range(300_000))
    assert cpu_times().since(before).ran > 0


def test_share() -> None:
    assert CpuTimes(ran=3.0, waited=1.0).share == 0.25
    assert CpuTimes().share is None
    assert CpuTimes(1.0, 0.5).since(CpuTimes(2.0, 0.25)) == CpuTimes(0.0, 0.25)


def test_where_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(timing, "THREADS", tmp_path)
    assert cpu_times().share is None
