"""`harness verify` on a user's own runs."""

from __future__ import annotations

import json
import sys

import pytest

from harness.cli import main
from tests.tiny import TinyBenchmark


def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["harness", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_runs_are_verified_until_a_number_is_changed(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = tiny.arguments("verify", str(tiny.runs), "--json")
    code, out, err = called(monkeypatch, capsys, *call)
    assert code == 0, err
    verdicts = json.loads(out)["records"]
    assert [verdict["answer"] for verdict in verdicts] == ["verified"] * 3

    path = tiny.record_path("tiny", 7)
    record = json.loads(path.read_text())
    record["metrics"]["eer"]["value"] *= 0.5
    path.write_text(json.dumps(record))
    code, out, err = called(monkeypatch, capsys, *tiny.arguments("verify", str(tiny.runs)))
    assert code == 1
    assert f"recorded {record['metrics']['eer']['value']:.12g}, computed" in out
    assert "1 differs, 2 verified" in err


def test_a_changed_checkpoint_differs(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = tiny.stage(tiny.record("tiny", 7), "train")
    weights = stage / "weights.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    words = tiny.arguments("verify", str(tiny.record_path("tiny", 7)))
    code, out, _ = called(monkeypatch, capsys, *words)
    assert code == 1
    assert "not the checkpoint that the record names" in out


def test_a_folder_without_records_is_refused(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tiny.arguments("verify", str(tiny.folder / "speech"))
    code, out, err = called(monkeypatch, capsys, *words)
    assert (code, out) == (2, "")
    assert "no record there" in err


def test_a_record_that_cannot_be_used_is_named_and_the_others_are_answered(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, broken = tiny.record_path("tiny", 7), tiny.record_path("tiny", 0)
    record = json.loads(wrong.read_text())
    record["metrics"]["eer"]["value"] = 1.5
    wrong.write_text(json.dumps(record))
    code, out, _ = called(monkeypatch, capsys, *tiny.arguments("verify", str(tiny.runs), "--json"))
    answers = {each["record"]: each for each in json.loads(out)["records"]}
    assert (code, len(answers)) == (1, 3)
    assert answers[str(wrong)]["answer"] == "differs"
    assert answers[str(wrong)]["reasons"][0].startswith("metrics.eer.value is 1.5")

    broken.write_text("{}")
    code, out, err = called(monkeypatch, capsys, *tiny.arguments("verify", str(tiny.runs)))
    assert code == 2
    assert f"{broken}: record schema None" in err
    assert str(wrong) in out
    assert "1 differs, 1 verified" in err
