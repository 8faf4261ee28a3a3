"""`harness watch`: of a real training, on a terminal and off it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.cli import main
from tests.tiny import FIRST, PATIENCE, STEPS, TinyBenchmark, ended, plain_environment

AGAIN = (*FIRST[:6], "7", *FIRST[7:])
TITLE = "voices: tiny + aam, short, seed 7"


def watched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[str, str]:
    monkeypatch.setattr(sys, "argv", ["harness", "watch", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    assert ended.value.code == (2 if "harness: " in shown.err else 0), shown.err
    return shown.out, shown.err


def test_a_training_is_watched_to_its_end(
    tiny: TinyBenchmark,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tiny.forget("tiny", 7)
    gate = tmp_path / "gate"
    command = tiny.start(*AGAIN, TINY_GATE=f"{gate}:10")
    deadline = time.monotonic() + PATIENCE
    while not (gate.exists() and gate.read_text()) and command.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert command.poll() is None, ended(command)

    document = json.loads(watched(monkeypatch, capsys, "--once", "--json", "--runs", tiny.runs)[0])
    (training,) = document["trainings"]
    assert (training["training"], training["state"]) == (TITLE, "runs")
    # The ninth step waits for a flush, unless it took long.
    assert training["step"] in (8, 9)
    assert training["last_step"] == STEPS
    assert training["values"]["Test/eer"]["step"] == STEPS // 2
    line, _ = watched(monkeypatch, capsys, "--once", "--runs", tiny.runs)
    assert line.startswith(f"{TITLE}: runs, step {training['step']} of {STEPS}, epoch")
    assert f"Test at step {STEPS // 2}: eer" in line

    threading.Timer(0.5, gate.unlink).start()
    lines, _ = watched(monkeypatch, capsys, "seed 7", "--every", "0.1", "--runs", tiny.runs)
    assert f"{TITLE}: done, step {STEPS} of {STEPS}" in lines.splitlines()[-1]
    assert ended(command).status == 0


def test_on_a_terminal_there_is_one_table_that_changes(tiny: TinyBenchmark) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-c", "from harness.cli import main; main()"]
    done = subprocess.Popen(
        [*command, "watch", "seed 0", "--runs", str(tiny.runs)],
        stdout=follower, stderr=follower, env={**plain_environment(), "TERM": "xterm"},
    )  # fmt: skip
    assert done.wait(PATIENCE) == 0
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "latest values" in shown
    assert "tiny + aam, short, seed 0" in shown.replace("\r\n", " ")


def test_nothing_to_watch_is_said(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watched(monkeypatch, capsys, "--runs", tiny.runs) == (
        "", f"no training runs under {tiny.runs}\n",
    )  # fmt: skip
    assert "give --once too" in watched(monkeypatch, capsys, "--json", "--runs", tiny.runs)[1]
    assert "no such training" in watched(monkeypatch, capsys, "nobody", "--runs", tiny.runs)[1]
