"""How long commands take that do nothing but start, against a Python that does nothing."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.figures import Figure, missed

ROUNDS = 5
COMMAND = "from harness.cli import main; main()"


def _cost_of(program: str, *words: str) -> float:
    """Processor seconds of a process: what other programs take does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("words", "most"), [("--help", 30), ("score --help", 50), ("runs list --runs {runs}", 50)]
)
def test_start(
    words: str, most: float, tmp_path: Path, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    plain, ours = [], []

    def in_turns() -> None:
        plain.append(_cost_of("pass"))
        ours.append(_cost_of(COMMAND, *words.format(runs=tmp_path).split(" ")))

    benchmark.pedantic(in_turns, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    command = f"harness {words.partition(' --runs')[0]}"
    figures.append(Figure(f"starting `{command}`", 1000 * min(ours), "ms of processor time"))
    name = "… against `python -c pass`"
    figures.append(Figure(name, min(ours) / min(plain), "times as long", most=most))
    assert missed(figures) == []
