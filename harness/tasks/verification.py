"""Verification: are two items of one label? Judged on trials by EER and detection cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.adapter import Input
from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.errors import ConfigError, DataError, RequestError
from harness.metrics import speakers
from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.validation import MetricError
from harness.records.record import MetricFacts
from harness.tasks import trial_metrics
from harness.tasks.groupings import trial_groupings
from harness.tasks.mfcc import FILTERBANK
from harness.tasks.plain import standardised_features
from harness.tasks.task import (
    TRAINING_ACCURACY,
    Detailing,
    Judgement,
    Lists,
    Output,
    Scores,
    Side,
)
from harness.tasks.trial_metrics import Sides
from harness.tasks.trial_scores import (
    SCORINGS,
    Cohort,
    Scoring,
    cohort_of,
    read_trial_scores,
    score_trials,
)
from harness.trials.index import TrialIndex
from harness.trials.system_report import distance_note


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Scores of whole-item embeddings on a fixed trial list.

    Attributes:
        scoring: `cosine`, or cosine normalised by a cohort of the training speakers: `as-norm`
            by each side's nearest, `s-norm` by all of them.
        cohort_top: how many of the nearest count for `as-norm`.
        subtract_mean: whether the mean of the training embeddings is subtracted first.
        p_target, c_miss, c_fa: the operating point of minDCF and actDCF.
        resamples: draws of speakers behind an interval.
        seed: of the draws.
    """

    scoring: Scoring = "cosine"
    cohort_top: int = 300
    subtract_mean: bool = False
    p_target: float = 0.01
    c_miss: float = 1.0
    c_fa: float = 1.0
    resamples: int = 1000
    seed: int = 20261120

    version: ClassVar[int] = 2
    validation_version: ClassVar[int] = 1
    primary: ClassVar[str] = "eer"
    output: ClassVar[Output] = "embedding"
    decides: ClassVar[tuple[str, ...]] = ("threshold", "calibration")
    compares_directions: ClassVar[bool] = True
    maxima: ClassVar[Mapping[str, float]] = {"min_dcf": 1.0}  # That of accepting all, or none.
    baseline_name: ClassVar[str] = "MFCC statistics"
    sections: ClassVar[tuple[str, ...]] = (
        "harness.report.sections.scores:section",
        "harness.report.sections.det_roc:section",
        "harness.report.sections.conditions:section",
        "harness.report.sections.by_duration:section",
        "harness.report.sections.crops:section",
        "harness.report.sections.embedding_space:section",
        "harness.report.sections.wrong_trials:section",
    )
    baseline_input: ClassVar[Input] = FILTERBANK
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

    def __post_init__(self) -> None:
        if self.scoring not in SCORINGS:
            raise ConfigError(f"scoring is {self.scoring!r}; give one of {', '.join(SCORINGS)}")

    def parameters(self) -> dict[str, Any]:
        """Return the operating point, and how trials are scored and intervals made."""
        return {
            **{name: getattr(self, name) for name in ("p_target", "c_miss", "c_fa", "scoring")},
            **({"cohort_top": self.cohort_top} if self.scoring == "as-norm" else {}),
            **({"mean_subtracted": "of training"} if self.subtract_mean else {}),
            "interval": f"95 %, speakers resampled {self.resamples} times, logit-t",
        }

    @property
    def scores_with_training(self) -> bool:
        """True if a cohort, or a mean, of training is needed."""
        return self.scoring != "cosine" or self.subtract_mean

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """Return the split's trials."""
        items = listing.split_items(split, left_out)
        return Lists(items, listing.classes, listing.split_trials(split, left_out))

    def validate(self, side: Side) -> dict[str, float]:
        """Compute EER, its threshold and minDCF of plain cosines."""
        sides = _sides(score_trials(side.outputs, _trials(side.lists)), side.lists)
        rate, cost = eer(*sides), min_dcf(*sides, self._point)
        return {"eer": rate.value, "min_dcf": cost.value, "threshold": rate.threshold}

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """Score test; find the threshold and the calibration of validation.

        Returns:
            `scores` `[trials]`, float32, and what `decide` returns.
        """
        cohort = self._cohort(training)
        tuned = score_trials(validation.outputs, _trials(validation.lists), cohort)
        decided = trial_metrics.decide(tuned, _trials(validation.lists).target, self._point)
        return {"scores": score_trials(test.outputs, _trials(test.lists), cohort), **decided}

    def score_alone(self, side: Side, training: Side | None) -> Scores:
        """Score one split as `score` does test, with nothing decided on validation."""
        return {"scores": score_trials(side.outputs, _trials(side.lists), self._cohort(training))}

    def _cohort(self, training: Side | None) -> Cohort | None:
        if training is None:
            return None
        return cohort_of(
            training,
            normalise=self.scoring != "cosine",
            top=self.cohort_top if self.scoring == "as-norm" else None,
            centre=self.subtract_mean,
        )

    def read_scores(self, files: Mapping[str, Path], listing: Listing) -> Scores:
        """Read score files of the locked lists: `scores`, and what validation decides of them.

        Args:
            files: of `test`, and of `validation` if it is given.
            listing: the dataset's lists.

        Raises:
            RequestError: a file is not of its list, or its scores cannot be calibrated.
        """
        scores = {"scores": read_trial_scores(files["test"], listing, "test")[0]}
        if "validation" not in files:
            return scores
        tuned, target = read_trial_scores(files["validation"], listing, "validation")
        try:
            return {**scores, **trial_metrics.decide(tuned, target, self._point)}
        except MetricError as error:
            raise RequestError(f"validation scores cannot be calibrated: {error}") from error

    def cautions(self, judgement: Judgement) -> tuple[str, ...]:
        """Return a note on scores of somebody else that look like distances."""
        note = distance_note(judgement.metrics["eer"].value)
        return (note,) if note else ()

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Compute EER and minDCF of test, and the errors and costs of validation's decisions.

        Scores made elsewhere bring no `threshold` and no `calibration`: the metrics of these are
        then left out.
        """
        sides = _sides(scores["scores"], lists)
        names, trials = _by_speaker(scores["scores"], lists)
        left_eer, left_dcf = speakers.left_one_out(trials, self._point)
        drawn = speakers.speaker_replicates(
            trials, self._point, resamples=self.resamples, seed=self.seed
        )
        return Judgement(
            metrics=trial_metrics.list_metrics(sides, drawn, self._point, scores),
            left_one_out={
                "eer": dict(zip(names, left_eer.tolist(), strict=True)),
                "min_dcf": dict(zip(names, left_dcf.tolist(), strict=True)),
            },
            notes=trial_metrics.list_notes(scores, drawn),
        )

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Return points of the DET curve, and groups of trials by the corpus's own columns."""
        sides = _sides(scores["scores"], lists)
        judge = trial_metrics.GroupJudge(
            trials=_trials(lists),
            scored=_by_speaker(scores["scores"], lists)[1],
            point=self._point,
            threshold=float(scores["threshold"]) if "threshold" in scores else None,
            resamples=self.resamples,
            seed=self.seed,
        )
        groupings = trial_groupings(lists.items, _trials(lists))
        breakdowns = {name: each.broken_down(judge) for name, each in groupings.items()}
        return Detailing(breakdowns, trial_metrics.det_points(sides, self._point))

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Return mean and deviation of 20 MFCCs of each utterance, standardised on training."""
        return standardised_features(dataset, split)

    @property
    def _point(self) -> OperatingPoint:
        return OperatingPoint(self.p_target, self.c_miss, self.c_fa)


def _trials(lists: Lists) -> TrialIndex:
    if lists.trials is None:
        raise TypeError("verification is judged on trials; the lists have none")
    return lists.trials


def _sides(scores: NDArray[Any], lists: Lists) -> Sides:
    target = _trials(lists).target
    if scores.shape != target.shape:
        raise DataError(f"scores of shape {scores.shape}; the lists have {len(target)} trials")
    return scores[target], scores[~target]


def _by_speaker(scores: NDArray[Any], lists: Lists) -> tuple[list[str], ScoredTrials]:
    trials = _trials(lists)
    codes, names = pd.factorize(lists.items["unit"], sort=True)
    enrolled = codes[trials.enrolled_by()]
    scored = ScoredTrials(scores, trials.target, enrolled, codes[trials.test])
    return [str(names[code]) for code in scored.speakers], scored
