"""Jobs that fail are rows that say why; the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tiny import Finished, TinyBenchmark, finished_tiny, metrics_of

FAULTY = ("run", "--suite", "faulty", "--device", "cpu", "--workers", "2", "--json")
MODELS = ("nan", "raise", "die", "noise", "tiny")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyBenchmark, Finished]:
    tiny = finished_tiny(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("faulty") / "own")
    models = [word for name in MODELS for word in ("--model", name)]
    return tiny, tiny.run(*FAULTY, *models)


@pytest.fixture(scope="module")
def rows(faulty: tuple[TinyBenchmark, Finished]) -> dict[str, dict[str, Any]]:
    (table,) = faulty[1].json["tables"]
    return {row["model"]: row for row in table["rows"]}


def test_the_call_says_that_something_failed(faulty: tuple[TinyBenchmark, Finished]) -> None:
    assert faulty[1].status == 1


def test_a_dataset_that_is_absent_is_listed(faulty: tuple[TinyBenchmark, Finished]) -> None:
    (absent,) = faulty[1].json["absent"]
    assert absent["dataset"] == "elsewhere"
    assert absent["source"] == "https://example.org/elsewhere"


@pytest.mark.parametrize(
    ("model", "state", "reason"),
    [
        ("nan", "failed", "loss became nan at step 5"),
        ("raise", "failed", "ValueError: the layer is out of order"),
        ("die", "failed", "its process was ended by SIGKILL"),
    ],
)
def test_a_job_that_fails_is_a_row(
    rows: dict[str, dict[str, Any]], model: str, state: str, reason: str
) -> None:
    assert rows[model]["state"] == state
    assert rows[model]["reason"].startswith(reason)
    assert rows[model]["metrics"] == {}


@pytest.mark.long
def test_a_job_without_memory_is_a_row(faulty: tuple[TinyBenchmark, Finished]) -> None:
    done = faulty[0].run(*FAULTY, "--model", "memory", "--dataset", "voices")
    assert done.status == 1, done.err
    (row,) = [row for row in done.json["tables"][0]["rows"] if row["model"] == "memory"]
    assert row["state"] == "oom"
    assert row["reason"].startswith("out of memory in training at batch 8 of 0.5 s crops: ")
    assert row["metrics"] == {}


@pytest.mark.parametrize("model", ["tiny", "noise", "MFCC statistics"])
def test_the_others_go_on(rows: dict[str, dict[str, Any]], model: str) -> None:
    assert rows[model]["state"] == "done"
    assert 0 < rows[model]["metrics"]["eer"]["value"] < 0.5


def test_what_a_library_prints_disturbs_nothing(
    faulty: tuple[TinyBenchmark, Finished], rows: dict[str, dict[str, Any]]
) -> None:
    tiny, done = faulty
    assert "says hello" not in done.out
    assert metrics_of(tiny.record("noise")) == metrics_of(tiny.record("tiny", suite="own"))


def test_a_suite_takes_over_what_another_trained(faulty: tuple[TinyBenchmark, Finished]) -> None:
    own, here = (faulty[0].record("tiny", suite=suite) for suite in ("own", "faulty"))
    assert own["stages"]["train"] == here["stages"]["train"]


def test_a_worker_that_raised_leaves_its_traceback(faulty: tuple[TinyBenchmark, Finished]) -> None:
    log = (faulty[0].record_path("raise").parent / "errors.log").read_text()
    assert "Traceback" in log
    assert "in struck" in log


def test_the_next_call_tries_again_and_keeps_the_first_attempt(
    faulty: tuple[TinyBenchmark, Finished],
) -> None:
    tiny, _ = faulty
    folder = tiny.record_path("nan").parent
    first = (folder / "attempt-1.json").read_bytes()
    again = tiny.run(*FAULTY, "--model", "nan", "--dataset", "voices")
    assert (again.status, again.json["ran"]) == (1, 1), again.err
    assert (folder / "attempt-1.json").read_bytes() == first
    assert (folder / "attempt-2.json").read_bytes() == (folder / "record.json").read_bytes()
    assert tiny.record("nan")["attempt"] == 2
    assert tiny.record("nan")["reason"] == "loss became nan at step 5"
