"""Top-5 accuracy and the calibration error beside the metrics of plain classification."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import top_k_accuracy_score

from harness.tasks.classification import Classification
from harness.tasks.classification_in_full import ClassificationInFull
from harness.tasks.task import Lists

TASK = ClassificationInFull(resamples=50)


def side(classes: int, items: int = 120) -> tuple[Lists, dict[str, np.ndarray]]:
    generator = np.random.Generator(np.random.PCG64(classes))
    names = tuple(f"c{each:02}" for each in range(classes))
    labels = generator.integers(0, classes, items)
    logits = generator.normal(size=(items, classes)) + 2 * np.eye(classes)[labels]
    table = pd.DataFrame(
        {"label": np.array(names)[labels], "unit": [f"u{row % 9}" for row in range(items)]}
    )
    return Lists(table, names), {"logits": logits.astype(np.float32)}


def test_it_adds_to_plain_classification() -> None:
    lists, scores = side(12)
    plain = Classification(resamples=50).judge(lists, scores)
    found = TASK.judge(lists, scores)
    assert {name: found.metrics[name] for name in plain.metrics} == plain.metrics
    assert found.left_one_out["accuracy"] == plain.left_one_out["accuracy"]
    assert found.metrics.keys() == TASK.facts.keys() - {"training_accuracy"}
    assert TASK.parameters()["calibration_bins"] == 15


def test_top_5_is_scikit_learns() -> None:
    lists, scores = side(12)
    metric = TASK.judge(lists, scores).metrics["top_5_accuracy"]
    labels = lists.items["label"].to_numpy(str)
    wanted = top_k_accuracy_score(labels, scores["logits"], k=5, labels=list(lists.classes))
    assert metric.value == pytest.approx(wanted)
    assert metric.low is not None
    assert metric.low < metric.value < (metric.high or 0)
    assert set(TASK.judge(lists, scores).left_one_out["top_5_accuracy"]) == set(lists.items["unit"])


def test_the_calibration_error_is_by_its_formula() -> None:
    lists, scores = side(7)
    chances = torch.from_numpy(scores["logits"]).double().softmax(1)
    confidence, decided = chances.max(1)
    labels = torch.tensor([lists.classes.index(each) for each in lists.items["label"]])
    wanted = 0.0
    for low in range(15):
        own = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if own.any():
            gap = (decided[own] == labels[own]).double().mean() - confidence[own].mean()
            wanted += float(own.double().mean() * gap.abs())
    found = TASK.judge(lists, scores).metrics["calibration_error"]
    assert found.value == pytest.approx(wanted)
    assert found.low is None


def test_of_five_classes_the_true_one_is_always_among_the_first() -> None:
    found = TASK.judge(*side(5))
    assert "top_5_accuracy" not in found.metrics
    assert "calibration_error" in found.metrics
