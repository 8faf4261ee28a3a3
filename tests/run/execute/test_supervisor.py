"""Whatever a worker does to its processes, nothing of it is left when its caller is through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from harness.run.execute import child as child_module
from harness.run.execute.child import MARK, Child, TimeIsUp
from harness.run.execute.fork_server import ForkServer
from tests.places import ROOT
from tests.run.execute.conftest import marked

WORKER = "tests.run.execute.unruly_worker"
PATIENCE = 30.0

UNRULY = ("leave_daemon", "leave_crowd", "crash", "kill_group", "kill_parent")
"""Deeds of the worker, with processes that it leaves behind."""

CALLER = f"""
import os, sys, time
from harness.run.execute.child import MARK, Child
from harness.run.execute.fork_server import ForkServer
child = Child({WORKER!r}, os.environ, ForkServer(MARK, ()) if "forked" in sys.argv else None)
child.send("leave_crowd sleep")
print(child.receive()["event"], child.mark, flush=True)
time.sleep(600)
"""

WAYS = ["from nothing", "forked"]
"""How a worker begins."""

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer(MARK, loaded=())
    yield server
    server.close()


@pytest.fixture(params=WAYS)
def start(request: pytest.FixtureRequest) -> Callable[[], Child]:
    """Starts a worker from nothing, or as a copy."""
    if request.param == "from nothing":
        return lambda: Child(WORKER, ENVIRONMENT)
    if sys.platform != "linux":
        pytest.skip("workers are forked on Linux alone")
    server: ForkServer = request.getfixturevalue("server")
    return lambda: Child(WORKER, ENVIRONMENT, server)


def processes(worker: Child) -> list[psutil.Process]:
    return marked(worker.mark, MARK)


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


@pytest.mark.parametrize("deed", UNRULY)
def test_what_a_worker_leaves_behind_is_ended_with_it(
    start: Callable[[], Child], deed: str
) -> None:
    worker = start()
    worker.send(f"{deed} end")
    while worker.receive() is not None:
        pass
    status = worker.finish()
    assert status == {"crash": -signal.SIGSEGV, "kill_group": -signal.SIGKILL,
                      "kill_parent": -signal.SIGKILL}.get(deed, 0)  # fmt: skip
    wait_until(lambda: processes(worker) == [])


@pytest.mark.parametrize("deed", ["leave_daemon", "leave_crowd"])
def test_a_worker_that_goes_on_is_ended_with_all_its_processes(
    start: Callable[[], Child], deed: str
) -> None:
    worker = start()
    worker.send(f"{deed} sleep")
    assert worker.receive() is not None
    # The supervisor, the worker and its daemons.
    assert len(processes(worker)) == 2 + {"leave_daemon": 1, "leave_crowd": 15}[deed]
    with pytest.raises(TimeIsUp):
        worker.receive(0.2)
    began = time.monotonic()
    worker.kill()
    assert worker.receive() is None
    assert worker.finish() == -signal.SIGKILL
    assert time.monotonic() - began < PATIENCE / 2
    assert processes(worker) == []


def test_a_supervisor_that_is_stopped_is_no_shelter(
    start: Callable[[], Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "ENDING", 0.3)
    worker = start()
    worker.send("stop_parent sleep")
    assert worker.receive() is not None
    assert worker.finish(0) is None
    assert processes(worker) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_caller_that_is_killed_takes_everything_along(way: str) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, way], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert caller.stdout is not None
    with caller, caller.stdout as said:
        event, mark = said.readline().split()
        assert event == "progress"
        assert len(marked(mark, MARK)) == 2 + 15
        servers = psutil.Process(caller.pid).children()
        caller.kill()
    wait_until(lambda: marked(mark, MARK) == [])
    wait_until(lambda: not any(each.is_running() for each in servers))


def test_a_message_that_is_there_is_received_however_late(start: Callable[[], Child]) -> None:
    worker = start()
    worker.send("leave_daemon sleep")
    wait_until(lambda: len(processes(worker)) == 3)
    time.sleep(0.2)
    assert worker.receive(0.0) is not None
    with pytest.raises(TimeIsUp):
        worker.receive(0.0)
    worker.finish(0)
    assert processes(worker) == []
