"""Details that a change of the published tables brings, judged again by the scores beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.board.record_paths import DETAILS_ENDING, record_of, scores_path
from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.records.details_schema import read_details
from harness.records.record import Record
from harness.registry.record_details import details_of, differences
from harness.registry.rescoring import NotHereError

SHOWN = 3
"""Differences of a file that are told."""


def wrong_details(
    folder: Path,
    before: Mapping[str, bytes],
    now: Mapping[str, Path],
    records: Mapping[str, Record],
    loaded: LoadedBenchmark,
) -> Iterator[str]:
    """Name every details file of a published record that changed and is not what its scores give.

    A file counts as changed where it or its scores are new or others than before. One that cannot
    be judged again here is refused. Details of new records are judged with their numbers.

    Args:
        folder: the published tables.
        before: every file that was published -> its content.
        now: every file that is there -> its place.
        records: every readable record there, by its path.
        loaded: the benchmark.
    """
    for name in filter(_is_details, sorted(now)):
        record = record_of(name)
        about = (name, scores_path(record))
        is_published = record in before and record in records
        if is_published and not all(_is_as_before(each, before, now) for each in about):
            yield from _wrong(folder, name, records[record], loaded)
    for name in filter(_is_details, sorted(before.keys() - now.keys())):
        if record_of(name) in now:
            yield f"{name}: removed; what was published stays, restore it from git"


def _wrong(folder: Path, name: str, record: Record, loaded: LoadedBenchmark) -> Iterator[str]:
    """Name what of one details file its scores do not give."""
    try:
        found = details_of(loaded, folder / record_of(name), record)
        differing = differences(read_details(folder / name), found)
    except NotHereError as error:
        yield f"{name}: changed, and cannot be judged here ({error}); restore it from git"
    except RequestError as error:
        yield f"{name}: {error}"
    else:
        more = f"; and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
        if differing:
            yield f"{name}: not what its scores give: {'; '.join(differing[:SHOWN])}{more}"


def _is_details(name: str) -> bool:
    return name.endswith(DETAILS_ENDING)


def _is_as_before(name: str, before: Mapping[str, bytes], now: Mapping[str, Path]) -> bool:
    if name not in now or name not in before:
        return name not in now and name not in before
    return now[name].read_bytes() == before[name]
