"""`harness series`: of runs, of their records, and of other programs' logs."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pandas as pd
import pytest

from harness.cli import main
from harness.series.reading import read_series
from tests.tiny import STEPS, TinyBenchmark


class Called:
    """Calls the command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: object, code: int = 0) -> str:
        """Give what it gave; what it said where it is to fail."""
        self._monkeypatch.setattr(sys, "argv", ["harness", "series", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = self._capsys.readouterr()
        assert ended.value.code == code, shown.err
        assert code == 0 or not shown.out
        return shown.err if code else shown.out


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    return Called(monkeypatch, capsys)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("step,Train/Loss,Test/eer\n1,0.5,\n2,0.25,0.125\n")
    return path


def test_the_series_of_a_run_by_any_of_its_names(tiny: TinyBenchmark, called: Called) -> None:
    record = tiny.record_path("tiny", 0)
    run = record.parent.relative_to(tiny.runs)
    given = called(run, "--runs", tiny.runs)
    assert called(record, "--csv", "--runs", tiny.runs) == given
    table = pd.read_csv(io.StringIO(given))
    assert table["step"].tolist() == list(range(1, STEPS + 1))
    assert {"Train/Loss", "Train/lr", "Test/eer"} < set(table.columns)
    folder = tiny.stage(tiny.record("tiny", 0), "train")
    assert not (folder / "log.jsonl").exists()
    # TensorBoard's curves are of the series: named by entry and seed, and of the same numbers.
    (curves,) = read_series(folder / "curves")
    assert next((folder / "curves").iterdir()).name == "tiny+aam+short-seed0"
    assert curves["Train/Loss"]["value"].tolist() == pytest.approx(table["Train/Loss"].tolist())
    # What lies beside the record serves where the training's own folder is gone.
    (folder / "series.jsonl").unlink()
    beside = pd.read_csv(io.StringIO(called(run, "--runs", tiny.runs)))
    pd.testing.assert_frame_equal(beside, table, rtol=1e-6)


def test_a_table_is_written_to_a_file(log: Path, called: Called) -> None:
    assert called(log, "--parquet", "-o", log.with_name("a.parquet")) == ""
    assert called(log, "-o", log.with_name("a.csv")) == ""
    table = pd.read_parquet(log.with_name("a.parquet"))
    assert table["Train/Loss"].tolist() == [0.5, 0.25]
    pd.testing.assert_frame_equal(pd.read_csv(log.with_name("a.csv")), table)


def test_wrong_requests_are_refused(log: Path, called: Called) -> None:
    assert "--csv and --parquet: give one" in called(log, "--csv", "--parquet", code=2)
    assert "--parquet: give its file by -o" in called(log, "--parquet", code=2)
    assert "no such run" in called("nowhere", "--runs", log.parent, code=2)


def test_a_run_that_was_not_trained_has_none(tiny: TinyBenchmark, called: Called) -> None:
    record = next(path for path in tiny.runs.rglob("record.json") if "statistics" in str(path))
    said = called(record, "--runs", tiny.runs, code=2)
    assert "has no series: it was not trained" in said
