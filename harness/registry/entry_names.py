"""Names of entries: whose a row is, and that nothing new takes it or passes for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.config.loader import LoadedBenchmark
from harness.records.names import looks, wrong_texts
from harness.records.record import Record
from harness.run.job.context import make_task
from harness.tasks.task import baseline_names


def wrong_names(
    new: Iterable[str], records: Mapping[str, Record], loaded: LoadedBenchmark
) -> Iterator[str]:
    """Name every new record whose texts are unfit for a table, or that bears another's name.

    Args:
        new: paths of new files.
        records: every readable published record by its path, the new ones too.
        loaded: the benchmark, whose own names are taken.
    """
    fresh = set(new)
    # Names that were there before are told before those that came along.
    there = sorted(records.items(), key=lambda item: (item[0] in fresh, item[0]))
    for name in sorted(fresh):
        if name in records:
            record = records[name]
            others = [(path, each) for path, each in there if path != name]
            yield from (f"{name}: {line}" for line in wrong_texts(record))
            if reason := taken_name(record, others, own_names(loaded, record)):
                yield f"{name}: {reason}"


def taken_name(record: Record, others: Iterable[tuple[object, Record]], own: Iterable[str]) -> str:
    """Return whose name a new record bears or resembles; empty if it is its own.

    Records of one entry share their name to the letter: those that the harness made, and those of
    one submitter.

    Args:
        record: the new one.
        others: the records that are there, each with its place.
        own: names that the benchmark gives, which no submission bears.
    """
    seen = looks(record.entry)
    if record.submission is not None:
        for name in own:
            if seen & looks(name):
                return f"{_quoted(record.entry)} is, or looks like, this benchmark's own {name!r}"
    for place, other in others:
        if other.entry == record.entry and are_of_one_origin(record, other):
            continue
        if seen & looks(other.entry):
            whose = f"the name of {other.entry!r} ({place})"
            return f"{_quoted(record.entry)} is, or looks like, {whose}; give it another"
    return ""


def own_names(loaded: LoadedBenchmark, record: Record) -> list[str]:
    """Return the names that the benchmark gives to entries, the baseline's of a suite too."""
    systems = [each for suite in loaded.benchmark.suites.values() for each in suite.systems]
    models = [name for each in systems for name in (each.model, f"{each.model} + {each.loss}")]
    models += [each.name for suite in loaded.benchmark.suites.values() for each in suite.ensembles]
    is_known = record.protocol.suite in loaded.benchmark.suites
    baseline = baseline_names(make_task(loaded, record.protocol.suite)) if is_known else ()
    return list(dict.fromkeys([*models, *loaded.benchmark.models, *baseline]))


def are_of_one_origin(one: Record, other: Record) -> bool:
    """Check if two records are both the harness's own, or of one submitter as each tells it."""
    if one.submission is None or other.submission is None:
        return one.submission is other.submission
    return one.submission.submitter == other.submission.submitter


def _quoted(name: str) -> str:
    """Return a name with letters beyond ASCII spelled out: they are what cannot be told apart."""
    return repr(name) if name.isascii() else ascii(name)
