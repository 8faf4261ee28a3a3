"""Runs are found by place, folder, record and key, and called by what tells them apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import RequestError
from harness.report.run import MOST, find_runs
from harness.run.job.results import stage_folder

PLACES = {
    "campplus": "speaker-quick/speech/campplus+aam/seed0-542f31881a14",
    "ecapa-512": "speaker-quick/speech/ecapa-512+aam/seed0-5fa2b96d5325",
}


@pytest.fixture
def runs(tmp_path: Path, published) -> Path:
    """A runs folder with two published records in it."""
    for name, place in PLACES.items():
        folder = tmp_path / "runs" / place
        folder.mkdir(parents=True)
        path, _ = published(f"speaker/quick/arabic-speech-commands/{name}-aam")
        shutil.copy(path, folder / "record.json")
    return tmp_path / "runs"


@pytest.mark.parametrize("by", ["place", "folder", "record", "key", "stage"])
def test_a_run_is_found(runs: Path, published, by: str):
    place = PLACES["campplus"]
    _, record = published("speaker/quick/arabic-speech-commands/campplus-aam")
    given = {
        "place": place,
        "folder": str(runs / place),
        "record": str(runs / place / "record.json"),
        "key": "542f3188",
        "stage": record.stages["evaluate"].key[:10],
    }
    (run,) = find_runs([given[by]], runs, None)
    assert run.record == record
    assert run.name == "campplus + aam"
    assert run.lists is None
    assert "without a record" in run.lacking


def test_a_run_of_another_folder_of_runs_is_read_with_the_stages_there(
    runs: Path, tmp_path: Path, published
):
    path = runs / PLACES["campplus"] / "record.json"
    _, record = published("speaker/quick/arabic-speech-commands/campplus-aam")
    folder = stage_folder(runs, "evaluate", record.stages["evaluate"].key)
    folder.mkdir(parents=True)
    (run,) = find_runs([str(path)], tmp_path / "elsewhere", None)
    assert run.stages == {"evaluate": folder.resolve()}


def test_a_folder_of_runs_is_all_of_them_each_once_and_names_tell_them_apart(runs: Path, published):
    found = find_runs(["speaker-quick", PLACES["campplus"]], runs, None)
    assert [run.name for run in found] == ["campplus + aam", "ecapa-512 + aam"]
    again = runs / "speaker-quick/speech/campplus+aam/seed7-000000000000"
    shutil.copytree(runs / PLACES["campplus"], again)
    names = [run.name for run in find_runs(["speaker-quick/speech"], runs, None)]
    assert len(set(names)) == 3


def test_what_is_not_there_and_what_is_too_much_is_refused_with_the_mend(runs: Path):
    with pytest.raises(RequestError, match=r"nowhere: no such run under .*`harness runs list`"):
        find_runs(["nowhere"], runs, None)
    for number in range(MOST):
        folder = runs / f"speaker-quick/speech/campplus+aam/seed{number + 1}-{number:012d}"
        shutil.copytree(runs / PLACES["campplus"], folder)
    with pytest.raises(RequestError, match=rf"and a page shows {MOST}; name fewer"):
        find_runs(["speaker-quick"], runs, None)
