"""Whatever a worker does to its processes, nothing of it is left when its caller is through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from harness.run.execute import child as child_module
from harness.run.execute.child import Child, TimeIsUp
from tests.places import ROOT
from tests.run.execute.conftest import NAME, marked

WORKER = "tests.run.execute.unruly_worker"
PATIENCE = 30.0

UNRULY = ("leave_daemon", "leave_crowd", "crash", "kill_group", "kill_parent")
"""Deeds of the worker, with processes that it leaves behind."""

CALLER = f"""
import os, time
from harness.run.execute.child import Child
child = Child({WORKER!r}, os.environ)
child.send("leave_crowd sleep")
print(child.receive()["event"], flush=True)
time.sleep(600)
"""


def environment(mark: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), NAME: mark}


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


@pytest.mark.parametrize("deed", UNRULY)
def test_what_a_worker_leaves_behind_is_ended_with_it(mark: str, deed: str) -> None:
    worker = Child(WORKER, environment(mark))
    worker.send(f"{deed} end")
    while worker.receive() is not None:
        pass
    status = worker.finish()
    assert status == {"crash": -signal.SIGSEGV, "kill_group": -signal.SIGKILL,
                      "kill_parent": -signal.SIGKILL}.get(deed, 0)  # fmt: skip
    wait_until(lambda: marked(mark) == [])


@pytest.mark.parametrize("deed", ["leave_daemon", "leave_crowd"])
def test_a_worker_that_goes_on_is_ended_with_all_its_processes(mark: str, deed: str) -> None:
    worker = Child(WORKER, environment(mark))
    worker.send(f"{deed} sleep")
    assert worker.receive() is not None
    # The supervisor, the worker and its daemons.
    assert len(marked(mark)) == 2 + {"leave_daemon": 1, "leave_crowd": 15}[deed]
    with pytest.raises(TimeIsUp):
        worker.receive(0.2)
    began = time.monotonic()
    worker.kill()
    assert worker.receive() is None
    assert worker.finish() == -signal.SIGKILL
    assert time.monotonic() - began < PATIENCE / 2
    assert marked(mark) == []


def test_a_supervisor_that_is_stopped_is_no_shelter(
    mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "ENDING", 0.3)
    worker = Child(WORKER, environment(mark))
    worker.send("stop_parent sleep")
    assert worker.receive() is not None
    assert worker.finish(0) is None
    assert marked(mark) == []


def test_a_caller_that_is_killed_takes_everything_along(mark: str) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER], env=environment(mark), stdout=subprocess.PIPE, text=True
    )
    assert caller.stdout is not None
    with caller, caller.stdout as said:
        assert said.readline() == "progress\n"
        assert len(marked(mark)) == 3 + 15
        caller.kill()
    wait_until(lambda: marked(mark) == [])


def test_a_message_that_is_there_is_received_however_late(mark: str) -> None:
    worker = Child(WORKER, environment(mark))
    worker.send("leave_daemon sleep")
    wait_until(lambda: len(marked(mark)) == 3)
    time.sleep(0.2)
    assert worker.receive(0.0) is not None
    with pytest.raises(TimeIsUp):
        worker.receive(0.0)
    worker.finish(0)
    assert marked(mark) == []
