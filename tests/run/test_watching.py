"""Trainings watched from outside: while they run, when they resume, and as they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import RequestError
from harness.records.lease import Lease, take_lease
from harness.run.job.results import INPUTS, RESULT
from harness.run.watching import IDLE_LOOKS, Watcher, follow
from harness.series.latest import LatestValues
from harness.series.series_file import SeriesWriter

MADE = {"dataset": {"name": "voices"}, "model": {"name": "tiny"}, "loss": {"name": "aam"}}


def a_training(runs: Path, key: str, seed: int = 0) -> Path:
    folder = runs / "stages" / f"train-{key}"
    folder.mkdir(parents=True)
    (folder / INPUTS).write_text(json.dumps({**MADE, "seed": seed}))
    return folder


def written(folder: Path, steps: range, resumed: int = 0) -> None:
    """Half a second a step; the loss of a step is its number."""
    writer = SeriesWriter(folder, {"last_step": "100"}, resumed, lambda step: step / 10)
    for step in steps:
        values = {"Train/Loss": float(step)} | ({"Test/eer": 0.25} if step % 4 == 0 else {})
        writer.add(step, step / 2, values)
    writer.flush()


def leased(folder: Path) -> Lease:
    lease = take_lease(folder)
    assert lease
    return lease


def test_values_are_read_as_they_are_added(tmp_path: Path) -> None:
    latest = LatestValues(tmp_path)
    assert not latest.update()
    written(tmp_path, range(1, 7))
    assert latest.update()
    assert latest.values == {"Train/Loss": (6, 6.0), "Test/eer": (4, 0.25)}
    assert (latest.step, latest.epoch, latest.last_step) == (6, 0.6, 100)
    assert latest.steps_per_second == pytest.approx(2)
    assert latest.seconds_left == pytest.approx(47)
    assert not latest.update()
    with (tmp_path / "series.jsonl").open("a") as file:
        file.write('{"step": 7, "epoch": 0.7, "sec')  # half of a line is left for the next look
        file.flush()
        assert not latest.update()
        file.write('onds": 4.5, "values": {"Train/Loss": 9.0}}\n{"mark": "chosen", "step": 7}\n')
    assert latest.update()
    assert latest.values["Train/Loss"] == (7, 9.0)


def test_a_series_that_was_cut_back_is_read_anew(tmp_path: Path) -> None:
    latest = LatestValues(tmp_path)
    written(tmp_path, range(1, 9))
    latest.update()
    written(tmp_path, range(6, 7), resumed=5)
    assert latest.update()
    assert latest.values == {"Train/Loss": (6, 6.0), "Test/eer": (4, 0.25)}


def test_what_runs_is_found_and_followed_to_its_end(tmp_path: Path) -> None:
    one, stopped = a_training(tmp_path, "aaaa"), a_training(tmp_path, "bbbb", 1)
    written(one, range(1, 5))
    shown: list[list[tuple[str, str, int]]] = []
    watcher, waits = Watcher(tmp_path), 0

    def wait() -> None:
        nonlocal waits
        waits += 1
        if waits == 1:
            written(one, range(3, 8), resumed=2)
        elif waits == 2:
            (one / RESULT).write_text("{}")
            held.pop().release()
            held.append(leased(tmp_path / "a" / "b" / "c" / "d"))  # it is evaluated now
        elif waits == 3:
            held.pop().release()

    held = [leased(one)]
    follow(
        watcher,
        lambda found: shown.append([(e.title, e.state, e.latest.step) for e in found]),
        wait,
    )
    title = "voices: tiny + aam, seed 0"
    assert shown[:3] == [[(title, "runs", 4)], [(title, "runs", 7)], [(title, "done", 7)]]
    assert waits == 2 + IDLE_LOOKS
    assert [each.state for each in Watcher(tmp_path, ["seed 1"]).look()] == ["stopped"]
    assert not Watcher(tmp_path).goes_on()
    assert not Watcher(tmp_path).look()
    assert stopped.exists()


def test_a_title_names_the_recipe_as_soon_as_the_series_does(tmp_path: Path) -> None:
    folder = a_training(tmp_path, "aaaa")
    (training,) = Watcher(tmp_path, ["seed 0"]).look()
    assert training.title == "voices: tiny + aam, seed 0"
    writer = SeriesWriter(folder, {"entry": "tiny+aam+long-one-seed0"}, 0, lambda step: step / 10)
    writer.add(1, 0.5, {"Train/Loss": 1.0})
    writer.flush()
    training.latest.update()
    assert training.title == "voices: tiny + aam, long-one, seed 0"
    assert [each.folder for each in Watcher(tmp_path, ["long-one"]).look()] == [folder]


def test_trainings_are_asked_for_by_title_key_or_folder(tmp_path: Path) -> None:
    folders = [a_training(tmp_path, key, seed) for seed, key in enumerate(("aaaa", "bbbb"))]
    for text, meant in (
        ("tiny + aam", folders), ("seed 1", folders[1:]), ("aaa", folders[:1]),
        (str(folders[1]), folders[1:]),
    ):  # fmt: skip
        assert [each.folder for each in Watcher(tmp_path, [text]).look()] == meant
    with pytest.raises(RequestError, match="there are voices: tiny \\+ aam, seed 0; voices"):
        Watcher(tmp_path, ["ecapa"])
    with pytest.raises(RequestError, match="no such folder"):
        Watcher(tmp_path / "nowhere")
