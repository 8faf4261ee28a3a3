"""Classification: which of the training labels is it? Judged by accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.adapter import Input
from harness.data.training_labels import TRUE_LABEL
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
from harness.metrics.intervals import Interval
from harness.records.details_schema import Group, GroupMetric
from harness.records.record import Metric, MetricFacts
from harness.tasks import groupings
from harness.tasks.groupings import Grouping
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
    """The class of the largest logit is decided for.

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
    decides: ClassVar[tuple[str, ...]] = ()
    baseline_name: ClassVar[str] = "nearest class mean"
    sections: ClassVar[tuple[str, ...]] = (
        "harness.report.sections.confusion:section",
        "harness.report.sections.conditions:section",
        "harness.report.sections.mistakes:section",
    )
    baseline_input: ClassVar[Input] = FILTERBANK
    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "accuracy": MetricFacts(title="accuracy", unit="%", higher_is_better=True),
        "balanced_accuracy": MetricFacts(title="balanced acc.", unit="%", higher_is_better=True),
        "macro_f1": MetricFacts(title="macro F1", unit="%", higher_is_better=True),
        "training_accuracy": TRAINING_ACCURACY,
    }

    def parameters(self) -> dict[str, Any]:
        """Return the rule by which intervals are made."""
        return {"interval": f"95 %, units resampled {self.resamples} times, logit-t"}

    @property
    def scores_with_training(self) -> bool:
        """Logits are enough."""
        return False

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """Return the split's labels.

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
        return Lists(items, listing.classes, training_counts=_rare_classes(listing))

    def validate(self, side: Side) -> dict[str, float]:
        """Compute accuracy."""
        return {"accuracy": accuracy(*_decisions(side.outputs, side.lists))}

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """Return the logits of test."""
        del validation, training
        return {"logits": test.outputs}

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Compute accuracy with its interval, balanced accuracy and macro F1 of test."""
        labels, decided = _decisions(scores["logits"], lists)
        correct, units = labels == decided, lists.items["unit"].to_numpy(str)
        value, interval = accuracy(labels, decided), self._interval(correct, units)
        left = zip(np.unique(units).tolist(), left_one_out(correct, units).tolist(), strict=True)
        return Judgement(
            metrics={
                "accuracy": Metric(value=value, low=interval.low, high=interval.high, unit="%"),
                "balanced_accuracy": Metric(value=balanced_accuracy(labels, decided), unit="%"),
                "macro_f1": Metric(value=macro_f1(labels, decided), unit="%"),
            },
            left_one_out={"accuracy": dict(left)},
        )

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Judge each class by itself, and groups of items by the corpus's own columns."""
        every = (*_decisions(scores["logits"], lists), lists.items["unit"].to_numpy(str))

        def judge(name: str, own: NDArray[np.bool_]) -> Group:
            return self._judge_group(name, *(array[own] for array in every))

        found = item_groupings(lists.items)
        if lists.training_counts:
            labels = lists.items["label"].to_numpy(str)
            thirds = groupings.by_frequency(labels, lists.classes, lists.training_counts)
            found["frequency"] = thirds
        return Detailing({name: each.broken_down(judge) for name, each in found.items()})

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Return minus the squared distance of an item's features to each class's mean."""
        train, asked = standardised_with_training(dataset, split)
        labels = dataset.subset("train").items["label"].to_numpy(str)
        means = np.stack([train[labels == label].mean(0) for label in dataset.classes])
        gaps = asked[:, None, :] - means[None]
        return np.asarray(-np.square(gaps).sum(-1), dtype=np.float32)

    def _interval(self, correct: NDArray[np.bool_], units: NDArray[np.str_]) -> Interval:
        return accuracy_interval(correct, units, resamples=self.resamples, seed=self.seed)

    def _judge_group(
        self,
        name: str,
        labels: NDArray[np.str_],
        decided: NDArray[np.str_],
        units: NDArray[np.str_],
    ) -> Group:
        """Judge a group by its true and decided classes and its units, each `[items]`."""
        enough, different = len(labels) >= groupings.FEWEST, len(np.unique(units))
        metrics: dict[str, GroupMetric | None] = {"accuracy": None}
        if enough:
            value, interval = accuracy(labels, decided), None
            if different >= groupings.FEWEST:
                interval = self._interval(labels == decided, units)
            ends = {} if interval is None else {"low": interval.low, "high": interval.high}
            metrics["accuracy"] = GroupMetric(value=value, **ends)
        if len(np.unique(labels)) > 1:
            for metric in (balanced_accuracy, macro_f1):
                estimate = GroupMetric(value=metric(labels, decided)) if enough else None
                metrics[metric.__name__] = estimate
        return Group(name=name, units=different, items=len(labels), metrics=metrics)


def item_groupings(items: pd.DataFrame) -> dict[str, Grouping]:
    """Return every grouping that parts a split's items, by its name.

    A column of the corpus that is called `class` or `duration` is left out.
    """
    found = {}
    for column in groupings.categories(items, apart=(TRUE_LABEL,)):
        codes, names = groupings.values(items[column])
        found[column] = groupings.by_value(codes, names, column, f"items of that {column}")
    seconds = items["seconds"].to_numpy(np.float64)
    found["duration"] = groupings.by_duration(seconds, "items that last so long")
    labels, classes = pd.factorize(items["label"], sort=True)
    rule = "items of that class; their accuracy is its recall"
    found["class"] = Grouping("class", rule, tuple(map(str, classes)), labels.astype(np.int64))
    return groupings.telling(found)


def _rare_classes(listing: Listing) -> tuple[int, ...]:
    """Return the training items of each class of a dataset that was made long-tailed."""
    if listing.config.imbalance is None:
        return ()
    counts = listing.split_items("train")["label"].value_counts()
    return tuple(int(counts[label]) for label in listing.classes)


def _decisions(
    logits: NDArray[np.float32], lists: Lists
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Return the true classes and those decided for, each `[items]`."""
    wanted = (len(lists.items), len(lists.classes))
    if logits.shape != wanted:
        raise DataError(f"logits of shape {logits.shape}; these lists want {wanted}")
    if not np.isfinite(logits).all():
        raise DataError("logits hold NaN or infinity; nothing can be decided from them")
    decided = np.asarray(lists.classes, dtype=str)[logits.argmax(axis=1)]
    return lists.items["label"].to_numpy(str), decided
