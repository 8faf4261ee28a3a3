"""Which differences a test tells apart: the board's own statistics, asked before anything runs."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.metrics.seed_spread import SeedSpread
from harness.search.power import MOST_SEEDS, Power, known_pairs, scaled, table_power
from tests.board.conftest import make_record


def table_of(values: dict[str, list[float]], units: int = 24) -> Table:
    records = [
        make_record(model, value=value, seed=seed, units=units)
        for model, seeds in values.items()
        for seed, value in enumerate(seeds)
    ]
    (made,) = tables(map(FiledRecord, records))
    return made


def test_it_foretells_what_the_board_sees_with_as_many_seeds() -> None:
    table = table_of({"a": [0.05, 0.06, 0.055], "bb": [0.07, 0.065, 0.075]})
    power, spread = table_power(table), table.ranking.spread
    assert power is not None
    assert spread is not None
    # The board takes the spread at each entry's own value, the power at the middle of all.
    assert power.visible(3) == pytest.approx(table.ranking.visible, rel=0.02)
    variance = power.error**2 + 2 * spread.at(power.typical) ** 2 / 3
    low, high = (stats.t.ppf(0.975, freedom) for freedom in (power.freedom + 4, 4))
    assert low < power.visible(3) / math.sqrt(variance) < high


def test_an_exported_file_is_no_entry_to_tell_apart() -> None:
    records = [make_record("a", value=0.05), make_record("b", value=0.07)]
    exported = make_record("a", value=0.05, track="exported", recipe_name="short, exported as x")
    (with_it,) = tables(map(FiledRecord, [*records, exported]))
    (pair,) = known_pairs(with_it)
    assert {pair.first.first.entry, pair.second.first.entry} == {"a + aam", "b + aam"}


def test_more_seeds_tell_more_apart_down_to_what_the_units_allow() -> None:
    power = Power(0.005, 49, SeedSpread(0.15, freedom=10), typical=0.06)
    seen = [power.visible(count) for count in range(1, 200)]
    assert all(later < earlier for earlier, later in pairwise(seen))
    assert power.limit < seen[-1] < 1.05 * power.limit
    assert power.limit == pytest.approx(stats.t.ppf(0.975, 49) * 0.005)
    assert power.seeds_for(power.limit) is None
    needed = power.seeds_for(power.visible(4) * 1.0001)
    assert needed == 4
    assert power.seeds_for(-1.0) == 1
    assert 2 * (0.15 * 0.06 * 0.94) ** 2 / power.worthwhile_seeds <= 0.005**2


def test_a_difference_that_is_found_is_found_eight_times_in_ten() -> None:
    power = Power(0.01, 29, None, typical=0.1)
    random = np.random.default_rng(0)
    draws = 40_000
    seen = power.found(1) + power.error * random.standard_normal(draws)
    errors = power.error * np.sqrt(random.chisquare(29, draws) / 29)
    share = np.mean(seen / errors > stats.t.ppf(0.975, 29))
    # The approximation of a noncentral t by a shifted one is within a hundredth here.
    assert share == pytest.approx(0.8, abs=0.01)


def test_without_a_second_seed_no_spread_is_invented() -> None:
    power = table_power(table_of({"a": [0.05], "bb": [0.06]}))
    assert power is not None
    assert (power.spread, power.worthwhile_seeds) == (None, 1)
    assert power.visible(1) == power.visible(MOST_SEEDS) == power.limit


def test_nothing_is_said_of_one_entry_alone() -> None:
    assert table_power(table_of({"a": [0.05]})) is None


def test_four_times_the_units_halve_the_error() -> None:
    power = Power(0.01, 24, None, typical=0.1)
    assert scaled(power, 100).error == pytest.approx(0.005)
    assert scaled(power, 100).units == 100


def test_a_pair_is_decided_where_the_ranks_say_so() -> None:
    table = table_of({"a": [0.05, 0.051], "bb": [0.09, 0.091], "ccc": [0.0502, 0.0508]})
    pairs = {(p.first.first.model.name, p.second.first.model.name): p for p in known_pairs(table)}
    assert pairs["a", "bb"].is_decided
    assert pairs["a", "ccc"].seeds is None
    assert not pairs["a", "ccc"].is_decided
