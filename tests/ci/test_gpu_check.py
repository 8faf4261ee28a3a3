"""The check of a card, dry on the processor: what can be done there, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.board.published_copy import ROOT
from tests.test_memory_page import measured
from tests.tiny import make_tiny

HARNESS = Path(sys.executable).with_name("harness")

PLAYED = """#!/usr/bin/env bash
echo "$*" >>"$PREPARED/calls"
[[ $1 == measure ]] && cat "$PREPARED/measured.json"
[[ $* == *"$BREAKS"* ]] && echo "no memory left" >&2 && exit 1
sleep "$TAKES"
"""


def check(folder: Path, sections: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run sections of the check on the processor, with a command in place of the harness."""
    played = folder / "harness"
    if not played.exists():
        played.write_text(PLAYED)
        played.chmod(0o755)
    settings = {
        "HARNESS": str(played),
        "PYTHON": sys.executable,
        "PREPARED": str(folder),
        "RUNS": str(folder / "runs"),
        "DEVICE": "cpu",
        "SECTIONS": sections,
        "BREAKS": "nothing",
        "TAKES": "0",
    }
    return subprocess.run(
        [ROOT / "ci" / "gpu_check.sh"],
        env=os.environ | settings | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_a_processor_can_answer(tmp_path: Path) -> None:
    done = check(tmp_path, "probe", CHECKS="out_of_memory joules")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok    [probe] ")
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["seen", "facts:"], ["ok", "out_of_memory:"],
    ]  # fmt: skip
    assert lines[-1].startswith("gpu_check: all as it should be, after ")
    assert not list((tmp_path / "runs").glob("gpu-check-*"))


def test_a_section_that_fails_costs_the_others_nothing(tmp_path: Path) -> None:
    (tmp_path / "measured.json").write_text(json.dumps(measured("A card", (16, 64))))
    done = check(tmp_path, "half speaker measure", BREAKS="clip_norm=5.0")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "WRONG [half] ended with 1: no memory left; see " in done.stdout
    calls = (tmp_path / "calls").read_text()
    assert "--set precision=16-mixed --set clip_norm=5.0" in calls
    assert "measure --suite speaker --profile quick --dataset open-26666 --device cpu" in calls
    assert "--model eres2net --batch 16 --batch 32 --batch 64" in calls
    # Told beside taken, at each batch, and on a page that may replace the published one.
    assert done.stdout.count("| +5.0%") == 2
    assert "A card" in (tmp_path / "runs" / "gpu-check" / "memory.md").read_text()
    assert "gpu_check: something is wrong" in done.stdout


def test_it_ends_in_time(tmp_path: Path) -> None:
    done = check(tmp_path, "speaker half", TAKES="60", LIMIT="4")
    assert done.returncode == 1
    assert "WRONG [speaker] not done after " in done.stdout
    assert "WRONG [half] not run: the 4 s are over" in done.stdout


def test_a_section_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = check(tmp_path, "prob")
    assert done.returncode == 2
    assert "no such section: prob; there are probe, " in done.stderr


@pytest.mark.long
def test_every_section_runs_dry_with_the_command_itself(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "own")
    own = tmp_path / "harness"
    own.write_text(f'#!/bin/sh\nexec "{HARNESS}" "$@" --config "{tiny.config}"\n')
    own.chmod(0o755)
    what = {"SUITE": "own", "DATASET": "voices", "RESUMED": "tiny", "MODELS": "tiny"}
    done = check(tmp_path, "speaker half resume measure", STEPS="600", BATCHES="4 6", **what)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    ended = [line.split()[1] for line in lines if line.startswith("ok    [")]
    parts = ("speaker", "half", "unbroken", "cut", "resumed", "measure", "memory")
    assert ended == [f"[{name}]" for name in parts]
    assert "ok    resume: cut off and resumed, tiny has the bits of an unbroken training" in lines
    log = tmp_path / "runs" / "gpu-check" / "measure.log"
    models = json.loads(log.read_text())["models"]
    assert [(each["state"], each["batch"]) for each in models] == [("done", 4), ("done", 6)]
