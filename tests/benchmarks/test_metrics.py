"""EER and minDCF of millions of trials, beside the common ways of computing them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.rivals import (
    Least,
    Metrics,
    Rates,
    metrics_of,
    rates_by_order,
    rates_of_sklearn,
)
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns

pytestmark = ON_THE_PROCESSOR

TRIALS = 196 * 17_777
TARGETS = 17_755
POINT = OperatingPoint()

BUILT_IN = "argsort, cumulative sums and the built-in min (WeSpeaker, 3D-Speaker)"
NUMPY = "argsort, cumulative sums and np.min"
SKLEARN = "scikit-learn's roc_curve alone"
REQUIRED = {BUILT_IN: 12.0, NUMPY: 5.0, SKLEARN: 20.0}


@dataclass(frozen=True, eq=False)
class Scored:
    """Trials in any order, as a score file gives them."""

    scores: NDArray[np.floating[Any]]
    is_target: NDArray[np.bool_]


def scored(targets: int, dtype: type[np.floating[Any]]) -> Scored:
    rng = np.random.default_rng(20261120)
    nontargets = TRIALS - targets
    sides = rng.normal(0.52, 0.16, targets), rng.normal(0.12, 0.11, nontargets)
    order = rng.permutation(TRIALS)
    return Scored(np.concatenate(sides).astype(dtype)[order], (np.arange(TRIALS) < targets)[order])


def ours(trials: Scored) -> Metrics:
    # Parting the list is timed too: all contestants are given the same arrays.
    sides = trials.scores[trials.is_target], trials.scores[~trials.is_target]
    return Metrics(eer(*sides).value, min_dcf(*sides, POINT).value)


def by_order(trials: Scored, least: Least) -> Metrics:
    return metrics_of(rates_by_order(trials.scores, trials.is_target), POINT, least)


def contestants(trials: Scored) -> dict[str, Contestant[object]]:
    # The others read scores as Python floats, hence float64; they are not charged for that.
    wide = Scored(trials.scores.astype(np.float64), trials.is_target)
    return {
        BUILT_IN: Contestant(partial(by_order, wide, min)),
        NUMPY: Contestant(partial(by_order, wide, np.min)),
        SKLEARN: Contestant(partial(rates_of_sklearn, trials.scores, trials.is_target)),
    }


def check_values(trials: Scored) -> None:
    wide = Scored(trials.scores.astype(np.float64), trials.is_target)
    curve = rates_of_sklearn(trials.scores, trials.is_target)
    ascending = Rates(curve.miss[::-1], curve.false_alarm[::-1])
    expected = pytest.approx(ours(trials), rel=0, abs=1e-9)
    assert by_order(wide, min) == expected
    assert metrics_of(ascending, POINT, np.min) == expected


CASES = [
    pytest.param(TARGETS, np.float32, 5, True, id="float32"),
    pytest.param(TARGETS, np.float64, 3, False, id="float64"),
    pytest.param(TRIALS // 2, np.float32, 3, False, id="float32-balanced"),
    pytest.param(TRIALS // 2, np.float64, 3, False, id="float64-balanced"),
]


@pytest.mark.parametrize(("targets", "dtype", "rounds", "bound"), CASES)
def test_eer_and_min_dcf(
    targets: int,
    dtype: type[np.floating[Any]],
    rounds: int,
    bound: bool,
    benchmark: BenchmarkFixture,
    figures: list[Figure],
) -> None:
    trials = scored(targets, dtype)
    check_values(trials)
    mine = Contestant(partial(ours, trials))
    ratios = take_turns(benchmark, mine, contestants(trials), rounds=rounds)
    what = f"EER and minDCF of {TRIALS:,} {dtype.__name__} scores, {targets:,} of them targets"
    figures.append(Figure(what, 1000 * mine.best, "ms"))
    for name, ratio in ratios.items():
        least = REQUIRED[name] if bound else 1.0
        figures.append(Figure(f"… against {name}", ratio, "times as long", least=least))
    assert missed(figures) == []
