"""Published tables of many records: made from nothing, and made again where nothing changed."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.board.publishing.published_tables import build
from tests.benchmarks.alone import Stopwatch, alone
from tests.benchmarks.board_records import ENTRIES, write_records
from tests.benchmarks.figures import Figure, missed

MIB = 2**20
TABLES = 10
MANY, FEW = 1000, 40
"""Tables of 100,000 records, and entries of each."""

BUILT, AGAIN = "built", "built again"


@pytest.fixture(scope="module")
def published() -> Iterator[Path]:
    """A folder of records without tables; not kept, as it is big."""
    with tempfile.TemporaryDirectory() as folder:
        write_records(Path(folder) / "tables", TABLES)
        yield Path(folder)


def twice(folder: Path) -> Stopwatch:
    """Builds the tables and then finds nothing to do, remembering the first in the folder."""
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    watch = Stopwatch()
    with watch.step(BUILT):
        watch.values["written"] = len(build(folder / "tables"))
    with watch.step(AGAIN):
        watch.values["written again"] = len(build(folder / "tables"))
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    watch.values["processor"] = sum(used.ru_utime + used.ru_stime for used in (own, children))
    # Linux tells it in KiB, of the child that took the most; there is one for each processor.
    watch.values["children"] = children.ru_maxrss * 1024 * len(os.sched_getaffinity(0))
    return watch


def test_building(published: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    runs: list[Stopwatch] = []
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: runs.append(alone(twice, published)), rounds=1
    )
    (run,) = runs
    memory = run.extra[BUILT] + run.values["children"]
    what = f"tables, documents, pictures and site of {TABLES * ENTRIES * 5 // 2:,} records"
    figures += [
        Figure(what, run.seconds[BUILT], "s"),
        Figure("… in all processes", run.values["processor"], "s of processor time", most=32),
        Figure("… memory of all processes in addition", memory / MIB, "MiB", most=1536),
        Figure("… again, where nothing changed", run.seconds[AGAIN], "s", most=2),
    ]
    # Page and document of one suite, the index, a picture a table; the site's page and index, its
    # change log, style sheet and program.
    assert run.values["written"] == 3 + TABLES + 5
    assert run.values["written again"] == 0
    assert missed(figures) == []


@pytest.mark.long
def test_a_hundred_thousand_records(
    tmp_path: Path, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    count = write_records(tmp_path / "tables", MANY, FEW)
    runs: list[Stopwatch] = []
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: runs.append(alone(twice, tmp_path)), rounds=1
    )
    (run,) = runs
    what = f"tables of {count:,} records, {FEW} entries each"
    figures += [
        Figure(what, run.seconds[BUILT], "s"),
        Figure("… memory in addition", run.extra[BUILT] / MIB, "MiB"),
        Figure("… again, where nothing changed", run.seconds[AGAIN], "s", most=60),
        Figure("… memory in addition, of both", run.extra[AGAIN] / MIB, "MiB", most=2048),
    ]
    assert count == 100_000
    assert run.values["written again"] == 0
    assert missed(figures) == []
