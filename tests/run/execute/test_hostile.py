"""Adapters that end, crash, flood or confuse the process they run in, by the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hostile import add_hostile, add_models, hostile, imported
from tests.tiny import Finished, TinyBenchmark, make_tiny, plain_environment

REFUSED = {
    "raises": imported("raises_on_import"),
    "ends": imported("ends_on_import"),
    "unmade": hostile("made", "exit"),
}
AT_WORK = {
    "exits": hostile("build", "exit"),
    "babbles": hostile("forward", "garbage"),
    "noisy": hostile("always", "noise"),
}
REASONS = {
    "raises": "importing 'raises_on_import' failed: RuntimeError: not on this machine",
    "ends": "importing ends_on_import: its process ended with status 0",
    "unmade": "making hostile_models:Hostile: its process ended with status 0",
    "exits": "its process ended with status 0",
    "babbles": "that are no message",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    made = make_tiny(tmp_path_factory.mktemp("hostile") / "own")
    add_hostile(made)
    add_models(made, "hostile", {**REFUSED, **AT_WORK})
    measured = {"crashes": hostile("build", "crash"), "ended": imported("ends_on_import")}
    add_models(made, "crashing", measured)
    return made


@pytest.fixture(scope="module")
def planned(tiny: TinyBenchmark) -> Finished:
    """Of those that work, one is timed: it prints all the time."""
    models = [word for name in (*REFUSED, "noisy") for word in ("--model", name)]
    return tiny.run("plan", "--suite", "hostile", "--device", "cpu", "--json", *models)


@pytest.fixture(scope="module")
def ran(tiny: TinyBenchmark, planned: Finished) -> Finished:
    assert planned.status == 0, planned.err
    return tiny.run("run", "--suite", "hostile", "--device", "cpu", "--workers", "2", "--json")


def rows(done: Finished) -> dict[str, dict[str, Any]]:
    (table,) = done.json["tables"]
    return {row["model"]: row for row in table["rows"]}


def test_a_plan_lists_every_job_and_says_which_will_fail(planned: Finished) -> None:
    jobs = {job["model"]: job["stages"]["train"] for job in planned.json["jobs"]}
    assert set(jobs) == {"MFCC statistics", *REFUSED, "noisy"}
    for name in REFUSED:
        assert jobs[name]["state"] == "to run"
        assert REASONS[name] in jobs[name]["why"]
    assert jobs["noisy"]["why"] == "never run"


@pytest.mark.parametrize("name", sorted(REASONS))
def test_each_is_a_row_with_its_reason(ran: Finished, name: str) -> None:
    assert ran.status == 1, ran.err
    row = rows(ran)[name]
    assert row["state"] == "failed"
    assert REASONS[name] in row["reason"]


@pytest.mark.parametrize("name", ["noisy", "MFCC statistics"])
def test_the_others_go_on(ran: Finished, name: str) -> None:
    assert rows(ran)[name]["state"] == "done"


def test_what_they_print_reaches_nobody(planned: Finished, ran: Finished) -> None:
    for done in (planned, ran):
        assert "loud" not in done.out + done.err
        assert "\x1b" not in done.out + done.err
        assert len(done.err) < 2**16


def test_a_network_that_crashes_is_not_measured_and_says_so(tiny: TinyBenchmark) -> None:
    done = tiny.run("measure", "--suite", "crashing", "--device", "cpu", "--json",
                    "--model", "crashes", "--model", "ended")  # fmt: skip
    assert done.status == 1, done.err
    reasons = {each["model"]: each["reason"] for each in done.json["models"]}
    assert reasons["crashes"] == "its process was ended by SIGSEGV"
    assert REASONS["ends"] in reasons["ended"]


def test_a_checkpoint_of_a_network_that_ends_its_process(tiny: TinyBenchmark) -> None:
    path = tiny.folder / "weights.pt"
    torch.save({"layer.weight": torch.zeros(8, 48)}, path)
    done = tiny.run("evaluate", "--suite", "hostile", "--device", "cpu", "--json", "--model",
                    "exits", "--checkpoint", str(path), "--dataset", "voices")  # fmt: skip
    assert done.status == 1, done.err
    assert rows(done)["exits"]["reason"].startswith(REASONS["exits"])
    assert rows(done)["MFCC statistics"]["state"] == "done"


def test_the_doctor_names_what_does_not_work(tiny: TinyBenchmark) -> None:
    done = without_runs(tiny, "doctor", "--json")
    findings = {each["about"]: each for each in done.json["findings"]}
    for name in REFUSED:
        assert findings[f"model {name}"]["state"] == "missing"
        assert REASONS[name] in findings[f"model {name}"]["text"]
    assert findings["model noisy"]["state"] == "ok"


LOUD = """
import os
from harness.data.corpora.speech_manifest import SpeechManifest

os.write(1, b"loud: from a C library\\n")
print("loud: from Python")
if os.environ.get("LOUD_EXITS"):
    raise SystemExit(0)


class Loud(SpeechManifest):
    pass
"""


def test_what_a_reader_prints_in_the_callers_process_is_no_result(tmp_path: Path) -> None:
    own = make_tiny(tmp_path / "own")
    (own.folder / "loud_reader.py").write_text(LOUD)
    own.edit(
        '"harness.data.corpora.speech_manifest:SpeechManifest"\ntitle', '"loud_reader:Loud"\ntitle'
    )
    listed = without_runs(own, "data", "list", "--json")
    assert listed.status == 0, listed.err
    assert listed.json["datasets"][0]["name"] == "voices"
    assert listed.err.count("loud: from") == 2
    refused = without_runs(own, "data", "list", "--json", LOUD_EXITS="1")
    assert (refused.status, refused.out) == (1, "")
    assert "importing 'loud_reader' failed: it ended its process by sys.exit(0)" in refused.err


def without_runs(tiny: TinyBenchmark, *words: str, **environment: str) -> Finished:
    """Run a command that takes no runs folder."""
    command = tiny.command(*words)
    done = subprocess.run(
        command[: command.index("--runs")],
        capture_output=True, text=True, check=False, env={**plain_environment(), **environment},
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr)


def test_checking_a_datasets_files_asks_what_models_need_elsewhere(tiny: TinyBenchmark) -> None:
    done = tiny.run("data", "check", "voices", "--json")
    assert done.status == 0, done.err
    assert done.json["dataset"] == "voices"
    assert "loud" not in done.err
