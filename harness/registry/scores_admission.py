"""Scores that a change of the published tables brings, held against the published ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.board.record_paths import scores_path
from harness.config.loader import LoadedBenchmark
from harness.errors import DataError
from harness.records.record import Record
from harness.registry.entry_names import are_of_one_origin
from harness.registry.submit.identical import same_system, telling_arrays, told_entry
from harness.registry.submit.likeness import (
    CLOSE,
    Array,
    closeness,
    ranks_of,
    told_labels,
    told_likeness,
)
from harness.run.job.context import make_task
from harness.run.job.results import load_scores
from harness.tasks.task import Scores, TaskOptions


@dataclass(frozen=True)
class _Held:
    """The scores of one published record, as they are compared."""

    path: str
    record: Record
    scores: Scores
    names: list[str]
    ranks: dict[str, Array]


@dataclass(frozen=True)
class ScoresVerdict:
    """What new scores are found to be.

    Attributes:
        complaints: submissions whose scores another entry has.
        remarks: what whoever admits the change should know: scores that others have, that are
            close to theirs, or look like labels.
    """

    complaints: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def judge_scores(
    folder: Path, new: Iterable[str], records: Mapping[str, Record], loaded: LoadedBenchmark
) -> ScoresVerdict:
    """Compare the scores of new records with those of every other entry on their data.

    Args:
        folder: the published tables.
        new: paths of new files.
        records: every readable published record by its path, the new ones too.
        loaded: the benchmark, whose tasks say which arrays test alone gives.
    """
    fresh = {name: records[name] for name in new if name in records}
    held: dict[str, _Held | None] = {}
    complaints: list[str] = []
    remarks: list[str] = []
    for path, record in fresh.items():
        others = [each for each, other in records.items() if _are_comparable(record, other)]
        for name in {path, *others} - held.keys():
            held[name] = _hold(folder, name, records[name], loaded)
        if (own := held[path]) is None:
            continue
        # Of two new records the later is compared with the former.
        known = [held[each] for each in others if each not in fresh or each < path]
        found = list(_likenesses(own, [each for each in known if each is not None]))
        copies = [f"{path}: {line}" for near, line in found if near > 1]
        (complaints if record.submission is not None else remarks).extend(copies)
        remarks += [f"{path}: {line}" for near, line in sorted(found)[-1:] if near <= 1]
        remarks += [f"{path}: {line}" for line in told_labels(own.scores, own.names, record)]
    return ScoresVerdict(tuple(complaints), tuple(remarks))


def _are_comparable(record: Record, other: Record) -> bool:
    """Check if two records are of one dataset, and not one system on it in two tables."""
    one, two = record.dataset, other.dataset
    is_same = record.entry == other.entry and record.seed == other.seed
    on_one = (one.name, one.lock) == (two.name, two.lock)
    return on_one and not (is_same and are_of_one_origin(record, other))


def _hold(folder: Path, path: str, record: Record, loaded: LoadedBenchmark) -> _Held | None:
    """Read a record's scores; None where they are not there, or wrong (which others tell)."""
    file = folder / scores_path(path)
    if not file.is_file() or record.protocol.suite not in loaded.benchmark.suites:
        return None
    try:
        scores = load_scores(file)
    except DataError:
        return None
    decided = TaskOptions.of(make_task(loaded, record.protocol.suite)).decides or ()
    names = telling_arrays(scores, decided)
    return _Held(path, record, scores, names, ranks_of(scores, names))


def _likenesses(own: _Held, others: Iterable[_Held]) -> Iterator[tuple[float, str]]:
    """Yield how close other scores are, and how that is told; equal ones are closer than 1."""
    for other in others:
        how = same_system(own.scores, other.scores, own.names)
        near = closeness(own.ranks, other.ranks)
        if how:
            yield 2.0, f"these are the scores of {told_entry(other.record)} ({other.path}){how}"
        elif near >= CLOSE:
            yield near, told_likeness(other.record, Path(other.path).name, near)
