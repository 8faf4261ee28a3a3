"""`harness run` on a user's own benchmark, from the outside."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import Any

import pytest

from tests.tiny import (
    FIRST,
    PATIENCE,
    TinyBenchmark,
    finished_tiny,
    metrics_of,
    plain_environment,
)

ONE = (*FIRST[:6], "0", *FIRST[7:])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    """What the first call left; only read here."""
    return finished_tiny(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("first") / "own")


def test_standard_output_is_one_json_document(base: TinyBenchmark) -> None:
    document = json.loads((base.folder / "first.out").read_text())
    assert document["ran"] == 3
    (table,) = document["tables"]
    assert {row["model"] for row in table["rows"]} == {"MFCC statistics", "tiny"}
    assert next(row["seeds"] for row in table["rows"] if row["model"] == "tiny") == [0, 7]


def test_tables_lie_beside_the_records(base: TinyBenchmark) -> None:
    markdown = (base.runs / "own-quick.md").read_text()
    assert "EER" in markdown
    assert "tiny + aam" in markdown
    document = json.loads((base.runs / "own-quick.json").read_text())
    assert document["tables"][0]["suite"] == "own"


def test_the_record_of_a_job(base: TinyBenchmark) -> None:
    record = base.record("tiny")
    assert (record["schema"], record["state"], record["attempt"]) == (2, "done", 1)
    for metric in record["metrics"].values():
        assert set(metric) == {"value", "low", "high", "unit"}
    eer = record["metrics"]["eer"]
    assert 0 < eer["low"] < eer["value"] < eer["high"] < 1
    assert set(record["stages"]) == {"train", "evaluate", "measure"}
    assert record["resources"]["parameters"] == 48 * 8 + 8
    assert record["test_looks"] == 1


def test_another_seed_gives_other_numbers(base: TinyBenchmark) -> None:
    zero, seven = base.record("tiny", 0), base.record("tiny", 7)
    assert zero["metrics"]["eer"]["value"] != seven["metrics"]["eer"]["value"]


def test_a_second_call_runs_nothing_and_a_copied_folder_is_as_good(tiny: TinyBenchmark) -> None:
    before = {path: path.stat().st_mtime_ns for path in tiny.runs.rglob("*.json")}
    again = tiny.run(*FIRST)
    assert (again.status, again.json["ran"]) == (0, 0), again.err
    tables = {tiny.runs / "own-quick.json"}
    assert {path for path, made in before.items() if path.stat().st_mtime_ns != made} <= tables


def test_another_environment_measures_again_and_trains_nothing(tiny: TinyBenchmark) -> None:
    first = tiny.record("tiny")
    measured = tiny.run(*ONE, MALLOC_ARENA_MAX="2")
    assert (measured.status, measured.json["ran"]) == (0, 1), measured.err
    assert ": train (" not in measured.err
    paths = tiny.runs.glob("own-quick/voices/tiny+aam+short/seed0-*/record.json")
    records = [json.loads(path.read_text()) for path in paths]
    assert len(records) == 2
    for name, alike in (("train", True), ("evaluate", True), ("measure", False)):
        assert all((each["stages"][name] == first["stages"][name]) for each in records) is alike


def test_a_changed_protocol_evaluates_again_and_trains_nothing(tiny: TinyBenchmark) -> None:
    before = tiny.record("tiny")
    tiny.edit("trials = 200", "trials = 150")  # validation has 66 pairs: only test's list changes
    assert tiny.run(*ONE).status == 2
    _unpin_datasets(tiny)
    unraised = tiny.run(*ONE)
    assert unraised.status == 2
    assert "raise `protocol` of the suite" in unraised.err
    tiny.edit("protocol = 1", "protocol = 2")
    again = tiny.run(*ONE)
    assert again.status == 0, again.err
    assert ": train (" not in again.err
    (table,) = again.json["tables"]
    assert table["protocol"]["version"] == 2
    assert table["dataset"]["counts"]["test"]["trials"] == 150
    paths = tiny.runs.glob("own-quick/voices/tiny+aam+short/seed0-*/record.json")
    (after,) = [r for p in paths if (r := json.loads(p.read_text()))["protocol"]["version"] == 2]
    assert after["stages"]["train"] == before["stages"]["train"]
    assert after["stages"]["evaluate"]["key"] != before["stages"]["evaluate"]["key"]


def test_the_same_seed_gives_the_same_numbers_and_a_terminal_sees_the_progress(
    tiny: TinyBenchmark,
) -> None:
    theirs = tiny.forget("tiny", 0)
    status, out, seen = _on_a_terminal(tiny, *ONE)
    assert status == 0, seen
    ours = tiny.record("tiny")
    assert metrics_of(ours) == metrics_of(theirs)
    assert ours["artefacts"]["checkpoint"] == theirs["artefacts"]["checkpoint"]
    assert ours["left_one_out"] == theirs["left_one_out"]
    assert json.loads(out)["ran"] == 1
    for part in ("tiny + aam, seed 0: train", "/12", "[1/1]"):
        assert part in seen
    # A training of twelve steps may end between two looks at it.
    status, _, seen = _on_a_terminal(tiny, *ONE, "--set", "steps=600")
    assert status == 0, seen
    for part in ("/600", "loss ", "left"):
        assert part in seen
    assert seen.count("\x1b[?25h") == seen.count("\x1b[?25l"), "the cursor stays hidden"


def _on_a_terminal(tiny: TinyBenchmark, *words: str) -> tuple[int, str, str]:
    """Run a command whose standard error is a terminal: status, output, what was shown."""
    mine, theirs = pty.openpty()
    environment = {**plain_environment(), "TERM": "xterm-256color", "COLUMNS": "160"}
    with subprocess.Popen(
        tiny.command(*words), stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment
    ) as command:
        os.close(theirs)
        shown = b"".join(_read_all(mine))
        out, _ = command.communicate(timeout=PATIENCE)
    os.close(mine)
    return command.returncode, out, shown.decode(errors="replace")


def _read_all(terminal: int) -> Any:
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side has closed a terminal
            return
        yield part


def _unpin_datasets(tiny: TinyBenchmark) -> None:
    """Delete the dataset's entry in the lock, as the error says, keeping the protocols."""
    path = tiny.folder / "benchmark.lock"
    kept, skipping = [], False
    for line in path.read_text().splitlines():
        if line.startswith("["):
            skipping = line.startswith("[datasets")
        if not skipping:
            kept.append(line)
    path.write_text("\n".join(kept) + "\n")
