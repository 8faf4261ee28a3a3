"""A worker that begins as a copy is a process like one that begins empty, and computes the same."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from harness.run.execute import fork_server
from harness.run.execute.child import MARK, Child
from harness.run.execute.fork_server import ForkServer
from tests.places import ROOT
from tests.tiny import FIRST, ended, finished_tiny

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")

WORKER = "tests.run.execute.unruly_worker"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def server() -> Iterator[ForkServer]:
    server = ForkServer(MARK, loaded=())
    yield server
    server.close()


def is_copy(process: psutil.Process) -> bool:
    return any("fork_server" in word for word in process.cmdline())


def slept(worker: Child) -> list[psutil.Process]:
    """The supervisor and all below it, once the worker sleeps."""
    worker.send("leave_daemon sleep")
    assert worker.receive() is not None
    (supervisor,) = [
        each for each in psutil.Process().children() if each.environ().get(MARK) == worker.mark
    ]
    return [supervisor, *supervisor.children(recursive=True)]


def test_copies_are_children_of_the_caller_each_with_a_mark_of_its_own(server: ForkServer) -> None:
    workers = [Child(WORKER, ENVIRONMENT, server) for _ in range(2)]
    families = [slept(worker) for worker in workers]
    assert [len(family) for family in families] == [3, 3]
    assert all(is_copy(each) for family in families for each in family)
    for worker, family in zip(workers, families, strict=True):
        assert {each.environ()[MARK] for each in family} == {worker.mark}
        assert os.getpgid(family[0].pid) == family[0].pid
    workers[0].finish(0)
    assert not any(each.is_running() for each in families[0])
    assert all(each.is_running() for each in families[1])
    workers[1].finish(0)


def test_a_copy_holds_no_descriptor_but_its_own(server: ForkServer, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as mine:
        os.set_inheritable(mine.fileno(), True)
        worker = Child(WORKER, ENVIRONMENT, server)
        supervisor, process, *_ = slept(worker)
        held = [os.readlink(place) for place in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert {name.partition(":")[0] for name in held} == {"/dev/null", "pipe"}
        # Nothing is read, one pipe takes both streams, and the channel has two.
        assert len({name for name in held if name.startswith("pipe")}) == 3
        assert supervisor.num_fds() == 5  # the lifeline, the streams, and what wakes it up
        worker.finish(0)


def test_a_worker_with_other_variables_begins_empty(server: ForkServer) -> None:
    Child(WORKER, ENVIRONMENT, server).finish(0)
    worker = Child(WORKER, {**ENVIRONMENT, "OMP_NUM_THREADS": "7"}, server)
    family = slept(worker)
    assert not any(is_copy(each) for each in family)
    worker.finish(0)


def test_without_a_server_workers_begin_empty(server: ForkServer) -> None:
    Child(WORKER, ENVIRONMENT, server).finish(0)
    (process,) = [each for each in psutil.Process().children() if is_copy(each)]
    process.send_signal(signal.SIGKILL)
    worker = Child(WORKER, ENVIRONMENT, server)
    assert not any(is_copy(each) for each in slept(worker))
    worker.finish(0)
    assert not process.is_running()


def test_where_orphans_cannot_be_adopted_workers_begin_empty(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "adoption", nullcontext)
    worker = Child(WORKER, ENVIRONMENT, server)
    assert not any(is_copy(each) for each in slept(worker))
    worker.finish(0)


def test_a_server_that_is_closed_while_it_loads_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / "never_loaded.py").write_text("import time\ntime.sleep(600)\n")
    found = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))}
    server, workers = ForkServer(MARK, ("never_loaded",)), list[Child]()
    starting = threading.Thread(target=lambda: workers.append(Child(WORKER, found, server)))
    starting.start()
    while not any(is_copy(each) for each in psutil.Process().children()):
        time.sleep(0.01)
    server.close()
    starting.join()
    assert not any(is_copy(each) for each in slept(workers[0]))
    workers[0].finish(0)


def test_a_job_gives_the_same_as_a_copy(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its first run measured its costs, which is done by a process that begins empty."""
    tiny = finished_tiny(tmp_path_factory.getbasetemp(), tmp_path / "own")
    before = tiny.forget("tiny", 0)
    gate = tmp_path / "gate"
    running = tiny.start(*FIRST, TINY_GATE=f"{gate}:3")
    process = _stood_still(gate)
    assert is_copy(process)
    gate.unlink()
    done = ended(running)
    assert done.status == 0, done.err
    after = tiny.record("tiny", 0)
    for record in (before, after):
        del record["artefacts"]["series"]  # has the time of every step
    for name in ("metrics", "artefacts", "selected_on", "notes"):
        assert after[name] == before[name]


def _stood_still(gate: Path) -> psutil.Process:
    while not gate.exists() or not gate.read_text():
        time.sleep(0.01)
    return psutil.Process(int(gate.read_text()))
