"""The file of a training's series: appended to, cut back, published."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from harness.errors import RequestError
from harness.records.damage import hear_damage
from harness.series import exports
from harness.series.reading import read_series
from harness.series.series import Series
from harness.series.series_file import FILE, SeriesWriter, last_resume_point, published_bytes
from tests.places import ROOT


def written(folder: Path, steps: range, step: int = 0) -> Path:
    writer = SeriesWriter(folder, {"entry": "a"}, step, lambda step: step / 10)
    for each in steps:
        values = {"Train/Loss": 1 / each}
        values |= {"Test/eer": 0.5 / each} if each % 10 == 0 else {}
        writer.add(each, each * 0.25, values)
        if each % 10 == 0:
            writer.add_vector(each, "Train/density", [1.0, 2.0], [0.0, 0.5, 1.0])
            writer.save_point(each)
    writer.flush()
    return folder / FILE


def the_one(path: Path) -> Series:
    (found,) = read_series(path)
    return found


def test_it_goes_on_from_the_resume_point(tmp_path: Path) -> None:
    written(tmp_path, range(1, 16))
    assert last_resume_point(tmp_path) == 10
    with (tmp_path / FILE).open("a") as file:
        file.write('{"step": 16, "epo')
    found = the_one(written(tmp_path, range(11, 21), step=10))
    assert found["Train/Loss"]["step"].tolist() == list(range(1, 21))
    assert [each.step for each in found.vectors] == [10, 20]
    assert [(each.kind, each.step) for each in found.marks] == [("resume", 10)]
    assert found.facts == {"entry": "a"}


def test_a_training_that_begins_again_has_no_old_steps(tmp_path: Path) -> None:
    written(tmp_path, range(1, 16))
    assert the_one(written(tmp_path, range(1, 4)))["Train/Loss"]["step"].tolist() == [1, 2, 3]


def test_a_damaged_line_is_told_and_the_rest_kept(tmp_path: Path) -> None:
    path = written(tmp_path, range(1, 16))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], "damaged\n", "more damage\n", *lines[3:]]))
    told = list[str]()
    with hear_damage(told.append):
        found = the_one(written(tmp_path, range(11, 12), step=10))
    assert "not all of it can be read" in told[0]
    assert found["Train/Loss"]["step"].tolist() == list(range(1, 12))


def test_what_is_published_is_thinned_to_a_size(tmp_path: Path) -> None:
    path = written(tmp_path, range(1, 2001))
    whole, small = published_bytes(path), published_bytes(path, 12_000)
    assert len(small) <= 12_000 < len(whole)
    assert small == published_bytes(path, 12_000)
    (tmp_path / "published").mkdir()
    put = tmp_path / "published" / "series.jsonl.gz"
    put.write_bytes(small)
    found, before = the_one(put), the_one(path)
    pd.testing.assert_frame_equal(found["Test/eer"], before["Test/eer"], rtol=1e-6)
    assert len(found.vectors) == len(before.vectors)
    steps = found["Train/Loss"]["step"].tolist()
    assert steps[0] == 1
    assert steps[-1] == 2000
    assert len(steps) < 1500


def test_it_is_a_table_for_other_programs(tmp_path: Path) -> None:
    table = exports.steps_table(read_series(written(tmp_path, range(1, 21))))
    assert table.columns.tolist() == ["step", "epoch", "seconds", "Train/Loss", "Test/eer"]
    (tmp_path / "a.csv").write_text(exports.csv_text(table))
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv"), table)
    (tmp_path / "a.parquet").write_bytes(exports.parquet_bytes(table))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), table)


def test_without_pyarrow_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(RequestError, match="--parquet needs pyarrow"):
        exports.parquet_bytes(pd.DataFrame({"step": [1]}))


@pytest.mark.parametrize("kills", [5, pytest.param(30, marks=pytest.mark.long)])
def test_killed_trainings_have_the_series_of_a_quiet_one(tmp_path: Path, kills: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.train.killed_trainings", tmp_path, str(kills)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    quiet = the_one(tmp_path / "quiet")
    assert quiet["Train/Loss"]["step"].tolist() == list(range(1, 61))
    assert len({each.step for each in quiet.vectors}) == 3
    resumed = 0
    for folder in sorted((tmp_path / "killed").iterdir()):
        resumed += check_like_quiet(folder, quiet)
    assert resumed > kills / 4


def check_like_quiet(folder: Path, quiet: Series) -> int:
    """Hold a training that was killed against a quiet one; gives how often it was resumed."""
    killed = the_one(folder)
    pd.testing.assert_frame_equal(
        killed.scalars.drop(columns="seconds"), quiet.scalars.drop(columns="seconds")
    )
    assert killed.vectors == quiet.vectors
    seconds = killed["Train/Loss"]["seconds"]
    assert (seconds.diff().dropna() >= 0).all(), "time never runs back"
    lasting = [each for each in killed.marks if each.kind != "resume"]
    assert lasting == [*quiet.marks]
    text = (folder / FILE).read_text()
    assert text.count('"values": {') == 60, "no step stands twice"
    return len(killed.marks) - len(lasting)
