"""Classification: which of the training labels is it? Judged by accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.data.dataset import OpenDataset
from harness.errors import DataError
from harness.metrics.classification import (
    accuracy,
    accuracy_interval,
    balanced_accuracy,
    left_one_out,
    macro_f1,
)
from harness.records.record import Metric, MetricFacts
from harness.tasks.plain import standardised_features
from harness.tasks.task import TRAINING_ACCURACY, Evaluation, Output, Side


@dataclass(frozen=True, kw_only=True)
class Classification:
    """The largest logit decides.

    Attributes:
        resamples: draws of units behind an interval.
        seed: of the draws.
    """

    resamples: int = 1000
    seed: int = 20261120

    version: ClassVar[int] = 1
    primary: ClassVar[str] = "accuracy"
    output: ClassVar[Output] = "logits"
    baseline_name: ClassVar[str] = "nearest class mean"
    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "accuracy": MetricFacts(title="accuracy", unit="%", higher_is_better=True),
        "balanced_accuracy": MetricFacts(title="balanced acc.", unit="%", higher_is_better=True),
        "macro_f1": MetricFacts(title="macro F1", unit="%", higher_is_better=True),
        "training_accuracy": TRAINING_ACCURACY,
    }

    def parameters(self) -> dict[str, Any]:
        """How intervals are made."""
        return {"interval": f"95 %, units resampled {self.resamples} times, logit-t"}

    def side(self, dataset: OpenDataset, split: str, outputs: NDArray[np.float32]) -> Side:
        """Logits with the split's labels.

        Raises:
            DataError: a label of the split was never trained.
        """
        items = dataset.subset(split).items
        unknown = sorted(set(items["label"]) - set(dataset.classes))
        if unknown:
            raise DataError(f"{split}: labels that training has not: {', '.join(unknown[:10])}")
        return Side(outputs, items, dataset.classes)

    def validate(self, side: Side) -> dict[str, float]:
        """Accuracy."""
        labels, decided = _decisions(side)
        return {"accuracy": accuracy(labels, decided)}

    def evaluate(self, validation: Side, test: Side) -> Evaluation:
        """Accuracy with its interval, balanced accuracy and macro F1 of test."""
        del validation
        labels, decided = _decisions(test)
        correct, units = labels == decided, test.items["unit"].to_numpy(str)
        interval = accuracy_interval(correct, units, resamples=self.resamples, seed=self.seed)
        value, names = accuracy(labels, decided), np.unique(units).tolist()
        return Evaluation(
            metrics={
                "accuracy": Metric(value=value, low=interval.low, high=interval.high, unit="%"),
                "balanced_accuracy": Metric(value=balanced_accuracy(labels, decided), unit="%"),
                "macro_f1": Metric(value=macro_f1(labels, decided), unit="%"),
            },
            left_one_out={
                "accuracy": dict(zip(names, left_one_out(correct, units).tolist(), strict=True))
            },
            scores={"logits": test.outputs},
        )

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Minus the squared distance of an item's standardised features to each class's mean."""
        train = standardised_features(dataset, "train")
        labels = dataset.subset("train").items["label"].to_numpy(str)
        means = np.stack([train[labels == label].mean(0) for label in dataset.classes])
        gaps = standardised_features(dataset, split)[:, None, :] - means[None]
        return np.asarray(-np.square(gaps).sum(-1), dtype=np.float32)


def _decisions(side: Side) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    if not np.isfinite(side.outputs).all():
        raise DataError("logits hold NaN or infinity; nothing can be decided from them")
    decided = np.asarray(side.classes, dtype=str)[side.outputs.argmax(axis=1)]
    return side.items["label"].to_numpy(str), decided
