"""compare_systems(): recomputed from replicates by plain sums, and the laws they keep."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import t as student

from harness.metrics.operating_point import OperatingPoint
from harness.trials.system_report import SystemReport, judge
from harness.trials.systems import SystemDifference, compare_systems
from harness.trials.trial_speakers import Resampling, Speakers

POINTS = [OperatingPoint(), OperatingPoint(0.05, 1, 2)]
METRICS = [
    "eer",
    "min_dcf(p_target=0.01, c_miss=1, c_fa=1)",
    "min_dcf(p_target=0.05, c_miss=1, c_fa=2)",
]
SPEAKERS = 8


def reports(*gains: float) -> list[SystemReport]:
    """Systems scored on one list, the better the greater their gain."""
    rng = np.random.default_rng(0)
    enrol, test = (side.ravel().astype(np.int32) // 3 for side in np.mgrid[:24, :24])
    draws = rng.multinomial(SPEAKERS, np.full(SPEAKERS, 1 / SPEAKERS), size=60)
    sample = Resampling(Speakers(enrol, test, SPEAKERS, "utt2spk"), draws, 0, 0)
    shared = rng.normal(size=len(enrol))
    return [
        judge(
            f"system {place}",
            shared + rng.normal(size=len(enrol)) + gain * (enrol == test),
            enrol == test,
            POINTS,
            sample,
        )
        for place, gain in enumerate(gains)
    ]


def replicates(report: SystemReport, metric: str) -> tuple[float, list[float]]:
    estimates = [report.eer, *(cost.least for cost in report.costs)]
    estimate = estimates[METRICS.index(metric)]
    return estimate.value, estimate.replicates.tolist()


def plain(
    first: SystemReport, second: SystemReport, metric: str
) -> tuple[float, float, float, float]:
    """Value, low, high and uncorrected p."""
    (one, ones), (other, others) = replicates(first, metric), replicates(second, metric)
    apart = [a - b for a, b in zip(ones, others, strict=True)]
    mean = sum(apart) / len(apart)
    error = math.sqrt(sum((each - mean) ** 2 for each in apart) / (len(apart) - 1))
    reach = student.ppf(0.975, SPEAKERS - 1) * error
    value = one - other
    return value, value - reach, value + reach, 2 * student.sf(abs(value) / error, SPEAKERS - 1)


def corrected(p_values: list[float]) -> list[float]:
    """Holm's rule: the k-th least times how many are left, never less than one before."""
    found, most = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        most = max(most, p_values[place] * (len(p_values) - rank))
        found[place] = min(most, 1.0)
    return found


def numbers(row: SystemDifference) -> tuple[float, float, float, float]:
    found = row.difference
    return found.value, found.low, found.high, found.p


def test_every_pair_in_every_metric_is_what_replicates_give():
    systems = reports(1.0, 2.0, 2.1)
    rows = compare_systems(systems, SPEAKERS)
    assert [row.metric for row in rows] == [metric for metric in METRICS for _ in range(3)]
    for metric in METRICS:
        of_metric = [row for row in rows if row.metric == metric]
        pairs = list(combinations(systems, 2))
        assert [(row.first, row.second) for row in of_metric] == [
            (first.name, second.name) for first, second in pairs
        ]
        wanted = [plain(first, second, metric) for first, second in pairs]
        for row, numbers_wanted in zip(of_metric, wanted, strict=True):
            assert numbers(row) == pytest.approx(numbers_wanted, abs=1e-12)
        holm = corrected([p for *_, p in wanted])
        assert [row.p for row in of_metric] == pytest.approx(holm, abs=1e-12)
        assert any(row.p > row.difference.p for row in of_metric)


def test_a_better_system_is_told_from_a_worse_one():
    row, *_ = compare_systems(reports(0.5, 4.0), SPEAKERS)
    assert row.difference.value > 0.1
    assert row.difference.low > 0
    assert row.p == row.difference.p < 0.01  # of one pair, nothing to correct


def test_a_system_against_itself_differs_in_nothing():
    (system,) = reports(1.5)
    rows = compare_systems([system, replace(system, name="its copy")], SPEAKERS)
    assert [numbers(row) for row in rows] == [(0, 0, 0, 1)] * 3
    assert [row.p for row in rows] == [1, 1, 1]


def test_the_other_way_round_only_the_sign_differs():
    first, second = reports(1.0, 1.6)
    there, back = (
        compare_systems([first, second], SPEAKERS),
        compare_systems([second, first], SPEAKERS),
    )
    for one, other in zip(there, back, strict=True):
        value, low, high, p = numbers(other)
        assert numbers(one) == pytest.approx((-value, -high, -low, p), abs=1e-12)
        assert (one.first, one.second) == (other.second, other.first)


def test_one_system_has_no_difference():
    assert compare_systems(reports(1.0), SPEAKERS) == []
