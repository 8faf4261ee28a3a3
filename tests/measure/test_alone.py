"""Whoever measures is alone on the machine; who works stands still meanwhile."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from harness.measure.alone import VARIABLE, AtWork


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))


@pytest.fixture
def start() -> Iterator[Callable[..., BaseProcess]]:
    """Begins a process, which is killed after the test."""
    begun = []

    def begin(act: Callable[..., None], *given: object) -> BaseProcess:
        process = multiprocessing.get_context("fork").Process(target=act, args=given)
        process.start()
        begun.append(process)
        return process

    yield begin
    for each in begun:
        each.kill()
        each.join()


def unheard(_: bool) -> None:
    """Wait without a word."""


def work(steps: Path, told: Path) -> None:
    """Do steps for ever, and tell when this process stands still and goes on."""

    def wait(begins: bool) -> None:
        with told.open("a") as file:
            file.write("stands " if begins else "goes ")

    at_work = AtWork()
    with at_work.begin():
        while True:
            with steps.open("a") as file:
                file.write(".")
            at_work.stand_aside(wait)
            time.sleep(0.001)


def grows(path: Path) -> None:
    """Wait until a file is longer than it is."""
    before = path.stat().st_size if path.exists() else 0
    deadline = time.monotonic() + 60
    while not path.exists() or path.stat().st_size <= before:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_who_works_stands_still_while_another_measures(
    tmp_path: Path, start: Callable[..., BaseProcess]
) -> None:
    files = [(tmp_path / f"steps{place}", tmp_path / f"told{place}") for place in range(2)]
    for steps, told in files:
        start(work, steps, told)
        grows(steps)
    mine, waits = AtWork(), list[bool]()
    with mine.begin():
        mine.stand_aside(waits.append)  # nobody measures
        assert waits == []
        for _ in range(3):
            with mine.alone(unheard), mine.alone(waits.append):
                mine.stand_aside(waits.append)  # a part of what is measured
                before = [steps.stat().st_size for steps, _ in files]
                time.sleep(0.05)
                assert [steps.stat().st_size for steps, _ in files] == before
            for steps, _ in files:
                grows(steps)
    assert waits == []
    for steps, told in files:
        grows(steps)
        assert set(told.read_text().split()) == {"stands", "goes"}


def test_who_waits_or_was_killed_keeps_nobody_from_measuring(
    tmp_path: Path, start: Callable[..., BaseProcess]
) -> None:
    killed = start(work, tmp_path / "steps", tmp_path / "told")
    grows(tmp_path / "steps")
    killed.kill()
    killed.join()
    waits, waiting, measuring = list[bool](), AtWork(), AtWork()
    with waiting.begin(), measuring.begin():
        waiting.leave()
        with measuring.alone(waits.append):
            assert waits == []
        waiting.rejoin()
    with waiting.begin(), measuring.alone(waits.append):
        pass  # it did not begin to work, and waits for nobody
    assert waits == []


def test_a_machine_that_takes_no_files_measures_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent"))
    at_work = AtWork()
    with at_work.begin(), at_work.alone(unheard):
        at_work.stand_aside(unheard)
        at_work.leave()
        at_work.rejoin()
