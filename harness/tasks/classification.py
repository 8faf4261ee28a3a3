"""Classification: which of the training labels is it? Judged by accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.adapter import Input
from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.errors import DataError
from harness.metrics.accuracy import (
    accuracy,
    accuracy_interval,
    balanced_accuracy,
    left_one_out,
    macro_f1,
)
from harness.records.record import Metric, MetricFacts
from harness.tasks.class_details import ItemJudge, item_groupings
from harness.tasks.mfcc import FILTERBANK
from harness.tasks.plain import standardised_with_training
from harness.tasks.task import (
    TRAINING_ACCURACY,
    Detailing,
    Judgement,
    Lists,
    Output,
    Scores,
    Side,
)


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
    validation_version: ClassVar[int] = 1
    primary: ClassVar[str] = "accuracy"
    output: ClassVar[Output] = "logits"
    baseline_name: ClassVar[str] = "nearest class mean"
    baseline_input: ClassVar[Input] = FILTERBANK
    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "accuracy": MetricFacts(title="accuracy", unit="%", higher_is_better=True),
        "balanced_accuracy": MetricFacts(title="balanced acc.", unit="%", higher_is_better=True),
        "macro_f1": MetricFacts(title="macro F1", unit="%", higher_is_better=True),
        "training_accuracy": TRAINING_ACCURACY,
    }

    def parameters(self) -> dict[str, Any]:
        """How intervals are made."""
        return {"interval": f"95 %, units resampled {self.resamples} times, logit-t"}

    @property
    def scores_with_training(self) -> bool:
        """Logits are enough."""
        return False

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """The split's labels.

        Raises:
            DataError: a label of the split was never trained.
        """
        items = listing.split_items(split, left_out)
        unknown = sorted(set(items["label"]) - set(listing.classes))
        if unknown:
            raise DataError(
                f"{listing.name}: {split}: labels that training has not: "
                f"{', '.join(unknown[:10])}; no network could answer them, so split otherwise, or "
                "leave their items away"
            )
        return Lists(items, listing.classes)

    def validate(self, side: Side) -> dict[str, float]:
        """Accuracy."""
        labels, decided = _decisions(side.outputs, side.lists)
        return {"accuracy": accuracy(labels, decided)}

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """The logits."""
        del validation, training
        return {"logits": test.outputs}

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Accuracy with its interval, balanced accuracy and macro F1 of test."""
        labels, decided = _decisions(scores["logits"], lists)
        correct, units = labels == decided, lists.items["unit"].to_numpy(str)
        interval = accuracy_interval(correct, units, resamples=self.resamples, seed=self.seed)
        value, names = accuracy(labels, decided), np.unique(units).tolist()
        return Judgement(
            metrics={
                "accuracy": Metric(value=value, low=interval.low, high=interval.high, unit="%"),
                "balanced_accuracy": Metric(value=balanced_accuracy(labels, decided), unit="%"),
                "macro_f1": Metric(value=macro_f1(labels, decided), unit="%"),
            },
            left_one_out={
                "accuracy": dict(zip(names, left_one_out(correct, units).tolist(), strict=True))
            },
        )

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Each class by itself, and groups of items by what the corpus tells of them."""
        labels, decided = _decisions(scores["logits"], lists)
        judge = ItemJudge(
            labels=labels,
            decided=decided,
            units=lists.items["unit"].to_numpy(str),
            resamples=self.resamples,
            seed=self.seed,
        )
        groupings = item_groupings(lists.items)
        return Detailing({name: each.broken_down(judge) for name, each in groupings.items()})

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Minus the squared distance of an item's standardised features to each class's mean."""
        train, asked = standardised_with_training(dataset, split)
        labels = dataset.subset("train").items["label"].to_numpy(str)
        means = np.stack([train[labels == label].mean(0) for label in dataset.classes])
        gaps = asked[:, None, :] - means[None]
        return np.asarray(-np.square(gaps).sum(-1), dtype=np.float32)


def _decisions(
    logits: NDArray[np.float32], lists: Lists
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    wanted = (len(lists.items), len(lists.classes))
    if logits.shape != wanted:
        raise DataError(f"logits of shape {logits.shape}; these lists want {wanted}")
    if not np.isfinite(logits).all():
        raise DataError("logits hold NaN or infinity; nothing can be decided from them")
    decided = np.asarray(lists.classes, dtype=str)[logits.argmax(axis=1)]
    return lists.items["label"].to_numpy(str), decided
