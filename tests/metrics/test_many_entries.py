"""Ranks of many entries, computed together, against one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from harness.metrics.comparison import holm, two_sided_p
from harness.metrics.intervals import jackknife_error
from harness.metrics.seed_spread import SeedSpread, combine_errors, pool_spread, seed_variance
from harness.metrics.significance import (
    ComparedEntry,
    change_p_values,
    p_values,
    ranks_and_difference,
    smallest_visible_difference,
)
from harness.metrics.validation import MetricError

UNITS = [f"speaker-{index:02}" for index in range(30)]


def many(count: int, seed: int, several: bool) -> list[ComparedEntry]:
    """Entries whose values hang together; some are equal, some have a constant distance."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(0, 0.02, len(UNITS))
    rates = rng.uniform(0.1, 0.5, count)
    found = []
    for index, rate in enumerate(rates):
        left = rate + (hard if index % 3 == 0 else rng.normal(0, 0.02, len(UNITS)))
        around = rng.normal(0, 0.01, 1 + index % 3) if several else np.zeros(0)
        seeds = tuple(rate + around - around.mean()) if several else ()
        found.append(ComparedEntry(str(index), float(rate), UNITS, left, seeds))
    return [*found, found[0]]


def pair_by_pair(entries: list[ComparedEntry]) -> tuple[list[float], list[float]]:
    """Errors and freedoms of all pairs, each computed alone."""
    spread = pool_spread((entry.seeds for entry in entries), "logit")
    errors, freedoms = [], []
    for i, first in enumerate(entries):
        for second in entries[i + 1 :]:
            error = jackknife_error(first.left_out - second.left_out)
            freedom = float(len(UNITS) - 1)
            if spread is not None:
                own = [seed_variance(e.estimate, len(e.seeds), spread) for e in (first, second)]
                joined = combine_errors([error], len(UNITS) - 1, [sum(own)], spread.freedom)
                error, freedom = float(joined[0][0]), float(joined[1][0])
            errors.append(error)
            freedoms.append(freedom)
    return errors, freedoms


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("count", [2, 7, 40])
def test_all_pairs_together_are_each_pair_alone(count: int, several: bool) -> None:
    entries = many(count, seed=count, several=several)
    errors, freedoms = pair_by_pair(entries)
    pairs = [(i, k) for i in range(len(entries)) for k in range(i + 1, len(entries))]
    differences = np.array([entries[i].estimate - entries[k].estimate for i, k in pairs])
    wanted = holm(two_sided_p(differences, np.array(errors), np.array(freedoms)))
    got = p_values(entries)
    assert [got[i, k] for i, k in pairs] == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-15)
    visible = float(np.median(t.ppf(0.975, np.array(freedoms)) * np.array(errors)))
    assert smallest_visible_difference(entries) == pytest.approx(visible, rel=1e-12)


def test_both_at_once_are_each_alone() -> None:
    entries = many(30, seed=1, several=True)
    for higher in (True, False):
        told, visible = ranks_and_difference(entries, higher)
        table, values = p_values(entries), [entry.estimate for entry in entries]
        better = np.less.outer(values, values) if higher else np.greater.outer(values, values)
        assert told == [1 + int(count) for count in (better & (table < 0.05)).sum(axis=1)]
        assert visible == smallest_visible_difference(entries)
    with pytest.raises(MetricError, match="1 entries"):
        ranks_and_difference(entries[:1], higher_is_better=True)


@given(st.lists(st.floats(0.05, 0.6), min_size=2, max_size=12), st.integers(0, 9))
def test_the_median_is_the_same_whatever_the_seeds(rates: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    entries = [
        ComparedEntry(
            str(i),
            rate,
            UNITS[:4],
            rate + rng.normal(0, 0.1, 4),
            (0.9 * rate, 1.1 * rate) if i % 2 else (),
        )
        for i, rate in enumerate(rates)
    ]
    spread = pool_spread((entry.seeds for entry in entries), "logit")
    assert spread is not None
    values = []
    for i, first in enumerate(entries):
        for second in entries[i + 1 :]:
            own = [seed_variance(e.estimate, len(e.seeds), spread) for e in (first, second)]
            error = jackknife_error(first.left_out - second.left_out)
            joined, freedom = combine_errors([error], 3, [sum(own)], spread.freedom)
            values.append(float(t.ppf(0.975, freedom[0]) * joined[0]))
    assert smallest_visible_difference(entries) == pytest.approx(float(np.median(values)), rel=1e-9)


def test_changes_are_the_pairs_of_a_table_of_two() -> None:
    first, second, third = many(3, seed=2, several=True)[:3]
    spread = SeedSpread(0.1, freedom=4)
    alone = [change_p_values([pair], spread)[0] for pair in ((first, second), (second, third))]
    together = change_p_values([(first, second), (second, third)], spread)
    assert together.tolist() == pytest.approx(holm(alone).tolist())
    assert change_p_values([]).shape == (0,)
    plain = [ComparedEntry(e.name, e.estimate, e.units, e.left_out) for e in (first, second)]
    assert change_p_values([(plain[0], plain[1])])[0] == pytest.approx(p_values(plain)[0, 1])
    turned = change_p_values([(second, first)], spread)[0]
    assert turned == pytest.approx(alone[0])


def test_changes_of_other_units_are_refused() -> None:
    first, second = many(2, seed=3, several=False)[:2]
    short = ComparedEntry("short", second.estimate, UNITS[:29], second.left_out[:29])
    with pytest.raises(MetricError, match="not on the same units"):
        change_p_values([(first, short)])
