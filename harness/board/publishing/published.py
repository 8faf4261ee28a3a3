"""The published files, as a pure function of the published records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.board.names import slug
from harness.board.publishing.memory import Memory
from harness.board.publishing.pages import index, index_line, suite_texts
from harness.board.publishing.press import draw, print_families, workers
from harness.board.publishing.sheet import Beside, Sheet, sheets
from harness.board.site.render import pages as site_pages
from harness.board.standing.rows import Filed
from harness.board.standing.table import tables
from harness.board.store.shelf import families, load, record_files
from harness.board.writing.references import references
from harness.config.loader import load as load_benchmark
from harness.records.files import read_bytes, write_text
from harness.records.record import Record

__all__ = ["Beside", "Files", "build", "read_folder", "record_files", "render"]

BENCHMARK = "benchmark.toml"
NOTHING = Beside()


@dataclass(frozen=True)
class Files:
    """The published files beside the records, by their paths relative to the folder.

    Attributes:
        texts: pages and documents -> content.
        plots: pictures -> what each shows.
    """

    texts: dict[str, str] = field(default_factory=dict)
    plots: dict[str, dict[str, Any]] = field(default_factory=dict)


def render(records: Mapping[str, Record], beside: Beside = NOTHING) -> Files:
    """Make every published file from the published records.

    Args:
        records: path relative to the folder -> record.
        beside: what pages show beside the records.

    Returns:
        The files, the same for the same records in whatever order.

    Raises:
        RequestError: a record does not say how its primary metric is to be sorted.
    """
    filed = (Filed(record, path) for path, record in sorted(records.items()))
    held = list(sheets(tables(filed), beside))
    plots = {name: data for sheet in held for name, data in sheet.plots.items()}
    return Files(dict(_texts(held, beside)), plots)


def build(folder: Path) -> list[Path]:
    """Write every published file that is not yet what the records give.

    Returns:
        The files written.

    Raises:
        RequestError: a file among the records is not a record.
    """
    told = Beside(references=references(folder), suites=suite_order(folder))
    memory = Memory(folder, told.suites)
    if memory.unchanged():
        return []
    contents: dict[str, str] = {}
    plots: dict[str, dict[str, Any]] = {}
    with workers(memory.found) as pool:
        made = print_families(folder, families(folder, pool), told.references, pool)
        outputs = {
            folder / name: _write(folder / name, text)
            for name, text in _texts(_gathered(made, contents, plots), told)
        }
        drawn = draw({folder / name: data for name, data in plots.items()}, pool)
    written = [path for path, new in outputs.items() if new]
    memory.keep(contents, [*outputs, *(folder / name for name in plots)])
    return written + drawn


def _gathered(
    made: Iterable[tuple[list[Sheet], dict[str, str]]],
    contents: dict[str, str],
    plots: dict[str, dict[str, Any]],
) -> Iterator[Sheet]:
    """The tables of all families; what was read for them and what is to be drawn is noted."""
    for family, read in made:
        contents.update(read)
        for sheet in family:
            plots.update(sheet.plots)
            yield sheet


def read_folder(folder: Path) -> tuple[dict[str, Record], Beside]:
    """Every published record by its path, and what pages show beside the records.

    Raises:
        RequestError: a file among these is not what its name says.
    """
    held = load(folder, record_files(folder))
    return held.records, Beside(held.details, references(folder), suite_order(folder))


def suite_order(folder: Path) -> tuple[str, ...]:
    """Return the names of the suites of a benchmark file, in its order.

    The file is the one beside the published folder, so that the pages do not depend on where the
    command is given; else the one that every command takes where none is named.

    Raises:
        ConfigError: the file is no benchmark.
    """
    beside = folder.resolve().parent / BENCHMARK
    return tuple(load_benchmark(beside if beside.is_file() else None).benchmark.suites)


def _in_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Sort the slugs of suites; one that the order does not name comes last, by its name.

    >>> _in_order(["image", "zoo", "alps", "speaker"], ["Speaker", "image"])
    ['speaker', 'image', 'alps', 'zoo']
    """
    places = {slug(name): place for place, name in reversed(list(enumerate(order)))}
    return sorted(names, key=lambda name: (places.get(name, len(order)), name))


def _texts(made: Iterable[Sheet], told: Beside) -> Iterator[tuple[str, str]]:
    """Each page and document with its path: those of each suite, the index, the site."""
    suites: dict[str, list[Sheet]] = defaultdict(list)
    for sheet in made:
        suites[slug(sheet.suite[0])].append(sheet)
    lines, sites = [], []
    for name in _in_order(suites, told.suites):
        suite = sorted(suites.pop(name), key=lambda sheet: sheet.place)
        lines.append(index_line(suite))
        sites += [sheet.site for sheet in suite]
        yield from suite_texts(suite, told.references).items()
    yield "README.md", index(lines)
    yield from site_pages(sites, told.references).items()


def _write(path: Path, text: str) -> bool:
    """Write a file where it is not what it should be; tells whether it was not."""
    if path.is_file() and read_bytes(path) == text.encode():
        return False
    write_text(path, text)
    return True
