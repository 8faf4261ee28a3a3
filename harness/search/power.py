"""Which differences a test can tell apart: by its units, and by the seeds of each entry.

All rests on entries that were tested there: the error of a pair's difference over the test's units,
and the spread over training seeds pooled over entries (`harness.metrics.significance`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from scipy.special import stdtrit

from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.standing.table_ranks import seed_spread, values_by_unit
from harness.metrics.seed_spread import SeedSpread, combine_errors, seed_variance
from harness.metrics.significance import ComparedEntry, smallest_visible_difference

LEVEL = 0.05
POWER = 0.8
MOST_SEEDS = 20
"""Seeds beyond which nobody plans."""


@dataclass(frozen=True)
class Power:
    """What a test tells apart, in the unit of its metric (rates as fractions).

    Attributes:
        error: standard error of a pair's difference over the test's units.
        freedom: of that error: the units less one.
        spread: over training seeds; None if no entry was trained twice.
        typical: the value around which entries lie, at which the spread is taken.
    """

    error: float
    freedom: int
    spread: SeedSpread | None
    typical: float

    @property
    def units(self) -> int:
        """Test units."""
        return self.freedom + 1

    @property
    def limit(self) -> float:
        """The difference that no number of seeds gets below."""
        return self._quantile(self.freedom) * self.error

    def visible(self, seeds: int) -> float:
        """Return the least difference that one comparison calls significant.

        Args:
            seeds: of each of the two entries.
        """
        error, freedom = self._joined(seeds)
        return self._quantile(freedom) * error

    def found(self, seeds: int) -> float:
        """Return the difference that is called significant 8 times in 10 (`POWER`)."""
        error, freedom = self._joined(seeds)
        return (self._quantile(freedom) + float(stdtrit(freedom, POWER))) * error

    def seeds_for(self, difference: float) -> int | None:
        """Return the fewest seeds an entry that make a difference significant; None if none do."""
        counts = range(1, MOST_SEEDS + 1)
        return next((count for count in counts if self.visible(count) < abs(difference)), None)

    @property
    def worthwhile_seeds(self) -> int:
        """The fewest seeds from which on the units of the test are the greater part of the error.

        One if no spread is known: a first seed of each shows more than any rule.
        """
        counts = range(1, MOST_SEEDS + 1)
        return next((n for n in counts if self._seeds_part(n) <= self.error**2), MOST_SEEDS)

    def _seeds_part(self, seeds: int) -> float:
        return 2 * seed_variance(self.typical, seeds, self.spread) if self.spread else 0.0

    def _joined(self, seeds: int) -> tuple[float, float]:
        if self.spread is None:
            return self.error, float(self.freedom)
        part = [self._seeds_part(seeds)]
        errors, freedom = combine_errors([self.error], self.freedom, part, self.spread.freedom)
        return float(errors[0]), float(freedom[0])

    @staticmethod
    def _quantile(freedom: float) -> float:
        return float(stdtrit(freedom, 1 - LEVEL / 2))


@dataclass(frozen=True, eq=False)
class KnownPair:
    """Two entries that were tested on the same units.

    Attributes:
        first, second: their rows.
        difference: of the first from the second.
        power: of their own comparison.
    """

    first: Row
    second: Row
    difference: float
    power: Power

    @property
    def seeds(self) -> int | None:
        """Seeds that tell them apart if they differ as they were seen to; None if none do."""
        return self.power.seeds_for(self.difference)

    @property
    def is_decided(self) -> bool:
        """True if the seeds that both have are enough."""
        fewest = min(len(self.first.results), len(self.second.results))
        return self.seeds is not None and self.seeds <= fewest


def known_pairs(table: Table) -> tuple[KnownPair, ...]:
    """Return every pair of trained entries of a table that was tested on the same units."""
    return tuple(_pairs(_trained(table), table))


def table_power(table: Table) -> Power | None:
    """Return what a table's test tells apart of a typical pair; None of fewer than two entries.

    Where a single entry was trained, its difference from the baseline stands for a pair.
    """
    pairs = known_pairs(table) or tuple(_pairs(_compared(table), table))
    if not pairs:
        return None
    metric = table.protocol.primary
    values = [figure.value for row in _trained(table) if (figure := row.figure(metric))]
    error = statistics.median(pair.power.error for pair in pairs)
    return replace(pairs[0].power, error=error, typical=statistics.median(values))


def scaled(power: Power, units: int) -> Power:
    """Return what a test of another number of units of the same kind would tell apart.

    The error of a mean falls with the root of the units.
    """
    error = power.error * math.sqrt(power.units / units)
    return replace(power, error=error, freedom=units - 1)


def _compared(table: Table) -> list[Row]:
    metric = table.protocol.primary
    return [
        row
        for row in table.rows
        if row.is_compared and row.figure(metric) and row.left_one_out(metric)
    ]


def _trained(table: Table) -> list[Row]:
    return [row for row in _compared(table) if not row.first.is_baseline]


def _pairs(rows: Sequence[Row], table: Table) -> Iterator[KnownPair]:
    metric = table.protocol.primary
    spread = seed_spread(rows, metric, table.facts[metric])
    entries = {row: replace(values_by_unit(row, metric), seeds=()) for row in rows}
    for first, second in combinations(rows, 2):
        one, other = entries[first], entries[second]
        if {*one.units} != {*other.units} or len(one.units) < 2:
            continue
        yield KnownPair(
            first, second, one.estimate - other.estimate, _pair_power(one, other, spread)
        )


def _pair_power(one: ComparedEntry, other: ComparedEntry, spread: SeedSpread | None) -> Power:
    freedom = len(one.units) - 1
    quantile = float(stdtrit(freedom, 1 - LEVEL / 2))
    error = smallest_visible_difference([one, other], LEVEL) / quantile
    return Power(error, freedom, spread, (one.estimate + other.estimate) / 2)
