"""Folds over units, and the value over folds against all computed again without each unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.accuracy import accuracy, balanced_accuracy, left_one_out
from harness.metrics.intervals import jackknife_error
from harness.metrics.k_folds import over_folds, unit_folds
from harness.metrics.significance import ComparedEntry
from harness.metrics.validation import MetricError

SPEAKERS = [f"speaker-{index:02d}" for index in range(12)]
NAMES = st.sets(st.text(min_size=1, max_size=5), min_size=4, max_size=40)
Metric = Callable[[np.ndarray, np.ndarray], float]  # type: ignore[type-arg]


@given(NAMES, st.integers(2, 6), st.integers(0, 9))
def test_each_unit_has_one_fold_of_nearly_equal_size(
    names: set[str], folds: int, seed: int
) -> None:
    if len(names) < 2 * folds:
        with pytest.raises(MetricError, match="2 units a fold"):
            unit_folds(names, folds, seed=seed)
        return
    dealt = unit_folds(names, folds, seed=seed)
    sizes = Counter(dealt.values())
    assert list(dealt) == sorted(names)
    assert sorted(sizes) == list(range(folds))
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_only_seed_and_names_make_the_folds() -> None:
    dealt = unit_folds(SPEAKERS, 4, seed=7)
    assert unit_folds(np.array(SPEAKERS * 3)[::-1], 4, seed=7) == dealt
    assert len({tuple(unit_folds(SPEAKERS, 4, seed=seed).values()) for seed in range(10)}) == 10
    # Written down once: another machine or version has to deal the same.
    assert "".join(str(fold) for fold in dealt.values()) == "130210320321"


def test_seeds_deal_evenly() -> None:
    first = Counter(unit_folds(SPEAKERS, 4, seed=seed)[SPEAKERS[0]] for seed in range(400))
    assert all(60 < first[fold] < 140 for fold in range(4))


def metric_over_folds(metric: Metric, items, dealt: dict[str, int]) -> float:  # type: ignore[no-untyped-def]
    units, labels, decided = items
    of = np.array([dealt[unit] for unit in units])
    return float(np.mean([metric(labels[of == k], decided[of == k]) for k in np.unique(of)]))


def without(items, unit: str):  # type: ignore[no-untyped-def]
    return tuple(column[items[0] != unit] for column in items)


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy])
def test_left_one_out_equals_everything_again_without_the_unit(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    units = rng.choice(SPEAKERS, 400)
    labels = rng.integers(0, 4, 400)
    decided = np.where(rng.random(400) < 0.6, labels, rng.integers(0, 4, 400))
    items, dealt = (units, labels, decided), unit_folds(units, 3, seed=0)
    values, left_out = [], []
    for k in range(3):
        mine = [unit for unit in dealt if dealt[unit] == k]
        fold = tuple(column[np.isin(units, mine)] for column in items)
        values.append(metric(*fold[1:]))
        left_out.append({unit: metric(*without(fold, unit)[1:]) for unit in mine})
    value, joined = over_folds(values, left_out)
    assert value == pytest.approx(metric_over_folds(metric, items, dealt), abs=1e-12)
    assert list(joined) == SPEAKERS
    for unit, got in joined.items():
        wanted = metric_over_folds(metric, without(items, unit), dealt)
        assert got == pytest.approx(wanted, abs=1e-12)


def test_the_jackknife_of_a_mean_is_as_wide_as_told() -> None:
    rng = np.random.default_rng(5)
    correct = rng.random((4, 3, 50)) < rng.uniform(0.5, 0.9, (4, 3, 1))
    names = np.array(SPEAKERS).reshape(4, 3)
    left_out = [
        dict(zip(names[k], left_one_out(correct[k].ravel(), names[k].repeat(50)), strict=True))
        for k in range(4)
    ]
    value, joined = over_folds([float(fold.mean()) for fold in correct], left_out)
    entry = ComparedEntry("folds", value, list(joined), np.array(list(joined.values())))
    within = correct.mean(axis=2).var(axis=1, ddof=1).mean()
    wanted = np.sqrt(within / 12) * np.sqrt(3 * 11 / (2 * 12))
    assert jackknife_error(entry.left_out) == pytest.approx(wanted, rel=1e-9)


def test_refuses_unusable_folds() -> None:
    fold = {"ann": 0.1, "bob": 0.2}
    with pytest.raises(MetricError, match="2 values and 1 left-one-out"):
        over_folds([0.1, 0.2], [fold])
    with pytest.raises(MetricError, match="1 values and 1 left-one-out"):
        over_folds([0.1], [fold])
    with pytest.raises(MetricError, match="fold 1: 1 units"):
        over_folds([0.1, 0.2], [fold, {"eve": 0.1}])
    with pytest.raises(MetricError, match="1 units are in more than one fold, the first is 'bob'"):
        over_folds([0.1, 0.2], [fold, {"bob": 0.1, "eve": 0.1}])
    with pytest.raises(MetricError, match=r"fold 1: 1 of 2 .* the first without 'kim'"):
        over_folds([0.1, 0.2], [fold, {"eve": 0.1, "kim": float("nan")}])
    with pytest.raises(MetricError, match="fold 0: the metric is inf"):
        over_folds([float("inf"), 0.2], [fold, {"eve": 0.1, "kim": 0.1}])


def test_refuses_unusable_units() -> None:
    with pytest.raises(MetricError, match="1 of 2 units are no strings, as 3"):
        unit_folds(["ann", 3], 2, seed=0)  # type: ignore[list-item]
    with pytest.raises(MetricError, match="12 units in 1 folds"):
        unit_folds(SPEAKERS, 1, seed=0)
