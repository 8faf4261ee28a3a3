"""Write the published files from published records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.board.publishing.build_cache import BuildCache
from harness.board.publishing.rendering import (
    Beside,
    RenderedTable,
    draw_pictures,
    render_families,
    render_tables,
    workers,
)
from harness.board.publishing.site_pages import pages as site_pages
from harness.board.publishing.suite_pages import index, index_line, suite_texts
from harness.board.record_paths import slug
from harness.board.record_store import families, load, record_files
from harness.board.standing.curve_axes import DatasetAxis
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.charts import FOLDER as PLOTS
from harness.board.writing.references import references
from harness.config.loader import load as load_benchmark
from harness.config.schema import Benchmark
from harness.records.files import read_bytes, write_text
from harness.records.record import Record
from harness.records.signature import SIGNERS, read_signers

__all__ = ["Beside", "Files", "build", "read_folder", "record_files", "render"]

BENCHMARK = "benchmark.toml"
NOTHING = Beside()


@dataclass(frozen=True)
class Files:
    """The published files beside the records, by their paths relative to the folder.

    Attributes:
        texts: pages and documents -> content.
        plots: pictures -> their data.
    """

    texts: dict[str, str] = field(default_factory=dict)
    plots: dict[str, dict[str, Any]] = field(default_factory=dict)


def render(records: Mapping[str, Record], beside: Beside = NOTHING) -> Files:
    """Make every published file from the published records.

    Args:
        records: path relative to the folder -> record.
        beside: content of pages besides the records.

    Returns:
        The files, the same for the same records in whatever order.

    Raises:
        RequestError: a record has no facts of its primary metric.
    """
    filed = (
        FiledRecord(record, path, is_unseen=path in beside.unseen, end=beside.ends.get(path))
        for path, record in sorted(records.items())
    )
    held = list(render_tables(tables(filed), beside))
    plots = {name: data for each in held for name, data in each.plots.items()}
    return Files(dict(_texts(held, beside)), plots)


def build(folder: Path) -> list[Path]:
    """Write every published file that is not yet what the records give; remove old pictures.

    Returns:
        The files written.

    Raises:
        RequestError: a file among the records is not a record.
    """
    told = _beside(folder)
    signers = read_signers(folder / SIGNERS)
    cache = BuildCache(folder, told.suites, told.axes)
    if cache.is_current():
        return []
    contents: dict[str, str] = {}
    plots: dict[str, dict[str, Any]] = {}

    def rendered() -> Iterator[RenderedTable]:
        made = render_families(folder, families(folder, pool), told, signers, pool)
        for family, read in made:
            contents.update(read)
            for each in family:
                plots.update(each.plots)
                yield each

    with workers(cache.found) as pool:
        outputs = {
            folder / name: _write(folder / name, text) for name, text in _texts(rendered(), told)
        }
        drawn = draw_pictures({folder / name: data for name, data in plots.items()}, pool)
    _remove_undrawn(folder, plots.keys())
    cache.keep(contents, [*outputs, *(folder / name for name in plots)])
    return [path for path, new in outputs.items() if new] + drawn


def read_folder(folder: Path) -> tuple[dict[str, Record], Beside]:
    """Read every published record by its path, and the content of pages besides the records.

    Raises:
        RequestError: a file among these is not what its name says.
    """
    held = load(folder, record_files(folder))
    told = replace(_beside(folder), details=held.details, unseen=held.unseen, ends=held.ends)
    return held.records, told


def suite_order(benchmark: Benchmark) -> tuple[str, ...]:
    """Return the names of the suites of a benchmark, in its order."""
    return tuple(benchmark.suites)


def suite_axes(benchmark: Benchmark) -> dict[str, DatasetAxis]:
    """Return the axis of each suite of a benchmark that reads its datasets as one curve."""
    return {
        name: DatasetAxis(suite.curve, benchmark.levels(suite))
        for name, suite in benchmark.suites.items()
        if suite.curve is not None
    }


def _beside(folder: Path) -> Beside:
    """Return the content of pages that neither a record nor a file beside one gives.

    The benchmark file is the one beside the published folder, so that the pages do not depend on
    where the command is given; else the one that every command takes if none is named.

    Raises:
        ConfigError: the file is no benchmark.
    """
    file = folder.resolve().parent / BENCHMARK
    benchmark = load_benchmark(file if file.is_file() else None).benchmark
    return Beside(
        references=references(folder), suites=suite_order(benchmark), axes=suite_axes(benchmark)
    )


def _in_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Sort the slugs of suites; one that the order does not name comes last, by its name.

    >>> _in_order(["image", "zoo", "alps", "speaker"], ["Speaker", "image"])
    ['speaker', 'image', 'alps', 'zoo']
    """
    places = {slug(name): place for place, name in reversed(list(enumerate(order)))}
    return sorted(names, key=lambda name: (places.get(name, len(order)), name))


def _texts(made: Iterable[RenderedTable], told: Beside) -> Iterator[tuple[str, str]]:
    """Return each page and document with its path: those of each suite, the index, the site."""
    suites: dict[str, list[RenderedTable]] = defaultdict(list)
    for each in made:
        suites[slug(each.suite[0])].append(each)
    lines, sites = [], []
    for name in _in_order(suites, told.suites):
        suite = sorted(suites.pop(name), key=lambda each: each.place)
        lines.append(index_line(suite))
        sites += suite
        yield from suite_texts(suite, told.references).items()
    yield "README.md", index(lines)
    yield from site_pages(sites, told.references).items()


def _write(path: Path, text: str) -> bool:
    """Write a file unless it has that content; return True if it was written."""
    if path.is_file() and read_bytes(path) == text.encode():
        return False
    write_text(path, text)
    return True


def _remove_undrawn(folder: Path, names: Set[str]) -> None:
    """Remove the pictures of data that no table shows any more: a picture's name holds its data."""
    for path in (folder / PLOTS).rglob("*.svg"):
        if path.relative_to(folder).as_posix() not in names:
            path.unlink()
