"""Groups of classified items against scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score

from harness.records.details_schema import Breakdown
from harness.tasks.classification import Classification
from harness.tasks.task import Lists
from tests.tasks.lists import GENRES, items_told

TASK = Classification(resamples=40)


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    """What is told apart is the genre, of which every item has one."""
    told = items_told(speakers=20)
    return told.assign(label=told["genre"].replace("", "speech")).drop(columns="genre")


@pytest.fixture(scope="module")
def logits(items: pd.DataFrame) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(1))
    right = items["label"].to_numpy()[:, None] == np.array(GENRES)
    return (generator.normal(size=right.shape) + 1.2 * right).astype(np.float32)


@pytest.fixture(scope="module")
def found(items: pd.DataFrame, logits: np.ndarray) -> dict[str, Breakdown]:
    detailing = TASK.detail(Lists(items, GENRES), {"logits": logits})
    assert detailing.det is None
    return detailing.breakdowns


def test_each_class_has_its_recall(
    found: dict[str, Breakdown], items: pd.DataFrame, logits: np.ndarray
) -> None:
    decided = np.array(GENRES)[logits.argmax(1)]
    recalls = recall_score(items["label"], decided, labels=GENRES, average=None)
    groups = found["class"].groups
    assert [group.name for group in groups] == list(GENRES)
    for group, recall in zip(groups, recalls, strict=True):
        estimate = group.metrics["accuracy"]
        assert estimate is not None
        assert estimate.value == pytest.approx(recall, rel=1e-5)
        assert estimate.low is not None
        assert estimate.low < estimate.value < (estimate.high or 0)
        assert (group.trials, group.targets, set(group.metrics)) == (None, None, {"accuracy"})
    assert sum(group.items for group in groups) == len(items)


@pytest.mark.parametrize("column", ["gender", "session"])
def test_each_column_parts_the_items(
    found: dict[str, Breakdown], items: pd.DataFrame, logits: np.ndarray, column: str
) -> None:
    decided = np.array(GENRES)[logits.argmax(1)]
    assert sum(group.items for group in found[column].groups) == len(items)
    for group in found[column].groups:
        own = (items[column] == group.name).to_numpy()
        labels, chosen = items["label"][own], decided[own]
        assert group.items == own.sum()
        assert group.units == items["unit"][own].nunique()
        values = {name: metric and metric.value for name, metric in group.metrics.items()}
        assert values == pytest.approx(
            {
                "accuracy": accuracy_score(labels, chosen),
                "balanced_accuracy": balanced_accuracy_score(labels, chosen),
                "macro_f1": f1_score(labels, chosen, average="macro"),
            },
            rel=1e-5,
        )


def test_a_small_class_is_counted_and_not_judged(items: pd.DataFrame, logits: np.ndarray) -> None:
    rare = items.assign(label=["dodo"] * 4 + list(items["label"][4:]))
    lists = Lists(rare, ("dodo", *GENRES))
    wider = np.pad(logits, ((0, 0), (1, 0)))
    groups = TASK.detail(lists, {"logits": wider}).breakdowns["class"].groups
    assert (groups[0].name, groups[0].items, groups[0].metrics) == ("dodo", 4, {"accuracy": None})


def test_a_class_of_few_units_has_no_interval(items: pd.DataFrame, logits: np.ndarray) -> None:
    of_one = items.assign(label=["dodo"] * 6 + list(items["label"][6:]))
    lists = Lists(of_one, ("dodo", *GENRES))
    wider = np.pad(logits, ((0, 0), (1, 0)))
    estimate = TASK.detail(lists, {"logits": wider}).breakdowns["class"].groups[0].metrics
    assert estimate["accuracy"] is not None
    assert estimate["accuracy"].low is None


def test_thirds_of_classes_by_their_training_items(items: pd.DataFrame, logits: np.ndarray) -> None:
    counts = tuple(30 - 5 * place for place in range(len(GENRES)))
    detailing = TASK.detail(Lists(items, GENRES, training_counts=counts), {"logits": logits})
    groups = detailing.breakdowns["frequency"].groups
    assert [group.name for group in groups] == ["head", "middle", "tail"]
    decided = np.array(GENRES)[logits.argmax(1)]
    thirds = np.array_split(np.array(GENRES), 3)
    for group, part in zip(groups, thirds, strict=True):
        own = items["label"].isin(part).to_numpy()
        estimate = group.metrics["accuracy"]
        assert estimate is not None
        assert estimate.value == pytest.approx((items["label"] == decided)[own].mean(), rel=1e-5)
        assert group.items == own.sum()
