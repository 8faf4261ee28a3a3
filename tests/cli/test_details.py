"""Details beside a user's own runs and beside published records."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.records.documents import readable_json
from harness.series.series_file import PUBLISHED as SERIES
from tests.places import ROOT
from tests.tiny import TinyBenchmark

DIGITS = ROOT / "leaderboards" / "records" / "image" / "quick" / "digits"


def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["harness", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Published records of two entries on embedded data, without companions."""
    for name in ("efficientnet-b0-softmax-seed0-626cfbe375c7", "nearest-class-mean-seednone-"):
        for path in DIGITS.glob(f"{name}*"):
            if not path.name.endswith(".details.json"):
                shutil.copy(path, tmp_path)
    return tmp_path


def test_details_are_written_once_then_there(
    records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("details", str(records), "--config", str(ROOT / "benchmark.toml"))
    code, out, err = called(monkeypatch, capsys, *words)
    assert (code, err.strip()) == (0, "2 written")
    assert len(list(records.glob("*.details.json"))) == 2
    code, out, err = called(monkeypatch, capsys, *words, "--json")
    document = json.loads(out)
    assert (code, document["schema"], err) == (0, 1, "")
    assert [each["answer"] for each in document["records"]] == ["there", "there"]
    assert all(Path(each["details"]).is_file() for each in document["records"])


def test_details_that_differ_fail_both_commands(
    records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ("--config", str(ROOT / "benchmark.toml"))
    called(monkeypatch, capsys, "details", str(records), *config)
    (beside,) = records.glob("efficientnet*.details.json")
    document = json.loads(beside.read_text())
    document["breakdowns"]["class"]["groups"][0]["units"] -= 1
    beside.write_text(readable_json(document))
    for command in (("details",), ("verify", "--runs", str(records / "none"))):
        code, out, err = called(monkeypatch, capsys, *command, str(records), *config)
        assert code == 1
        assert "differs: details.breakdowns.class.groups[0].units: recorded" in out
        assert "1 differs, 1 " in err


def as_run(record: Path, runs: Path) -> None:
    """Lay a published record, its scores and its series where a run would leave them."""
    folder = runs / "image-quick" / record.parent.name / record.stem / "seed0-a"
    folder.mkdir(parents=True)
    shutil.copy(record, folder / "record.json")
    shutil.copy(record.with_suffix(".scores.npz"), folder / "scores.npz")
    if (series := record.with_suffix(f".{SERIES}")).is_file():
        shutil.copy(series, folder / SERIES)


def test_publishing_writes_details_and_says_why_some_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = (DIGITS, DIGITS.parent / "omniglot-latin")
    for path in (record for folder in images for record in folder.glob("efficientnet-b[01]*.json")):
        if not path.name.endswith(".details.json"):
            as_run(path, tmp_path / "runs")
    tree = tmp_path / "tree"
    tree.mkdir()
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    for words in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "-m", "Begin"]):
        subprocess.run(["git", "-C", str(tree), *who, *words], check=True)
    monkeypatch.chdir(tree)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "nothing"))
    config = ("--config", str(ROOT / "benchmark.toml"))
    words = ("publish", "--runs", str(tmp_path / "runs"), *config, "--json")
    code, out, err = called(monkeypatch, capsys, *words)
    assert code == 0, err
    names = [Path(name).name for name in json.loads(out)["written"]]
    assert sum(name.endswith(".details.json") for name in names) == 2
    assert sum(name.endswith(".scores.npz") for name in names) == 4
    (reason,) = [line for line in err.splitlines() if "without details" in line]
    assert reason.startswith("2 records without details: omniglot-latin")
    published = tree / "leaderboards" / "records" / "image" / "quick"
    assert len(list((published / "digits").glob("*.details.json"))) == 2
    assert list((published / "omniglot-latin").glob("*.details.json")) == []

    # The same keys, measured again: the others go in, this one stays as it was published.
    (again, *_) = (tmp_path / "runs").rglob("record.json")
    again.write_bytes(again.read_bytes() + b"\n")
    code, out, err = called(monkeypatch, capsys, *words[:-1])
    assert (code, out.strip()) == (0, "nothing changed: all of it is published already"), err
    assert f"left as published, from other runs of the same keys: {again.parts[-3]}.json" in err


def test_a_users_runs_have_details(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tiny.record_path("tiny", 7)
    words = ("details", str(record), "--config", str(tiny.config))
    code, _, err = called(monkeypatch, capsys, *words)
    assert (code, err.strip()) == (0, "1 written")
    details = json.loads(record.with_name("details.json").read_text())
    assert details["det"]["targets"] > 0
    code, out, _ = called(monkeypatch, capsys, *tiny.arguments("verify", str(record)))
    assert code == 0
    assert "and its details)" in out


def test_a_folder_without_records_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("details", str(tmp_path), "--config", str(ROOT / "benchmark.toml"))
    code, out, err = called(monkeypatch, capsys, *words)
    assert (code, out) == (2, "")
    assert "no record there" in err
