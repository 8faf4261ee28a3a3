"""How long planning takes of a thousand jobs, against planning one of them."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.figures import Figure, missed
from tests.tiny import TinyBenchmark, ended, make_tiny

JOBS, ROUNDS = 1000, 3


def _seconds(tiny: TinyBenchmark, jobs: int) -> float:
    seeds = ",".join(map(str, range(jobs)))
    begun = perf_counter()
    done = ended(
        tiny.start(
            "plan", "--suite=own", "--loss=aam", "--device=cpu", f"--seeds={seeds}", "--json"
        )
    )
    assert done.status == 0, done.err
    assert len(done.json["jobs"]) == jobs + 1  # and the row without training
    return perf_counter() - begun


def test_planning(tmp_path: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    tiny = make_tiny(tmp_path / "own")
    _seconds(tiny, 1)  # Speeds and memory are found out once.
    one, many = [], []

    def in_turns() -> None:
        one.append(_seconds(tiny, 1))
        many.append(_seconds(tiny, JOBS))

    benchmark.pedantic(in_turns, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    figures.append(Figure(f"planning {JOBS:,} jobs", min(many), "s"))
    figures.append(Figure("… against one", min(many) / min(one), "times as long", most=6))
    assert missed(figures) == []
