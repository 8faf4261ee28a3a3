"""Verification: are two items of one label? Judged on trials by EER and detection cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.dataset import OpenDataset
from harness.data.trials import Trials
from harness.metrics import speakers
from harness.metrics.dcf import error_rates, min_dcf
from harness.metrics.eer import eer
from harness.metrics.intervals import half_trial, logit_interval
from harness.metrics.operating_point import OperatingPoint
from harness.records.record import Metric, MetricFacts
from harness.tasks.plain import standardised_features
from harness.tasks.task import TRAINING_ACCURACY, Evaluation, Output, Side


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Cosine scores of whole-item embeddings on a fixed trial list.

    Attributes:
        p_target, c_miss, c_fa: the operating point of minDCF.
        resamples: draws of speakers behind an interval.
        seed: of the draws.
    """

    p_target: float = 0.01
    c_miss: float = 1.0
    c_fa: float = 1.0
    resamples: int = 1000
    seed: int = 20261120

    version: ClassVar[int] = 1
    primary: ClassVar[str] = "eer"
    output: ClassVar[Output] = "embedding"
    baseline_name: ClassVar[str] = "MFCC statistics"
    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "eer": MetricFacts(title="EER", unit="%", higher_is_better=False),
        "min_dcf": MetricFacts(title="minDCF", unit="", higher_is_better=False, decimals=3),
        "miss_at_threshold": MetricFacts(
            title="miss at val. threshold", unit="%", higher_is_better=False
        ),
        "false_alarm_at_threshold": MetricFacts(
            title="false alarm at val. threshold", unit="%", higher_is_better=False
        ),
        "training_accuracy": TRAINING_ACCURACY,
    }

    def parameters(self) -> dict[str, Any]:
        """The operating point and how intervals are made."""
        return {
            "p_target": self.p_target,
            "c_miss": self.c_miss,
            "c_fa": self.c_fa,
            "scoring": "cosine",
            "interval": f"95 %, speakers resampled {self.resamples} times, logit-t",
        }

    def side(self, dataset: OpenDataset, split: str, outputs: NDArray[np.float32]) -> Side:
        """Embeddings with the split's trials."""
        subset = dataset.subset(split)
        return Side(outputs, subset.items, dataset.classes, dataset.trials(split))

    def validate(self, side: Side) -> dict[str, float]:
        """EER, its threshold and minDCF."""
        targets, nontargets = _sides(side)
        rate = eer(targets, nontargets)
        cost = min_dcf(targets, nontargets, self._point)
        return {"eer": rate.value, "min_dcf": cost.value, "threshold": rate.threshold}

    def evaluate(self, validation: Side, test: Side) -> Evaluation:
        """EER and minDCF of test, and its errors at the threshold of validation's EER."""
        threshold = self.validate(validation)["threshold"]
        scores = cosine_scores(test.outputs, _trials(test))
        names, trials = _by_speaker(scores, test)
        rates = error_rates(*_parted(scores, _trials(test)), threshold)
        left_eer, left_dcf = speakers.left_one_out(trials, self._point)
        return Evaluation(
            metrics={
                **self._with_intervals(test, trials),
                "miss_at_threshold": Metric(value=rates.miss, unit="%"),
                "false_alarm_at_threshold": Metric(value=rates.false_alarm, unit="%"),
                "threshold": Metric(value=threshold, unit=""),
            },
            left_one_out={
                "eer": dict(zip(names, left_eer.tolist(), strict=True)),
                "min_dcf": dict(zip(names, left_dcf.tolist(), strict=True)),
            },
            scores={"scores": scores},
        )

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Mean and deviation of 20 MFCCs of each utterance, standardised on the training split."""
        return standardised_features(dataset, split)

    @property
    def _point(self) -> OperatingPoint:
        return OperatingPoint(self.p_target, self.c_miss, self.c_fa)

    def _with_intervals(self, test: Side, trials: speakers.Trials) -> dict[str, Metric]:
        estimates = self.validate(test)
        draws = speakers.speaker_replicates(
            trials, self._point, resamples=self.resamples, seed=self.seed
        )
        floor = half_trial(trials.fewest)
        metrics = {}
        for name, replicates in (("eer", draws.eer), ("min_dcf", draws.min_dcf)):
            value = estimates[name]
            interval = logit_interval(value, replicates, draws.units, floor=floor)
            unit = self.facts[name].unit
            metrics[name] = Metric(value=value, low=interval.low, high=interval.high, unit=unit)
        return metrics


def cosine_scores(embeddings: NDArray[np.float32], trials: Trials) -> NDArray[np.float32]:
    """Cosine of every trial's two embeddings by one matrix product.

    Args:
        embeddings: `[items, size]`.
        trials: rows of the two sides.

    Returns:
        `[trials]`, float32.
    """
    with np.errstate(invalid="ignore", divide="ignore"):  # the metrics refuse what is not finite
        unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    enrol, enrol_place = np.unique(trials.enrol, return_inverse=True)
    test, test_place = np.unique(trials.test, return_inverse=True)
    matrix = unit[enrol] @ unit[test].T
    return np.asarray(matrix[enrol_place, test_place], dtype=np.float32)


def _trials(side: Side) -> Trials:
    if side.trials is None:
        raise TypeError("verification is judged on trials; the side has none")
    return side.trials


def _sides(side: Side) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return _parted(cosine_scores(side.outputs, _trials(side)), _trials(side))


def _parted(
    scores: NDArray[np.float32], trials: Trials
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return scores[trials.target], scores[~trials.target]


def _by_speaker(scores: NDArray[np.float32], side: Side) -> tuple[list[str], speakers.Trials]:
    trials = _trials(side)
    codes, names = pd.factorize(side.items["unit"], sort=True)
    scored = speakers.Trials(scores, trials.target, codes[trials.enrol], codes[trials.test])
    return [str(names[code]) for code in scored.speakers], scored
