"""How long a training is told to take, against how long it took."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.figures import Figure, missed
from tests.tiny import TinyBenchmark, ended, make_tiny

XVECTOR = """
[models.xvector]
adapter = "adapters.wespeaker:XVector"
"""
CALL = ("--suite", "own", "--model", "xvector", "--loss", "aam", "--seeds", "0", "--device", "cpu")
SETTINGS = ("--set", "batch=16", "--set", "crop_seconds=1.0", "--set", "steps=30")


def _told(tiny: TinyBenchmark) -> float:
    """Seconds of the steps and validations of the training, told beforehand."""
    planned = ended(tiny.start("plan", *CALL, *SETTINGS, "--json"))
    parts = planned.json["jobs"][1]["predicted"]["parts"]
    return float(parts["steps"] + parts["validation"])


def _taken(tiny: TinyBenchmark) -> float:
    """Seconds of the same, less the share of them that was waited for a processor."""
    ran = ended(tiny.start("run", *CALL, *SETTINGS, "--json"))
    assert ran.status == 0, ran.err
    (path,) = (tiny.runs / "stages").glob("train-*/result.json")
    result = json.loads(path.read_text())
    return float(result["seconds"] * (1 - (result["cpu_wait"] or 0.0)))


def test_training(tmp_path: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    tiny = make_tiny(tmp_path / "own")
    tiny.edit("[losses.aam]", f"{XVECTOR}\n[losses.aam]")
    tiny.edit('models = ["tiny"]', 'models = ["tiny", "xvector"]')
    told = _told(tiny)
    taken = benchmark.pedantic(_taken, args=(tiny,), rounds=1)  # type: ignore[no-untyped-call]
    figures.append(Figure("a training of 30 steps, told beforehand", told, "s"))
    figures.append(Figure("… against what it took", told / taken, "times", least=0.5))
    figures.append(Figure("… the other way round", taken / told, "times", least=0.5))
    assert missed(figures) == []
