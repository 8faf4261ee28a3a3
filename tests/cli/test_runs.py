"""`harness runs` and `harness doctor`."""

from __future__ import annotations

import json
import sys

import pytest

from harness.cli import main, output
from harness.run.folder import collect_garbage
from harness.run.job.results import turn
from tests.tiny import TinyBenchmark


def _called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> str:
    monkeypatch.setattr(sys, "argv", ["harness", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown.err
    return shown.out


def test_a_listed_run_can_be_shown(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = str(tiny.runs)
    listed = json.loads(_called(monkeypatch, capsys, "runs", "list", "--runs", runs, "--json"))
    assert [row["state"] for row in listed["runs"]] == ["done"] * 3
    cached = [path for path in (tiny.runs / "cache").rglob("*") if path.is_file()]
    assert listed["cache_bytes"] == sum(path.stat().st_size for path in cached) > 0
    for row in listed["runs"]:
        assert row["bytes"] > 0
        for name in (row["run"], f"{row['run']}/record.json", str(tiny.runs / row["run"])):
            shown = json.loads(_called(monkeypatch, capsys, "runs", "show", name, "--runs", runs))
            assert shown == json.loads((tiny.runs / row["run"] / "record.json").read_text())


def test_a_listed_name_is_whole_however_narrow_the_terminal(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "NARROWEST", 60)
    shown = _called(monkeypatch, capsys, "runs", "list", "--runs", str(tiny.runs))
    first = "".join(line[: shown.index("state")].strip() for line in shown.splitlines())
    for name in {str(p.parent.relative_to(tiny.runs)) for p in tiny.runs.rglob("record.json")}:
        assert name in first


def test_only_what_nothing_needs_is_deleted(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    zero, seven = tiny.record("tiny", 0), tiny.record("tiny", 7)
    tiny.record_path("tiny", 7).unlink()
    # The corpus was copied to another folder, so that no run opens its pack any more.
    (outdated,) = (path.parent for path in (tiny.runs / "cache").glob("*/facts.json"))
    unfinished = tiny.runs / "stages" / "train-0123456789abcdef"
    unfinished.mkdir()
    (unfinished / "resume.pt").write_bytes(b"half way")
    there = set(tiny.runs.rglob("*"))

    call = (*tiny.arguments("runs", "gc"), "--json")
    would = json.loads(_called(monkeypatch, capsys, *call))
    assert {path for path in there if not path.exists()} == set()
    did = json.loads(_called(monkeypatch, capsys, *call, "--delete"))
    assert did["garbage"] == would["garbage"]

    gone = {tiny.stage(seven, name) for name in ("train", "evaluate")}
    gone |= {tiny.stage(zero, "train") / "resume.pt", outdated}
    assert {item["path"] for item in did["garbage"]} == {str(path) for path in gone}
    for path in there:
        wanted = not any(path == each or each in path.parents for each in gone)
        assert path.exists() is wanted, path


def test_while_a_job_runs_its_stages_stay(tiny: TinyBenchmark) -> None:
    path = tiny.record_path("tiny", 7)
    path.unlink()
    kept = {item["path"] for item in collect_garbage(tiny.runs, delete=False)}
    with turn(path.parent):
        less = {item["path"] for item in collect_garbage(tiny.runs, delete=False)}
    assert len(kept) == 3
    assert {path.rpartition("/")[2] for path in less} == {"resume.pt"}


def test_the_doctor_looks_at_adapters_and_corpora(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["harness", "doctor", "--config", str(tiny.config), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    findings = {each["about"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
    lacking = [each for each in findings.values() if each["state"] == "missing"]
    assert ended.value.code == (1 if lacking else 0)
    assert findings["model tiny"]["state"] == "ok"
    assert findings["dataset voices (own, faulty)"]["state"] == "ok"
    assert "https://example.org/elsewhere" in findings["dataset elsewhere (faulty)"]["text"]
