"""The duration of a tiny job, and of a finished suite that is asked for again."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.figures import Figure, missed
from tests.tiny import TinyBenchmark, ended, make_tiny

JOBS = 8
"""Trainings of two steps each."""


def _seconds(tiny: TinyBenchmark, jobs: int, ran: int) -> float:
    seeds = ",".join(map(str, range(jobs)))
    begun = perf_counter()
    done = ended(
        tiny.start(
            "run", "--suite=own", "--model=tiny", "--loss=aam", "--device=cpu",
            "--set=steps=2", "--set=validations=1", f"--seeds={seeds}", "--json",
        )
    )  # fmt: skip
    assert done.status == 0, done.err
    assert done.json["ran"] == ran
    return perf_counter() - begun


def test_jobs(tmp_path: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    tiny = make_tiny(tmp_path / "own")
    _seconds(tiny, 1, ran=2)  # Packs the corpus, predicts and measures: once for all seeds.
    again_one = _seconds(tiny, 1, ran=0)
    all_jobs = benchmark.pedantic(_seconds, (tiny, JOBS, JOBS - 1), rounds=1)  # type: ignore[no-untyped-call]
    again = _seconds(tiny, JOBS, ran=0)
    a_job = (all_jobs - again) / (JOBS - 1)
    a_record = max(0.0, again - again_one) / (JOBS - 1)
    figures.append(Figure("a tiny job, whole", a_job, "s"))
    figures.append(Figure("one that is answered from its record", 1e3 * a_record, "ms"))
    figures.append(Figure("… against the job", a_record / a_job, "times as long", most=0.05))
    figures.append(Figure("1,000 answered, extrapolated", again_one + 1000 * a_record, "s"))
    assert missed(figures) == []
