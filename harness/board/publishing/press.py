"""Tables rendered a family at a time, by several processes where there are many records."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from harness.board.pictures.plots import holds_plot, write_plot
from harness.board.publishing.sheet import Beside, Sheet, sheets
from harness.board.standing.archive import Family
from harness.board.standing.rows import Filed
from harness.board.standing.table import tables
from harness.board.store.shelf import load, refuse
from harness.board.writing.references import References
from harness.errors import RequestError
from harness.measure.device import cores

MANY = 4000
"""Records from which on further processes are worth their start."""


@contextmanager
def workers(records: int) -> Iterator[Executor | None]:
    """As many processes as there are processors; None where one process will do."""
    processes = cores()
    if records < MANY or processes < 2:
        yield None
        return
    context = get_context("spawn")  # what a fork would copy may hold locks
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield pool


def print_families(
    folder: Path,
    families: Mapping[Family, list[Path]],
    references: References,
    pool: Executor | None,
) -> Iterator[tuple[list[Sheet], dict[str, str]]]:
    """Render the tables of a published folder, of which one family at a time is in memory.

    Returns:
        For each family its tables, and the sha256 of each file that they were made of.

    Raises:
        RequestError: files among the records are not records, or say too little or what cannot be;
            raised after the last family, with those of all families.
    """
    job, wrong = partial(_printed, folder, references), []
    for printed in pool.map(job, families.values()) if pool else map(job, families.values()):
        if isinstance(printed, str):
            wrong.append(printed)
        else:
            yield printed
    refuse(wrong)


def draw(pictures: Mapping[Path, dict[str, Any]], pool: Executor | None) -> list[Path]:
    """Draw the pictures that do not show their data yet.

    Returns:
        The files drawn.
    """
    undrawn = [(path, data) for path, data in pictures.items() if not holds_plot(path, data)]
    made: Iterable[None] = pool.map(_draw, undrawn) if pool else map(_draw, undrawn)
    list(made)
    return [path for path, _ in undrawn]


def _draw(picture: tuple[Path, dict[str, Any]]) -> None:
    write_plot(*picture)


def _printed(
    folder: Path, references: References, files: list[Path]
) -> tuple[list[Sheet], dict[str, str]] | str:
    """A family's tables and the hashes of its files, or why they cannot be made."""
    try:
        return _print_family(folder, references, files)
    except RequestError as error:
        return str(error)


def _print_family(
    folder: Path, references: References, files: list[Path]
) -> tuple[list[Sheet], dict[str, str]]:
    with _uncollected():
        held = load(folder, files)
        made = tables(Filed(record, path) for path, record in held.records.items())
        return list(sheets(made, Beside(held.details, references))), held.contents


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for circles, which walks all records again and again and finds none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
