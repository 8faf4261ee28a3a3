"""Classification judged by its ranking of classes and by its confidence too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import softmax

from harness.metrics.accuracy import accuracy_interval, left_one_out
from harness.metrics.classifier_scores import expected_calibration_error, top_k_correct
from harness.records.record import Metric, MetricFacts
from harness.tasks.classification import Classification
from harness.tasks.task import Judgement, Lists, Scores

TOP, BINS = 5, 15


@dataclass(frozen=True, kw_only=True)
class ClassificationInFull(Classification):
    """Adds top-5 accuracy and the expected calibration error to `Classification`.

    A task of its own, since the records of a protocol are judged again by all of its metrics.
    """

    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "accuracy": Classification.facts["accuracy"],
        "top_5_accuracy": MetricFacts(title="top-5 acc.", unit="%", higher_is_better=True),
        "balanced_accuracy": Classification.facts["balanced_accuracy"],
        "macro_f1": Classification.facts["macro_f1"],
        "calibration_error": MetricFacts(
            title="calibration error", unit="%", higher_is_better=False
        ),
        "training_accuracy": Classification.facts["training_accuracy"],
    }

    def parameters(self) -> dict[str, Any]:
        """Return the rule of intervals, and the bins of the calibration error."""
        return {**super().parameters(), "calibration_bins": BINS}

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Compute the metrics of `Classification`, and the two that this adds.

        With `TOP` classes or fewer the true one is always among the first, and top-5 accuracy is
        left out.
        """
        found = super().judge(lists, scores)
        logits = np.asarray(scores["logits"], dtype=np.float64)
        labels = np.array([lists.classes.index(each) for each in lists.items["label"]])
        chances = softmax(logits, axis=1)
        error = expected_calibration_error(chances, labels, bins=BINS)
        metrics = {**found.metrics, "calibration_error": Metric(value=error, unit="%")}
        left = dict(found.left_one_out)
        if len(lists.classes) > TOP:
            units = lists.items["unit"].to_numpy(str)
            right = top_k_correct(logits, labels, TOP)
            interval = accuracy_interval(right, units, resamples=self.resamples, seed=self.seed)
            metrics["top_5_accuracy"] = Metric(
                value=float(right.mean()), low=interval.low, high=interval.high, unit="%"
            )
            without = left_one_out(right, units).tolist()
            left["top_5_accuracy"] = dict(zip(np.unique(units).tolist(), without, strict=True))
        return Judgement(metrics=metrics, left_one_out=left, notes=found.notes)
