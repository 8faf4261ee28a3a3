"""The range in which a result counts as a record made again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scipy.special import stdtrit

from harness.board.record_paths import is_record
from harness.board.record_store import RECORDS, load
from harness.board.standing.rows import row_digest
from harness.config.loader import LoadedBenchmark
from harness.metrics.seed_spread import pool_spread
from harness.records.attestation import Rule
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.run.job.context import make_task
from harness.run.job.record_writing import RECORD
from harness.tasks.task import TaskOptions

LEAST_FREEDOM = 2
"""Degrees of freedom below which a spread over seeds is not relied on."""

LEVEL = 0.95
"""Of two trainings that differ in their seed alone, how many are that near."""


@dataclass(frozen=True)
class ToleratedRange:
    """The values that count as a record made again, ends included.

    Attributes:
        low, high: the least and the largest.
        rule: the rule that they come from.
        told: the same, for readers.
    """

    low: float
    high: float
    rule: Rule
    told: str


def reproduction_range(
    record: Record, others: Iterable[Record], step: float | None
) -> ToleratedRange:
    """Return the range around a record's primary metric.

    Nothing trained: a rate may move by one step (one trial, or one item), as rounding may swap two
    scores. Trained: two trainings that differ in seed alone differ by no more than t * sqrt(2) * s
    in 95 of 100 pairs, s the spread over seeds pooled over the table's other records; the record
    itself has no say in how far off it may be. If that spread is not known: the record's interval
    over the test sample; if there is none, equality.

    Args:
        record: a done one.
        others: of its table, the record itself left out.
        step: the smallest step of the metric on its test split, as the task gives it.
    """
    metric = record.metrics[record.protocol.primary]
    value, rate = metric.value, record.protocol.facts[record.protocol.primary].unit == "%"
    if record.is_baseline:
        if not step or not rate:
            return ToleratedRange(
                value, value, "equal", "nothing is trained, so that no seed can change it"
            )
        told = (
            f"one of {round(1 / step):,} on either side: nothing is trained, rounding may swap two "
            "scores"
        )
        return ToleratedRange(max(0.0, value - step), min(1.0, value + step), "one trial", told)
    spread = pool_spread(_seeds(record, others), "logit" if rate else "plain")
    if spread is not None and spread.freedom >= LEAST_FREEDOM:
        quantile = float(stdtrit(spread.freedom, (1 + LEVEL) / 2))
        reach = quantile * math.sqrt(2) * spread.at(value)
        low, high = value - reach, value + reach
        if rate:
            low, high = max(0.0, low), min(1.0, high)
        told = (
            f"95 % of pairs of seeds, by the spread pooled over the table's other records "
            f"({spread.freedom} degrees of freedom)"
        )
        return ToleratedRange(low, high, "seeds", told)
    if metric.low is None or metric.high is None:
        return ToleratedRange(
            value, value, "equal", "neither a spread over seeds nor an interval is known"
        )
    told = "the record's 95 % interval over the test sample, as no spread over seeds is known"
    return ToleratedRange(metric.low, metric.high, "interval", told)


def range_of(loaded: LoadedBenchmark, record: Record, others: Iterable[Record]) -> ToleratedRange:
    """Return the range of a record whose suite the benchmark has, with its task's smallest step.

    Args:
        loaded: the benchmark.
        record: a done one.
        others: of its table, the record itself left out.
    """
    task = TaskOptions.of(make_task(loaded, record.protocol.suite))
    step = task.smallest_step(record.dataset.counts.get("test", {}))
    return reproduction_range(record, others, step)


def same_to_the_bit(value: float) -> ToleratedRange:
    """Return the range of a record that came out as it was, whatever else would have counted."""
    return ToleratedRange(value, value, "equal", "the same to the last bit")


def others_of(path: Path, record: Record) -> list[Record]:
    """Return the other records of a record's table, in the same published or runs folder.

    Published ones have the trust that they have earned.

    Raises:
        RequestError: a file among them is not a record.
    """
    in_runs = path.name == RECORD
    files = path.parents[2].glob(f"*/*/{RECORD}") if in_runs else path.parent.glob("*.json")
    beside = [file for file in sorted(files) if is_record(file.name) and file != path]
    above = [folder for folder in path.resolve().parents if folder.name == RECORDS]
    if in_runs or not above:
        return same_table(record, map(read_record, beside))
    held = load(above[-1].parent, [file.resolve() for file in beside])
    return same_table(record, held.records.values())


def same_table(record: Record, others: Iterable[Record]) -> list[Record]:
    """Return those of some records that are in a record's table."""
    return [each for each in others if _table(each) == _table(record)]


def _table(record: Record) -> tuple[str, str, int, str, str]:
    protocol = record.protocol
    rules = protocol.suite, protocol.profile, protocol.version, protocol.digest
    return (*rules, record.dataset.lock)


def _seeds(record: Record, others: Iterable[Record]) -> list[list[float]]:
    """For each entry measured in the table, its metric with each seed, the latest of each."""
    own = row_digest(record), record.seed
    entries: dict[str, dict[int | None, Record]] = defaultdict(dict)
    for each in sorted(others, key=lambda other: (other.finished, other.attempt)):
        measured = each.state == "done" and each.trust in ("measured", "reproduced")
        if measured and not each.is_baseline and (row_digest(each), each.seed) != own:
            entries[row_digest(each)][each.seed] = each
    primary = record.protocol.primary
    return [[r.metrics[primary].value for r in seeds.values()] for seeds in entries.values()]
