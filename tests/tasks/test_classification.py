"""Classification against scikit-learn."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.neighbors import NearestCentroid

from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.datasets.lock import DatasetLock
from harness.datasets.packing.pack import Pack
from harness.errors import DataError
from harness.tasks.classification import Classification
from harness.tasks.task import Judgement, Lists, Side

CLASSES = ("ant", "bee", "cow")


def side(seed: int) -> Side:
    generator = np.random.Generator(np.random.PCG64(seed))
    labels = generator.choice(CLASSES, size=60, p=[0.6, 0.3, 0.1])
    logits = generator.normal(size=(60, 3)) + 1.5 * (labels[:, None] == np.array(CLASSES))
    items = pd.DataFrame({"label": labels, "unit": [f"u{row % 7}" for row in range(60)]})
    return Side(logits.astype(np.float32), Lists(items, CLASSES))


def judged(task: Classification, test: Side) -> Judgement:
    return task.judge(test.lists, task.score(side(99), test, None))


def pictures(seed: int = 0, test_label: str = "ant") -> OpenDataset:
    """A dataset of 4 x 4 pictures, half of them for training."""
    generator = np.random.Generator(np.random.PCG64(seed))
    labels = np.array([CLASSES[row % 3] for row in range(60)], dtype=object)
    levels = generator.integers(0, 90, (60, 4, 4)) + 40 * (np.arange(60) % 3)[:, None, None]
    levels = levels * np.array([1.0, 0.1, 1.0, 0.5])  # columns of very different spread
    labels[45] = test_label
    split = ["train"] * 30 + ["validation"] * 15 + ["test"] * 15
    ids = [str(row) for row in range(60)]
    items = pd.DataFrame({"id": ids, "unit": ids, "label": labels, "split": split})
    values = levels.astype(np.uint8).reshape(-1)
    pack = Pack(values, np.arange(61) * 16, np.full((60, 2), 4), "", {})
    corpus: Any = SimpleNamespace(kind="image")
    config: Any = SimpleNamespace(imbalance=None)
    listing = Listing("pictures", "quick", config, corpus, Path(), items, {})
    lock = DatasetLock(manifest="", split="", trials={}, content="", counts={})
    return OpenDataset(listing, pack, lock)


@pytest.mark.parametrize("seed", range(5))
def test_metrics_equal_those_of_scikit_learn(seed: int) -> None:
    test = side(seed)
    labels = test.lists.items["label"]
    decided = np.array(CLASSES)[test.outputs.argmax(1)]
    found = judged(Classification(resamples=50), test)
    values = {name: metric.value for name, metric in found.metrics.items()}
    assert values == pytest.approx(
        {
            "accuracy": accuracy_score(labels, decided),
            "balanced_accuracy": balanced_accuracy_score(labels, decided),
            "macro_f1": f1_score(labels, decided, average="macro"),
        }
    )
    interval = found.metrics["accuracy"]
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < interval.value < interval.high
    for unit, value in found.left_one_out["accuracy"].items():
        kept = (test.lists.items["unit"] != unit).to_numpy()
        assert value == pytest.approx(accuracy_score(labels[kept], decided[kept]))


def test_the_baseline_decides_as_scikit_learns_nearest_centroid() -> None:
    dataset, task = pictures(), Classification()
    content = dataset.pack.values.reshape(60, 16).astype(float)
    train, test = slice(0, 30), slice(45, 60)
    labels = dataset.listing.items["label"].to_numpy(str)
    scale = content[train].std(0)
    plain = NearestCentroid().fit(content[train] / scale, labels[train])
    found = np.array(CLASSES)[task.baseline(dataset, "test").argmax(1)]
    assert found.tolist() == plain.predict(content[test] / scale).tolist()
    assert len(set(found)) == 3


def test_logits_that_are_no_numbers_are_refused() -> None:
    test = side(0)
    test.outputs[1, 1] = np.nan
    with pytest.raises(DataError, match="logits hold NaN or infinity"):
        judged(Classification(), test)


def test_a_label_that_was_never_trained_is_named() -> None:
    dataset = pictures(test_label="dodo")
    with pytest.raises(DataError, match="test: labels that training has not: dodo"):
        Classification().lists(dataset.listing, "test")
    assert Classification().lists(pictures().listing, "test").classes == CLASSES
