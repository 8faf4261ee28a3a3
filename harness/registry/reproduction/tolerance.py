"""How far a result may lie from a record's and still be that record made again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scipy.special import stdtrit

from harness.board.names import is_record
from harness.board.standing.rows import joined_by
from harness.metrics.seeds import SeedSpread, pooled_spread
from harness.records.attestation import Rule
from harness.records.record import Record
from harness.records.store import read_record
from harness.run.job.record_writing import RECORD

LEAST_FREEDOM = 2
"""Degrees of freedom below which a spread over seeds is not relied on."""

LEVEL = 0.95
"""Of two trainings that differ in their seed alone, how many are that near."""


@dataclass(frozen=True)
class Range:
    """The values that count as a record made again, ends included.

    Attributes:
        low, high: the least and the largest.
        rule: where they come from.
        told: the same, for readers.
    """

    low: float
    high: float
    rule: Rule
    told: str

    def holds(self, value: float) -> bool:
        """Whether a value is in it."""
        return self.low <= value <= self.high


def allowed(record: Record, others: Iterable[Record]) -> Range:
    """The range around a record's primary metric.

    Nothing trained: a rate may move by one trial, as rounding may swap two scores. Trained: two
    trainings that differ in seed alone differ by no more than t * sqrt(2) * s in 95 of 100 pairs,
    s the spread over seeds pooled over the table's other records; the record itself has no say in
    how far off it may be. Where that spread is not known: the record's interval over the test
    sample; where there is none, equality.

    Args:
        record: a done one.
        others: of its table, the record itself left out.
    """
    value = record.metrics[record.protocol.primary].value
    if record.is_baseline:
        return _one_trial(record, value)
    rate = _is_rate(record)
    spread = pooled_spread(_seeds(record, others), "logit" if rate else "plain")
    if spread is not None and spread.freedom >= LEAST_FREEDOM:
        return _within_seeds(value, spread, rate=rate)
    metric = record.metrics[record.protocol.primary]
    if metric.low is None or metric.high is None:
        return Range(value, value, "equal", "neither a spread over seeds nor an interval is known")
    told = "the record's 95 % interval over the test sample, as no spread over seeds is known"
    return Range(metric.low, metric.high, "interval", told)


def others_of(path: Path, record: Record) -> list[Record]:
    """The other records of a record's table, in the same published folder or runs folder.

    Raises:
        RequestError: a file among them is not a record.
    """
    in_runs = path.name == RECORD
    files = path.parents[2].glob(f"*/*/{RECORD}") if in_runs else path.parent.glob("*.json")
    beside = [file for file in sorted(files) if is_record(file.name) and file != path]
    return [each for each in map(read_record, beside) if _table(each) == _table(record)]


def _table(record: Record) -> tuple[str, str, int, str, str]:
    protocol = record.protocol
    rules = protocol.suite, protocol.profile, protocol.version, protocol.digest
    return (*rules, record.dataset.lock)


def _is_rate(record: Record) -> bool:
    return record.protocol.facts[record.protocol.primary].unit == "%"


def _one_trial(record: Record, value: float) -> Range:
    counts = record.dataset.counts.get("test", {})
    fewest = _fewest(counts)
    if not fewest or not _is_rate(record):
        return Range(value, value, "equal", "nothing is trained, so that no seed can change it")
    step = 1 / fewest
    told = f"one of {fewest:,} on either side: nothing is trained, rounding may swap two scores"
    return Range(max(0.0, value - step), min(1.0, value + step), "one trial", told)


def _fewest(counts: Mapping[str, int]) -> int:
    """Trials of the side that has fewer; items where there are no trials."""
    if "trials" in counts:
        return min(counts["targets"], counts["trials"] - counts["targets"])
    return counts.get("items", 0)


def _within_seeds(value: float, spread: SeedSpread, *, rate: bool) -> Range:
    quantile = float(stdtrit(spread.freedom, (1 + LEVEL) / 2))
    reach = quantile * math.sqrt(2) * spread.at(value)
    low, high = value - reach, value + reach
    if rate:
        low, high = max(0.0, low), min(1.0, high)
    told = (
        f"95 % of pairs of seeds, by the spread pooled over the table's other records "
        f"({spread.freedom} degrees of freedom)"
    )
    return Range(low, high, "seeds", told)


def _seeds(record: Record, others: Iterable[Record]) -> list[list[float]]:
    """For each entry measured in the table, its metric with each seed, the latest of each."""
    own = joined_by(record), record.seed
    entries: dict[str, dict[int | None, Record]] = defaultdict(dict)
    for each in sorted(others, key=lambda other: (other.finished, other.attempt)):
        measured = each.state == "done" and each.trust in ("measured", "reproduced")
        if measured and not each.is_baseline and (joined_by(each), each.seed) != own:
            entries[joined_by(each)][each.seed] = each
    primary = record.protocol.primary
    return [[r.metrics[primary].value for r in seeds.values()] for seeds in entries.values()]
