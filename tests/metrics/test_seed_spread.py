"""The spread of seeds: against plain sums, and a world in which the truth is known."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import ttest_ind

from harness.metrics.comparison import two_sided_p
from harness.metrics.seed_spread import SeedSpread, combine_errors, pool_spread, seed_variance
from harness.metrics.validation import MetricError

POSITIVE = st.floats(1e-3, 1e3)


def test_plain_pooling_is_sums_of_squares_over_degrees_of_freedom() -> None:
    entries = [[4.0, 6.0, 5.5], [1.0, 1.4], [9.0]]
    squares = sum((len(each) - 1) * statistics.variance(each) for each in entries[:2])
    got = pool_spread(entries, scale="plain")
    assert got == SeedSpread(pytest.approx(math.sqrt(squares / 3)), 3, "plain")
    assert got is not None
    assert got.at(100.0) == got.sd


def test_rates_are_pooled_as_parts_of_their_slope() -> None:
    entries = [[0.02, 0.03], [0.2, 0.3, 0.1]]
    squares = 0.0
    for each in entries:
        mean = statistics.fmean(each)
        squares += sum(((value - mean) / (mean * (1 - mean))) ** 2 for value in each)
    got = pool_spread(entries)
    assert got == SeedSpread(pytest.approx(math.sqrt(squares / 3)), 3, "logit")
    assert got is not None
    assert got.at(0.1) == pytest.approx(got.sd * 0.09)


def test_close_rates_have_the_spread_of_their_logits() -> None:
    rates = expit(logit(0.07) + 0.01 * np.random.default_rng(0).normal(size=(5, 4)))
    logits = math.sqrt(np.mean(np.var(logit(rates), axis=1, ddof=1)))
    got = pool_spread(rates.tolist())
    assert got is not None
    assert got.sd == pytest.approx(logits, rel=1e-3)


@given(st.lists(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4), max_size=5))
def test_accuracy_and_error_rate_have_one_spread(entries: list[list[float]]) -> None:
    wrong = [[1 - value for value in each] for each in entries]
    one, other = pool_spread(entries), pool_spread(wrong)
    assert (one is None) == (other is None) == all(len(each) < 2 for each in entries)
    if one and other:
        assert (one.sd, one.freedom) == (pytest.approx(other.sd, abs=1e-9), other.freedom)


def test_nothing_is_known_of_single_seeds_and_of_ends_of_the_scale() -> None:
    assert pool_spread([]) is None
    assert pool_spread([[0.1], [0.2], []]) is None
    assert pool_spread([[0.0, 0.0], [1.0, 1.0], [0.3]]) is None
    assert pool_spread([[0.0, 0.0], [0.3, 0.3]]) == SeedSpread(0.0, 1)


def test_a_mean_over_seeds_varies_less_and_a_baseline_not_at_all() -> None:
    spread = SeedSpread(0.2, freedom=3)
    assert seed_variance(0.5, 1, spread) == pytest.approx(0.05**2)
    assert seed_variance(0.5, 3, spread) == pytest.approx(0.05**2 / 3)
    assert seed_variance(0.5, 0, spread) == 0


def test_without_a_test_error_two_entries_are_the_two_sample_t_test() -> None:
    first, second = [0.50, 0.52, 0.57], [0.58, 0.61]
    spread = pool_spread([first, second], scale="plain")
    assert spread is not None
    variance = seed_variance(0.53, 3, spread) + seed_variance(0.595, 2, spread)
    errors, freedom = combine_errors([0.0], 20, [variance], spread.freedom)
    p = two_sided_p(np.array([0.53 - 0.595]), errors, freedom)
    assert p[0] == pytest.approx(ttest_ind(first, second).pvalue, abs=1e-12)


@given(POSITIVE, st.integers(1, 200), POSITIVE, st.integers(1, 200))
def test_freedom_lies_between_the_lesser_and_the_sum(
    test: float, test_freedom: int, seeds: float, seed_freedom: int
) -> None:
    errors, freedom = combine_errors([test], test_freedom, [seeds**2], seed_freedom)
    assert errors[0] == pytest.approx(math.hypot(test, seeds))
    low, high = min(test_freedom, seed_freedom), test_freedom + seed_freedom
    assert low * (1 - 1e-9) <= freedom[0] <= high * (1 + 1e-9)


def test_freedom_is_satterthwaites() -> None:
    a, b = 0.04**2, 0.03**2
    _, freedom = combine_errors([0.04], 39, [b], 4)
    assert freedom[0] == pytest.approx((a + b) ** 2 / (a**2 / 39 + b**2 / 4))


def test_one_part_alone_keeps_its_own_freedom() -> None:
    errors, freedom = combine_errors([0.1, 0.0, 0.0], 39, [0.0, 0.04, 0.0], 4)
    assert errors == pytest.approx(np.array([0.1, 0.2, 0.0]))
    assert freedom == pytest.approx(np.array([39.0, 4.0, 39.0]))


def test_pooling_as_logits_keeps_false_alarms_at_alpha_where_rates_differ() -> None:
    """Pooled with good entries, plain spreads are too small for poor ones."""
    rng, called = np.random.default_rng(0), {"logit": 0, "plain": 0}
    middles = np.array([0.02, 0.02, 0.25, 0.25])
    for _ in range(1000):
        rates = expit(logit(middles)[:, np.newaxis] + 0.2 * rng.normal(size=(4, 3)))
        for scale in ("logit", "plain"):
            spread = pool_spread(rates.tolist(), scale=scale)  # type: ignore[arg-type]
            assert spread is not None
            means = rates.mean(axis=1)
            variance = seed_variance(means[2], 3, spread) + seed_variance(means[3], 3, spread)
            errors, freedom = combine_errors([0.0], 39, [variance], spread.freedom)
            called[scale] += two_sided_p(means[2:3] - means[3:], errors, freedom)[0] < 0.05
    assert called["logit"] < 70  # 50 expected; 70 is three standard deviations above
    assert called["plain"] > 100


@pytest.mark.parametrize(("seed_freedom", "most"), [(1, 13.5), (2, 8.5), (3, 7.0), (4, 6.5)])
@pytest.mark.parametrize("share", [0.0, 0.5, 2.0, 16.0])
def test_false_alarms_with_few_degrees_of_freedom(
    seed_freedom: int, most: float, share: float
) -> None:
    """The limits that docs/statistics.md tells; each is told half a point sharper there."""
    rng, size, units = np.random.default_rng(1), 20_000, 40
    test = np.sqrt(rng.chisquare(units - 1, size) / (units - 1))
    seeds = share * rng.chisquare(seed_freedom, size) / seed_freedom
    differences = math.sqrt(1 + share) * rng.normal(size=size)
    errors, freedom = combine_errors(test, units - 1, seeds, seed_freedom)
    called = 100 * np.mean(two_sided_p(differences, errors, freedom) < 0.05)
    assert 4.0 < called < most


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([[0.1, 1.2]], "metric of 1.2 has no logit.*scale='plain'"),
        ([[0.1, -0.2]], "metric of -0.2 has no logit"),
        ([[0.1, math.nan]], "a metric over seeds: 1 of 2 are NaN"),
    ],
)
def test_refuses_what_has_no_spread_as_logits(entries: list[list[float]], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        pool_spread(entries)


def test_metrics_above_one_are_pooled_as_they_are() -> None:
    assert pool_spread([[1.2, 3.2]], scale="plain") == SeedSpread(
        pytest.approx(math.sqrt(2)), 1, "plain"
    )
