"""`harness health` of a run, and the line that `harness run` ends with."""

from __future__ import annotations

import json
import sys

import pytest

from harness.cli import main
from harness.cli.health import health_line
from harness.records.record_files import read_record
from tests.tiny import TinyBenchmark


def test_a_run_has_a_health_and_a_call_one_line_of_it(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record, other = (read_record(tiny.record_path("tiny", seed)) for seed in (0, 7))
    line = health_line([record], tiny.runs)
    assert line.startswith("health: ")
    assert "Test/eer" in line
    several = health_line([record, other], tiny.runs)
    assert "of 2 trainings" in several
    assert "\n" not in several
    assert health_line([record.model_copy(update={"state": "failed"})], tiny.runs) == ""

    path = str(tiny.record_path("tiny", 0))
    monkeypatch.setattr(
        sys, "argv", ["harness", "health", path, "--runs", str(tiny.runs), "--json"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    (training,) = json.loads(capsys.readouterr().out)["trainings"]
    assert training["metric"] == "Test/eer"
    assert training["best_performance"]["value"] <= 1
