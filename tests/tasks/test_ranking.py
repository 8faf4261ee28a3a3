"""Ranking judged on small lists against loops over their pairs."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.datasets.lock import DatasetLock
from harness.datasets.packing.pack import Pack
from harness.datasets.ranked_pairs import draw_ranked_pairs
from harness.errors import ConfigError, DataError
from harness.tasks.ranking import Ranking
from harness.tasks.task import Lists, Side
from harness.trials.index import TrialTable, index_trials

TASK = Ranking(resamples=40)


def graded(count: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"clip-{place:02}" for place in range(count)],
            "unit": [f"object-{place % 8}" for place in range(count)],
            "grade": rng.normal(size=count),
        }
    )


def side(noise: float = 1.0, seed: int = 1) -> Side:
    items = graded()
    table = draw_ranked_pairs(items, 300, "x")
    lists = Lists(items, trials=index_trials(TrialTable(table), items, "x"))
    rng = np.random.default_rng(seed)
    scores = items["grade"].to_numpy() + noise * rng.normal(size=len(items))
    return Side(scores.astype(np.float32)[:, None], lists)


def slow_points(found: Side) -> dict[tuple[str, str], float]:
    """Each pair's units and points, by a loop over its rows."""
    trials, items, scores = found.lists.trials, found.lists.items, found.outputs[:, 0]
    assert trials is not None
    points = {}
    for enrol, test in zip(trials.enrol, trials.test, strict=True):
        ordered = items["grade"][enrol] > items["grade"][test]
        points[(items["id"][enrol], items["id"][test])] = float(
            (scores[enrol] > scores[test]) == ordered
        )
    return points


def test_metrics_are_those_of_a_loop_over_the_list() -> None:
    found = side()
    judged = TASK.judge(found.lists, TASK.score(found, found, None))
    points = slow_points(found)
    mean = sum(points.values()) / len(points)
    metric, tau = judged.metrics["pair_accuracy"], judged.metrics["kendall_tau"]
    assert metric.value == pytest.approx(mean)
    grades = found.lists.items["grade"]
    assert tau.value == pytest.approx(kendalltau(found.outputs[:, 0], grades).statistic)
    for each in (metric, tau):
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.value < each.high
    assert TASK.validate(found) == pytest.approx(
        {"pair_accuracy": metric.value, "kendall_tau": tau.value}
    )


def test_an_object_left_out_takes_all_its_pairs_away() -> None:
    found = side()
    left = TASK.judge(found.lists, TASK.score(found, found, None)).left_one_out
    unit = dict(zip(found.lists.items["id"], found.lists.items["unit"], strict=True))
    points = slow_points(found)
    for lost, value in left["pair_accuracy"].items():
        kept = [point for pair, point in points.items() if lost not in map(unit.get, pair)]
        assert value == pytest.approx(sum(kept) / len(kept))
    assert left["kendall_tau"].keys() == set(unit.values())


def test_a_perfect_a_reversed_and_an_empty_ranking() -> None:
    perfect = side(noise=0.0)
    for outputs, accuracy, tau in (
        (perfect.outputs, 1, 1),
        (-perfect.outputs, 0, -1),
        (0 * perfect.outputs, 0.5, 0),
    ):
        judged = TASK.judge(perfect.lists, {"logits": outputs}).metrics
        assert judged["pair_accuracy"].value == accuracy
        assert judged["kendall_tau"].value == pytest.approx(tau)


def test_pairs_of_unlike_grade_are_ordered_better_than_those_of_like() -> None:
    found = side()
    (groups,) = TASK.detail(found.lists, {"logits": found.outputs}).breakdowns.values()
    metrics = [group.metrics["pair_accuracy"] for group in groups.groups]
    values = [metric.value for metric in metrics if metric is not None]
    assert [group.name for group in groups.groups] == ["close", "apart", "far apart"]
    assert values == sorted(values)
    assert np.mean(values) == pytest.approx(np.mean(list(slow_points(found).values())), abs=1e-6)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (np.zeros((40, 3), np.float32), r"scores of shape \(40, 3\); these lists want \(40, 1\)"),
        (np.full((40, 1), np.nan, np.float32), "NaN or infinity"),
    ],
)
def test_outputs_that_rank_nothing_are_refused(outputs: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        TASK.judge(side().lists, {"logits": outputs})


def dataset(items: pd.DataFrame, tables: dict[str, TrialTable]) -> OpenDataset:
    rng = np.random.default_rng(0)
    values = rng.integers(-9000, 9000, len(items) * 100).astype(np.int16)
    offsets = np.arange(len(items) + 1) * 100
    pack = Pack(values, offsets, np.full((len(items), 1), 100), "", {})
    anything: Any = SimpleNamespace(kind="audio")
    listing = Listing("clips", "quick", anything, anything, Path(), items, tables)
    lock = DatasetLock(manifest="", split="", trials={}, content="", counts={})
    return OpenDataset(listing, pack, lock)


def test_a_dataset_that_ranks_nothing_is_refused_with_the_mend() -> None:
    items = graded().assign(split="test", label="x")
    for table, tables in itertools.product((items, items.drop(columns="grade")), ({},)):
        listing = dataset(table, tables).listing
        with pytest.raises(ConfigError, match=r"datasets\.clips: ranks no items; .*rank_pairs"):
            TASK.lists(listing, "test")


def test_the_lists_are_the_splits_own_pairs() -> None:
    items = graded().assign(split="test", label="x")
    pairs = draw_ranked_pairs(items, 50, "x")
    lists = TASK.lists(dataset(items, {"test": TrialTable(pairs)}).listing, "test")
    assert lists.trials is not None
    assert len(lists.trials) == 50


def test_the_row_without_training_is_the_peak() -> None:
    opened = dataset(graded().assign(split="test", label="x"), {})
    wanted = np.abs(opened.pack.values.reshape(40, 100).astype(np.float32)).max(1)
    assert np.array_equal(TASK.baseline(opened, "test"), wanted[:, None])


def test_one_pair_is_the_smallest_step() -> None:
    assert Ranking.smallest_step({"pair": 50, "items": 7}) == 1 / 50
    assert Ranking.smallest_step({"items": 7}) is None
