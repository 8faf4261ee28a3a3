"""Ranking: which of two items comes first (the nearer, the louder)? Judged on a list of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.adapter import Input
from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.datasets.ranked_pairs import GRADE, KINDS
from harness.errors import ConfigError, DataError
from harness.metrics.intervals import Interval, half_trial, logit_interval
from harness.metrics.pairwise import pair_points, pairwise_accuracy
from harness.metrics.ranking import (
    UnitPairs,
    kendall_tau,
    tau_left_one_out,
    tau_replicates,
)
from harness.records.details_schema import Group, GroupMetric
from harness.records.record import Metric, MetricFacts
from harness.tasks.groupings import FEWEST, Grouping
from harness.tasks.mfcc import FILTERBANK
from harness.tasks.task import (
    TRAINING_ACCURACY,
    Detailing,
    Judgement,
    Lists,
    Output,
    Scores,
    Side,
)
from harness.trials.index import TrialIndex


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The item of the higher score is ranked first.

    A dataset for it grades its items (a column `grade`) and lists pairs of them (`rank_pairs`);
    a pair is a target if its first item has the higher grade.

    Attributes:
        resamples: draws of units behind an interval.
        seed: of the draws.
    """

    resamples: int = 1000
    seed: int = 20261120

    version: ClassVar[int] = 1
    validation_version: ClassVar[int] = 1
    primary: ClassVar[str] = "pair_accuracy"
    output: ClassVar[Output] = "logits"
    decides: ClassVar[tuple[str, ...]] = ()
    maxima: ClassVar[Mapping[str, float]] = {"kendall_tau": 1.0}
    baseline_name: ClassVar[str] = "peak level"
    sections: ClassVar[tuple[str, ...]] = ("harness.report.sections.conditions:section",)
    baseline_input: ClassVar[Input] = FILTERBANK
    facts: ClassVar[Mapping[str, MetricFacts]] = {
        "pair_accuracy": MetricFacts(title="pair acc.", unit="%", higher_is_better=True),
        "kendall_tau": MetricFacts(
            title="Kendall's tau", unit="", higher_is_better=True, decimals=3
        ),
        "training_accuracy": TRAINING_ACCURACY,
    }

    def parameters(self) -> dict[str, Any]:
        """Return the rule by which intervals are made."""
        return {"interval": f"95 %, units resampled {self.resamples} times, logit-t"}

    @property
    def scores_with_training(self) -> bool:
        """Scores are enough."""
        return False

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """Return the split's items and pairs.

        Raises:
            ConfigError: the dataset ranks nothing.
        """
        items = listing.split_items(split, left_out)
        if GRADE not in items or split not in listing.trial_tables:
            raise ConfigError(
                f"datasets.{listing.table}: ranks no items; a ranking needs items with a grade (of "
                "open-impacts: rank_by) and rank_pairs = N, the longest list of pairs wanted"
            )
        return Lists(items, listing.classes, listing.split_trials(split, left_out))

    def validate(self, side: Side) -> dict[str, float]:
        """Compute the share of pairs in the right order, and Kendall's tau of all items."""
        scores = _scores(side.outputs, side.lists)
        return {
            "pair_accuracy": pairwise_accuracy(*_sides(scores, side.lists)),
            "kendall_tau": kendall_tau(scores, _grades(side.lists)),
        }

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """Return the scores of test, `[items, 1]`."""
        del validation, training
        return {"logits": test.outputs}

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Compute pairwise accuracy and Kendall's tau of test, with intervals over units."""
        values, grades = _scores(scores["logits"], lists), _grades(lists)
        units, pairs = lists.items["unit"].to_numpy(str), _unit_pairs(values, lists)
        tau = kendall_tau(values, grades)
        replicates = tau_replicates(values, grades, units, resamples=self.resamples, seed=self.seed)
        # A tau is a rate moved from 0..1 to -1..1.
        every = len(values) * (len(values) - 1) // 2
        about = logit_interval(
            (tau + 1) / 2, (replicates + 1) / 2, len(np.unique(units)), floor=half_trial(every)
        )
        right = self._accuracy_interval(pairs, len(_trials(lists)))
        left = zip(pairs.units.tolist(), pairs.left_one_out().tolist(), strict=True)
        taus = tau_left_one_out(values, grades, units).tolist()
        return Judgement(
            metrics={
                "pair_accuracy": Metric(
                    value=pairs.accuracy, low=right.low, high=right.high, unit="%"
                ),
                "kendall_tau": Metric(
                    value=tau, low=2 * about.low - 1, high=2 * about.high - 1, unit=""
                ),
            },
            left_one_out={
                "pair_accuracy": dict(left),
                "kendall_tau": dict(zip(np.unique(units).tolist(), taus, strict=True)),
            },
        )

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Judge pairs of like and of unlike grade by themselves."""
        trials, values = _trials(lists), _scores(scores["logits"], lists)
        points, units = pair_points(*_sides(values, lists)), lists.items["unit"].to_numpy(str)

        def judge(name: str, own: NDArray[np.bool_]) -> Group:
            pairs = UnitPairs(points[own], units[trials.enrol[own]], units[trials.test[own]])
            estimate = None
            if own.sum() >= FEWEST:
                estimate = GroupMetric(value=pairs.accuracy)
                if len(pairs.units) >= FEWEST:
                    about = self._accuracy_interval(pairs, int(own.sum()))
                    estimate = GroupMetric(value=pairs.accuracy, low=about.low, high=about.high)
            places = np.union1d(trials.enrol[own], trials.test[own])
            return Group(
                name=name,
                units=len(pairs.units),
                items=len(places),
                metrics={"pair_accuracy": estimate},
            )

        group = np.array([KINDS.index(kind) for kind in trials.kind], dtype=np.int64)
        rule = "thirds of the pairs by the difference of their grades"
        gaps = Grouping("difference of grades", rule, KINDS, group)
        return Detailing({"gap": gaps.broken_down(judge)})

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Return the largest magnitude of each item's content, `[items, 1]`."""
        subset = dataset.subset(split)
        contents = (subset.item(index) for index in range(len(subset)))
        peaks = [float(np.abs(content.astype(np.float32)).max()) for content in contents]
        return np.array(peaks, dtype=np.float32)[:, None]

    @staticmethod
    def smallest_step(counts: Mapping[str, int]) -> float | None:
        """Return how far the accuracy moves if one pair is ordered otherwise."""
        return 1 / counts["pair"] if counts.get("pair") else None

    def _accuracy_interval(self, pairs: UnitPairs, count: int) -> Interval:
        replicates = pairs.replicates(resamples=self.resamples, seed=self.seed)
        floor = half_trial(max(2, count))
        return logit_interval(pairs.accuracy, replicates, len(pairs.units), floor=floor)


def _trials(lists: Lists) -> TrialIndex:
    if lists.trials is None:
        raise TypeError("a ranking is judged on pairs; the lists have none")
    return lists.trials


def _grades(lists: Lists) -> NDArray[np.float64]:
    return lists.items[GRADE].to_numpy(np.float64)


def _scores(outputs: NDArray[Any], lists: Lists) -> NDArray[np.float32]:
    """Return the score of each item, `[items]`."""
    wanted = (len(lists.items), 1)
    if outputs.shape != wanted:
        raise DataError(
            f"scores of shape {outputs.shape}; these lists want {wanted}, one an item, as a loss "
            "that ranks gives"
        )
    if not np.isfinite(outputs).all():
        raise DataError("scores hold NaN or infinity; nothing can be ranked by them")
    return np.asarray(outputs[:, 0], dtype=np.float32)


def _sides(
    scores: NDArray[np.float32], lists: Lists
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the scores of each pair's preferred and of its other item, both `[pairs]`."""
    trials = _trials(lists)
    first, second = scores[trials.enrol], scores[trials.test]
    return np.where(trials.target, first, second), np.where(trials.target, second, first)


def _unit_pairs(scores: NDArray[np.float32], lists: Lists) -> UnitPairs:
    trials, units = _trials(lists), lists.items["unit"].to_numpy(str)
    return UnitPairs(pair_points(*_sides(scores, lists)), units[trials.enrol], units[trials.test])
