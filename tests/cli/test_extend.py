"""`harness extend`: more training from a finished run, as a run of its own."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from harness.run.folder import run_rows
from harness.series.reading import read_series
from harness.train.training_progress import RESUME
from tests.tiny import PATIENCE, STEPS, TinyBenchmark, ended, is_alive, kill_group, metrics_of

MORE = 6


def extension(tiny: TinyBenchmark, *words: str, seed: int = 0) -> list[str]:
    run = tiny.record_path("tiny", seed).parent.relative_to(tiny.runs)
    return ["extend", str(run), *words]


def child_of(tiny: TinyBenchmark, name: str = f"extended-by-{MORE}-steps") -> dict[str, Any]:
    (path,) = tiny.runs.glob(f"own-quick/voices/tiny+aam+short-{name}/seed0-*/record.json")
    return dict(json.loads(path.read_text()))


def test_it_is_a_run_of_its_own_that_names_its_parent(tiny: TinyBenchmark) -> None:
    call, parent = extension(tiny, "--steps", str(MORE), "--json"), tiny.record("tiny", 0)
    done = tiny.run(*call)
    assert done.status == 0, done.err
    child = child_of(tiny)
    key = parent["stages"]["train"]["key"]
    assert child["stages"]["train"]["inputs"]["parent"] == {"train": key, "step": STEPS}
    assert child["stages"]["train"]["key"] != key
    assert child["track"] == "extended"
    assert child["selected_on"].endswith(f"of {STEPS + MORE}")
    (before,), (series,) = (read_series(tiny.stage(each, "train")) for each in (parent, child))
    assert series["Train/Loss"]["step"].tolist() == list(range(STEPS + 1, STEPS + MORE + 1))
    for name in ("Train/lr", "Train/margin", "Train/scale"):
        assert set(series[name]["value"]) == {before[name]["value"].iloc[-1]}
    assert series["Train/Loss"]["epoch"].is_monotonic_increasing
    assert series["Train/Loss"]["epoch"][0] > before["Train/Loss"]["epoch"].iloc[-1]
    # Both stand in the table, and the note of the one says where it comes from.
    table = (tiny.runs / "own-quick.md").read_text()
    assert f"goes on from the training {key[:12]} after its last step, {STEPS}" in table
    listed = run_rows(tiny.runs)
    parents = {row["run"].split("/")[2]: row["parent"] for row in listed if row["parent"]}
    assert parents == {f"tiny+aam+short-extended-by-{MORE}-steps": call[1]}
    again = tiny.run(*call)
    assert again.json["ran"] == 0


def test_one_that_is_killed_gives_what_a_quiet_one_gives(
    tiny: TinyBenchmark, tmp_path: Path
) -> None:
    cut, call = tiny.copy(tmp_path / "cut"), extension(tiny, "--steps", str(MORE))
    assert tiny.run(*call).status == 0
    gate = tmp_path / "gate"
    command = cut.start(*call, TINY_GATE=f"{gate}:{STEPS + 5}")
    deadline = time.monotonic() + PATIENCE
    while not (gate.exists() and gate.read_text()) and command.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert command.poll() is None, ended(command)
    worker = int(gate.read_text())
    kill_group(command, signal.SIGKILL)
    if is_alive(worker):
        os.kill(worker, signal.SIGKILL)
    ended(command)
    resumed = cut.run(*call)
    assert resumed.status == 0, resumed.err
    quiet, found = child_of(tiny), child_of(cut)
    assert found["artefacts"]["checkpoint"] == quiet["artefacts"]["checkpoint"]
    assert metrics_of(found) == metrics_of(quiet)
    (one,), (other,) = (read_series(t.stage(child_of(t), "train")) for t in (tiny, cut))
    for name in one.names:
        assert one[name]["value"].tolist() == other[name]["value"].tolist()
    assert [(each.kind, each.step) for each in other.marks if each.kind == "resume"] == [
        ("resume", STEPS + 4)
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give either --epochs or --steps"),
        (("--steps", "6", "--epochs", "1"), "give either --epochs or --steps"),
        (("--steps", "0"), "--steps"),
        (("--steps", "6", "--set", "steps=9"), "is said by --epochs or --steps"),
        (("--steps", "6", "--set", "optimizer.name=sgd"), "optimizer.name: the finished"),
        (("--steps", "6", "--set", "precision=bf16-mixed"), "precision: the finished"),
        (("--steps", "6", "--set", "lr=1"), "lr"),
    ],
)
def test_wrong_requests_are_refused(tiny: TinyBenchmark, words: tuple[str, ...], said: str) -> None:
    done = tiny.run(*extension(tiny, *words))
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_what_has_gone_or_changed_is_named(tiny: TinyBenchmark) -> None:
    call = extension(tiny, "--steps", str(MORE))
    baseline = next(path for path in tiny.runs.rglob("record.json") if "statistics" in str(path))
    done = tiny.run("extend", str(baseline), "--steps", "6")
    assert (done.status, "no finished training that could go on" in done.err) == (2, True)
    other = tiny.copy(tiny.folder.with_name("other"))
    other.edit("aam]\nadapter", "aam]\nscale = 16.0\nadapter")
    done = other.run(*call)
    assert (done.status, "losses.aam: its fields or its version" in done.err) == (2, True)
    (tiny.stage(tiny.record("tiny", 0), "train") / RESUME).unlink()
    done = tiny.run(*call)
    assert (done.status, "`harness runs gc` deleted it" in done.err) == (2, True)


def test_settings_give_it_a_schedule_of_its_own(tiny: TinyBenchmark) -> None:
    words = ("--epochs", "2", "--set", "learning_rate.shape=cosine", "--set", "optimizer.lr=0.002")
    done = tiny.run(*extension(tiny, *words))
    assert done.status == 0, done.err
    child = child_of(tiny, "extended-by-2-epochs-*")
    (series,) = read_series(tiny.stage(child, "train"))
    rates = series["Train/lr"]["value"].tolist()
    assert rates == sorted(rates, reverse=True)
    assert 0.001 < rates[0] < 0.002
    assert rates[-1] == pytest.approx(0.002 * 0.01)
