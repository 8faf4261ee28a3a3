"""Jobs on other machines: what they and their caller tell each other, whichever the engine."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RequestError
from harness.run.events import ProgressEvent
from harness.run.execute import exchange as exchange_module
from harness.run.execute import node, remote
from harness.run.execute.exchange import CALLER, Exchange, NodeRequest, open_exchange
from harness.run.execute.executor import Answer, StoppedError
from harness.run.execute.remote import RemoteExecutor, RemoteJob, import_engine
from harness.run.execute.subprocesses import LocalExecutor
from harness.run.job.spec import JobSpec
from tests.run.execute.conftest import NAME, marked
from tests.run.execute.elsewhere import EXAMPLE, Asked, job_of, table
from tests.run.execute.test_supervisor import wait_until
from tests.tiny import TinyBenchmark, make_tiny, metrics_of

DONE = Answer({"state": "done"}, "", "")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> JobSpec:
    """A job as it is planned; nothing of it is run."""
    return job_of(make_tiny(tmp_path_factory.mktemp("remote") / "own"))


@pytest.fixture
def exchange(job: JobSpec) -> Exchange:
    return open_exchange(NodeRequest(job=job, folder=Path.cwd(), orphan_seconds=60))


@dataclass
class Thread(RemoteExecutor):
    """An engine whose node is a thread of the test."""

    act: Callable[[Exchange], None] = lambda _: None
    status: Answer | None = None
    ends: list[threading.Thread] = field(default_factory=list)

    def start(self, job: RemoteJob) -> threading.Thread:
        self.seen = json.loads((job.folder / "request.json").read_text())
        made = threading.Thread(target=self.act, args=(Exchange(job.folder),))
        made.start()
        return made

    def ended(self, handle: threading.Thread) -> Answer | None:
        return None if handle.is_alive() else self.status or Answer(None, "its node is gone", "")

    def end(self, handle: threading.Thread) -> None:
        self.ends.append(handle)


def asked_of(engine: RemoteExecutor, job: JobSpec) -> tuple[Answer, list[ProgressEvent]]:
    events: list[ProgressEvent] = []
    answer = engine.ask(job, engine.slots[0], events.append)
    assert list((job.runs / "elsewhere").glob(f"{job.digest[:12]}-*")) == [], "nothing is left"
    return answer, events


def test_events_and_answer_reach_the_caller(job: JobSpec) -> None:
    def act(exchange: Exchange) -> None:
        exchange.tell(ProgressEvent("stage", "train", total=12))
        exchange.tell(ProgressEvent("advance", done=12, loss=0.5, job=job))
        exchange.give(DONE)

    engine = Thread("cpu", 1, act=act)
    answer, events = asked_of(engine, job)
    assert answer == DONE
    assert [(each.kind, each.done, each.loss) for each in events] == [
        ("stage", 0, None), ("advance", 12, 0.5),
    ]  # fmt: skip
    assert all(each.job == job for each in events)
    assert len(engine.ends) == 1


def test_a_node_that_is_gone_is_a_failure(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    lost = Answer(None, "its node \x1b[31mdied", "last words", "oom")
    answer, _ = asked_of(Thread("cpu", 1, status=lost), job)
    assert answer == Answer(None, "its node died", "last words", "oom")


def test_an_answer_that_comes_after_its_process_has_ended_counts(job: JobSpec) -> None:
    def act(exchange: Exchange) -> None:
        threading.Timer(0.5, exchange.give, [DONE]).start()

    assert asked_of(Thread("cpu", 1, act=act), job)[0] == DONE


def test_a_caller_that_stops_ends_its_jobs(job: JobSpec) -> None:
    over = threading.Event()
    engine = Thread("cpu", 1, act=lambda _: bool(over.wait(60)))  # type: ignore[arg-type]
    asked = Asked(engine, job)
    wait_until(lambda: hasattr(engine, "seen"))
    engine.stop()
    assert asked.ended() is None
    assert len(engine.ends) == 1
    over.set()
    with pytest.raises(StoppedError):
        engine.ask(job, "cpu", asked.events.append)


def test_a_node_that_outstays_its_time_is_ended(
    job: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "GRACE", 0.1)
    over = threading.Event()

    def act(exchange: Exchange) -> None:
        exchange.tell(ProgressEvent("stage", "train", total=12))
        over.wait(60)

    limits = job.limits.model_copy(update={"job_hours": 1e-6})
    answer, _ = asked_of(Thread("cpu", 1, act=act), job.model_copy(update={"limits": limits}))
    over.set()
    assert answer.state == "timeout"
    ended = "ended in 'train', 0 of 12 done"
    assert answer.why == f"took longer than 1e-06 hours (--job-hours): {ended}"


def test_a_node_gets_the_named_variables_and_no_secret(
    job: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_TOKEN", "hf-0123456789")
    monkeypatch.setenv("HARNESS_DATA", "/data")
    monkeypatch.setenv("OF_MINE", "1")
    engine = Thread("cpu", 1, ("OF_MINE", "NOT_SET"), act=lambda exchange: exchange.give(DONE))
    asked_of(engine, job)
    given = engine.seen["environment"]
    assert given.items() >= {"HARNESS_DATA": "/data", "OF_MINE": "1"}.items()
    assert "hf-0123456789" not in json.dumps(engine.seen)
    with pytest.raises(RequestError, match="HUB_TOKEN looks like a secret"):
        Thread("cpu", 1, ("HUB_TOKEN",))


def test_each_submitted_job_has_a_card_of_its_own() -> None:
    assert Thread("cuda", 3).slots == ("cuda:0", "cuda:1", "cuda:2")
    assert Thread("cpu", 2).slots == ("cpu", "cpu")


def test_what_a_dead_node_cut_off_is_passed_over(exchange: Exchange) -> None:
    exchange.tell(ProgressEvent("stage", "train", total=12))
    with (exchange.folder / "events.jsonl").open("a") as file:
        file.write('{"kind": "adv')
    assert [each.kind for each in exchange.events()] == ["stage"]
    with (exchange.folder / "events.jsonl").open("a") as file:
        file.write("\n")
    exchange.tell(ProgressEvent("advance", done=3))
    assert [each.done for each in exchange.events()] == [3]
    assert exchange.events() == []


def test_the_folders_of_killed_callers_go_some_day(job: JobSpec, exchange: Exchange) -> None:
    asked = NodeRequest(job=job, folder=Path.cwd(), orphan_seconds=60)
    second = open_exchange(asked)
    assert exchange.folder.exists()
    old = time.time() - exchange_module.FORGOTTEN - 60
    os.utime(exchange.folder / CALLER, (old, old))
    open_exchange(asked)
    assert not exchange.folder.exists()
    assert second.folder.exists()


def test_a_node_ends_its_job_once_the_caller_is_silent(exchange: Exchange, job: JobSpec) -> None:
    executor = LocalExecutor("cpu", 1)
    arguments = (exchange, 0.4, executor)
    watching = threading.Thread(target=node._end_without_caller, args=arguments)
    watching.start()
    for _ in range(8):
        exchange.beat()
        time.sleep(0.1)
    assert watching.is_alive(), "the caller was there"
    watching.join(timeout=30)
    with pytest.raises(StoppedError):
        executor.ask(job, "cpu", print)


def test_a_node_unlike_the_planning_machine_runs_nothing(job: JobSpec) -> None:
    assert job.environment is not None
    elsewhere = job.environment.model_copy(update={"processor": "a faster one"})
    asked = NodeRequest(
        job=job.model_copy(update={"environment": elsewhere}), folder=Path.cwd(), orphan_seconds=60
    )
    exchange = open_exchange(asked)
    before = Path.cwd()
    node.run(exchange.folder)
    assert Path.cwd() == before
    answer = exchange.answer()
    assert answer is not None
    assert answer.result is None
    assert f"processor: {job.environment.processor} is not a faster one" in answer.why
    assert "give the command on one of them" in answer.why


V2 = ("0::/user/job\n", "user/job/memory.events", "low 0\noom 2\noom_kill 2\noom_group_kill 0\n")
V1 = ("4:memory:/job\n0::/\n", "memory/job/memory.oom_control", "under_oom 0\noom_kill 1\n")
INSIDE = ("4:memory:/docker/7f\n0::/\n", "memory/memory.oom_control", "under_oom 0\noom_kill 3\n")


@pytest.mark.parametrize(("own", "file", "text"), [V2, V1, INSIDE])
def test_kills_for_lack_of_memory_are_counted(
    tmp_path: Path, own: str, file: str, text: str
) -> None:
    """The files are those of Linux's control groups, of both versions (cgroups(7))."""
    (tmp_path / "own").write_text(own)
    place = tmp_path / "groups" / file
    place.parent.mkdir(parents=True)
    place.write_text(text)
    wanted = int(text.partition("oom_kill ")[2].split()[0])
    assert node.memory_kills(tmp_path / "groups", tmp_path / "own") == wanted
    assert node.memory_kills(tmp_path / "groups", tmp_path / "absent") == 0


def test_an_engine_that_is_not_installed_names_its_extra() -> None:
    wanted = r"--executor ray: no_such_ray is not installed: pip install 'trialboard\[ray\]'"
    with pytest.raises(RequestError, match=wanted):
        import_engine("no_such_ray", "ray")


@pytest.fixture
def prefixed(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    from my_executors import Prefixed

    yield Prefixed
    sys.modules.pop("my_executors")


@pytest.mark.long
def test_a_job_whose_caller_is_gone_ends(
    tiny: TinyBenchmark, prefixed: Any, mark: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The caller stands still; its processes are all that is left, and then they are not."""
    tiny.forget("tiny", 7)
    monkeypatch.setattr(remote, "BEAT", 3600.0)
    monkeypatch.setenv("TINY_GATE", f"{tmp_path / 'gate'}:3")
    monkeypatch.setenv(NAME, mark)
    engine = prefixed("cpu", 1, orphan_seconds=20.0, prefix=("env",))
    asked = Asked(engine, job_of(tiny))
    monkeypatch.delenv(NAME)
    asked.wait((tmp_path / "gate").exists)
    answer = asked.ended()
    assert answer is not None
    assert answer.why == "env ended with 0"
    assert marked(mark) == []


@pytest.mark.long
def test_a_job_behind_another_command_has_the_same_result(
    tiny: TinyBenchmark, prefixed: Any
) -> None:
    unbroken = metrics_of(tiny.record("tiny", 7))
    tiny.forget("tiny", 7)
    answer = Asked(prefixed("cpu", 1, prefix=("nice",)), job_of(tiny)).ended()
    assert answer is not None
    assert answer.result is not None, answer
    assert metrics_of(answer.result) == unbroken


def test_a_table_is_read_as_its_class_says() -> None:
    found = table(**{"class": "my:Own", "hours": 3})
    assert (found.import_path, found.fields) == ("my:Own", {"hours": 3})
