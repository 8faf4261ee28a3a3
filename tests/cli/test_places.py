"""Folders that cannot be written: what needs no writing works, and the rest says the mend."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.tiny import TinyBenchmark

SUITE = ("--suite", "own", "--loss", "aam", "--seeds", "0", "--device", "cpu")


class Command:
    """The command, in this process; nothing that it tells may be longer than a line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str | Path) -> tuple[int, str, str]:
        self._patch.setattr(sys, "argv", ["harness", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = self._capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    return Command(monkeypatch, capsys)


def spoil(path: Path) -> None:
    """Leave no way to take the lock of a file, not even for root."""
    place = path.with_name(f"{path.name}.lock")
    place.unlink(missing_ok=True)
    place.mkdir()


@pytest.mark.usefixtures("preloaded_workers")
def test_a_plan_needs_no_folder_of_results(harness: Command, tiny: TinyBenchmark) -> None:
    # Below a file nobody can write, not even root.
    nowhere = ("--config", tiny.config, "--runs", tiny.config / "runs")
    status, out, err = harness("plan", *SUITE, *nowhere, "--json")
    assert status == 0
    assert len(json.loads(out)["jobs"]) == 2
    assert "predictions of memory are not kept" in err

    status, out, err = harness("run", *SUITE, *nowhere)
    assert (status, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith(f"harness: {tiny.config}")
    assert "a part of this path is a file, not a folder; check the path" in last


def test_what_is_pinned_is_checked_where_the_lock_cannot_be_taken(
    harness: Command, tiny: TinyBenchmark
) -> None:
    spoil(tiny.folder / "benchmark.lock")
    places = ("--config", tiny.config, "--runs", tiny.runs)
    status, out, err = harness("data", "check", "voices", *places)
    assert status == 0, err
    assert "as locked" in out


def test_what_is_not_pinned_says_where_it_is_to_be(harness: Command, tiny: TinyBenchmark) -> None:
    lock = tiny.folder / "benchmark.lock"
    lock.unlink()
    spoil(lock)
    places = ("--config", tiny.config, "--runs", tiny.runs)
    status, out, err = harness("data", "check", "voices", *places, "--lists")
    assert (status, out) == (2, "")
    assert err.startswith(f"harness: {lock}: ")
    assert "voices/quick is not pinned there yet" in err
    assert "--config" in err
    assert len(err.splitlines()) == 1


def test_what_may_go_is_told_where_no_lock_can_be_taken(
    harness: Command, tiny: TinyBenchmark
) -> None:
    running = tiny.record_path("tiny").with_name("running")
    spoil(running)
    status, _, err = harness("runs", "gc", "--runs", tiny.runs)
    assert status == 0, err


@pytest.mark.parametrize(
    ("make", "mend"),
    [
        (lambda path: path.write_text(""), "is a file; --runs names a folder"),
        (lambda path: path.symlink_to(path), "its symbolic links lead in a circle"),
    ],
)
def test_a_folder_of_results_that_cannot_be_one_is_refused_at_once(
    harness: Command, tiny: TinyBenchmark, make: object, mend: str
) -> None:
    place = tiny.folder / "results"
    assert callable(make)
    make(place)
    status, out, err = harness("plan", *SUITE, "--config", tiny.config, "--runs", place)
    assert (status, out) == (2, "")
    assert err.startswith(f"harness: {place}: {mend}")


def test_a_path_that_jobs_cannot_be_told_is_refused(harness: Command, tiny: TinyBenchmark) -> None:
    place = tiny.folder / os.fsdecode(b"r\xff")
    status, _, err = harness("run", *SUITE, "--config", tiny.config, "--runs", place)
    assert status == 2
    assert "holds bytes that are no utf-8 text; choose another place" in err


def test_a_folder_of_the_packages_name_is_not_taken_for_the_package(
    harness: Command, tiny: TinyBenchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "harness").mkdir(parents=True)
    (tmp_path / "here" / "harness" / "__init__.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path / "here")
    folders = ("--config", tiny.config, "--runs", tmp_path / "runs")
    status, out, err = harness("plan", *SUITE, *folders, "--json")
    assert status == 0, err
    assert len(json.loads(out)["jobs"]) == 2
    assert "will fail" not in out
