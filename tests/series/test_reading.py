"""Logs of other programs are read into the same series, or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from harness.errors import HarnessError
from harness.series.reading import read_series
from harness.series.series import Series
from tests.series.logs import CSV, JSONL, THREED, THREED_EPOCHS, WESPEAKER, put


def the_one(path: Path) -> Series:
    (found,) = read_series(path)
    return found


def test_wespeaker(tmp_path: Path) -> None:
    found = the_one(put(tmp_path / "train.log", WESPEAKER).parent)
    assert found.source == "log of WeSpeaker"
    assert found.names == ("Train/lr", "Train/margin", "Train/Loss", "Train/Accuracy")
    assert found["Train/Loss"]["step"].tolist() == [100, 150, 250]
    assert found["Train/Loss"]["epoch"].tolist() == pytest.approx([100 / 150, 1, 250 / 150])
    assert found["Train/Loss"]["seconds"].tolist() == [0, 10, 20]
    assert found["Train/Accuracy"]["value"].tolist() == [0.0125, 0.025, 0.125]
    assert found["Train/lr"]["value"].tolist() == [0.001, 0.0015, 2.5e-5]


def test_threed_speaker(tmp_path: Path) -> None:
    found = the_one(put(tmp_path / "train.log", THREED))
    assert found.source == "log of 3D-Speaker"
    assert found["Train/Loss"]["step"].tolist() == [1, 101, 201]
    assert found["Train/Loss"]["value"].tolist() == [9, 8, 5]
    assert found["Train/Accuracy"]["value"].tolist() == [0, 0.031, 0.25]
    assert found["Train/lr"]["value"].tolist() == [0, 0.02, 0.04]
    assert found["Train/Loss"]["seconds"].tolist() == [0, 40, 100]


def test_the_epochs_of_threed_speaker(tmp_path: Path) -> None:
    found = the_one(put(tmp_path / "train_epoch.log", THREED_EPOCHS))
    assert found["Train/Accuracy"]["value"].tolist() == [0.032, 0.5]
    assert found["Train/lr"]["epoch"].tolist() == [1, 2]


def test_csv_and_jsonl(tmp_path: Path) -> None:
    table = the_one(put(tmp_path / "a.csv", CSV))
    assert table.names == ("Train/Loss", "Test/eer")
    assert table["Test/eer"].iloc[0].tolist()[:2] == [20, 1.0]
    lines = the_one(put(tmp_path / "b.jsonl", JSONL))
    assert lines["train/loss"]["value"].tolist() == [4, 3]
    assert lines["eer"]["step"].tolist() == [2]


def test_a_table_of_epochs_has_these_as_steps(tmp_path: Path) -> None:
    found = the_one(put(tmp_path / "a.csv", "epoch;loss\n1;0.5\n2;0.25\n"))
    assert found["loss"][["step", "epoch"]].to_numpy().tolist() == [[1, 1], [2, 2]]


def events(folder: Path, *written: tuple[str, int, float], restart: int | None = None) -> None:
    writer = EventFileWriter(str(folder))
    if restart is not None:
        log = SessionLog(status=SessionLog.START)
        writer.add_event(Event(step=restart, wall_time=1000, session_log=log))
    for tag, step, value in written:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.add_event(Event(step=step, wall_time=1000.0 + step, summary=summary))
    writer.close()


def test_a_tensorboard_folder_of_two_runs(tmp_path: Path) -> None:
    events(tmp_path / "campplus", ("Train/Loss", 1, 11), ("Train/Loss", 2, 5), ("Test/eer", 2, 0.5))
    events(tmp_path / "eres2net", ("Train/Loss", 1, 10))
    first, second = read_series(tmp_path)
    assert (first.source, second.source) == ("TensorBoard: campplus", "TensorBoard: eres2net")
    assert first["Train/Loss"]["value"].tolist() == [11, 5]
    assert second.names == ("Train/Loss",)


def test_what_a_restarted_run_wrote_before_is_void(tmp_path: Path) -> None:
    events(tmp_path, ("Train/Loss", 1, 4), ("Train/Loss", 2, 3), ("Train/Loss", 3, 9))
    (first,) = tmp_path.iterdir()
    first.rename(tmp_path / "events.out.tfevents.1.a")
    events(tmp_path, ("Train/Loss", 2, 2), restart=2)
    assert the_one(tmp_path)["Train/Loss"]["value"].tolist() == [4, 2]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.txt", "once upon a time\n", "no log that is known; give a series of ours"),
        ("a.csv", "name,colour\nx,red\n", "no numbers over steps"),
        ("a.jsonl", '{"step": -1, "loss": 3}\n', "a.jsonl:1: step -1.0 is no whole number"),
        ("a.jsonl", '{"step": 1, "loss": 3}\n{"step"\n', "a.jsonl:2: no JSON on a line"),
        ("a.details.json", '{\n  "schema": 1\n}\n', "of a record give X.json, not X.details"),
    ],
)
def test_what_is_no_log_is_refused_by_name(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(HarnessError) as refused:
        read_series(put(tmp_path / name, text))
    assert told in str(refused.value)


def test_a_folder_without_logs_names_what_is_there(tmp_path: Path) -> None:
    put(tmp_path / "notes.md", "")
    with pytest.raises(HarnessError, match=r"no log in it \(notes\.md\)"):
        read_series(tmp_path)
