"""A trial list's groups, judged as the whole list is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_replicates
from harness.records.details_schema import Group, GroupMetric
from harness.records.record import Metric
from harness.tasks.groups import FEWEST
from harness.tasks.trial_metrics import Sides, at_threshold, with_intervals
from harness.trials.index import TrialIndex

Mask = NDArray[np.bool_]
Against = Literal["all targets", "all nontargets"] | None

OWN_SIDE: Mapping[str, Against] = {
    "miss_at_threshold": "all targets",
    "false_alarm_at_threshold": "all nontargets",
}
"""Rates of one side alone: nothing is told of them where that side is not the group's own."""


@dataclass(frozen=True, kw_only=True)
class GroupJudge:
    """Judges groups of one list's trials.

    A group that has no targets (cross-gender nontargets) is judged with all targets of the list,
    one that has no nontargets (targets of one session) with all nontargets; `Group.against` says
    so. Its interval is over the speakers of the trials that were judged.

    Attributes:
        trials: the list.
        scored: its scores, with the speakers of both sides.
        items: how many the split has.
        point: of minDCF.
        threshold: chosen on validation; None where scores came without one.
        resamples, seed: of the draws of speakers.
    """

    trials: TrialIndex
    scored: ScoredTrials
    items: int
    point: OperatingPoint
    threshold: float | None
    resamples: int
    seed: int

    def __call__(self, name: str, own: Mask) -> Group:
        """Judges one group.

        Args:
            name: of the group.
            own: its trials, `[trials]`.
        """
        against = self._against(own)
        return Group(
            name=name,
            units=len(self._part(own).speakers),
            items=self._items(own),
            trials=int(np.count_nonzero(own)),
            targets=int(np.count_nonzero(own & self.trials.target)),
            against=against,
            metrics=self._metrics(self._part(own | self._borrowed(against)), against),
        )

    def _against(self, own: Mask) -> Against:
        if not (own & self.trials.target).any():
            return "all targets"
        return None if (own & ~self.trials.target).any() else "all nontargets"

    def _borrowed(self, against: Against) -> Mask:
        target = self.trials.target
        if against is None:
            return np.zeros_like(target)
        return target if against == "all targets" else ~target

    def _part(self, chosen: Mask) -> ScoredTrials:
        whole = self.scored
        return ScoredTrials(
            whole.scores[chosen],
            whole.is_target[chosen],
            whole.enrol_speaker[chosen],
            whole.test_speaker[chosen],
        )

    def _items(self, own: Mask) -> int:
        """How many items the trials compare, those of models among them."""
        compared, models = np.zeros(self.items, dtype=np.bool_), self.trials.models
        compared[self.trials.test[own]] = True
        enrolled = self.trials.enrol[own]
        if models is not None:
            enrolled = models.item[np.isin(models.owner, enrolled)]
        compared[enrolled] = True
        return int(np.count_nonzero(compared))

    def _metrics(self, part: ScoredTrials, against: Against) -> dict[str, GroupMetric | None]:
        found = self._judged(part) if part.fewest >= FEWEST else {}
        borrowed = {name for name, lacking in OWN_SIDE.items() if lacking == against}
        names = ("eer", "min_dcf", *(() if self.threshold is None else OWN_SIDE))
        return {n: None if n in borrowed else _estimate(found.get(n)) for n in names}

    def _judged(self, part: ScoredTrials) -> dict[str, Metric]:
        sides: Sides = (part.scores[part.is_target], part.scores[~part.is_target])
        drawn = None
        if len(np.unique(part.enrol_speaker[part.is_target])) >= FEWEST:
            drawn = speaker_replicates(part, self.point, resamples=self.resamples, seed=self.seed)
        metrics = with_intervals(sides, drawn, self.point)
        return metrics if self.threshold is None else metrics | at_threshold(sides, self.threshold)


def _estimate(metric: Metric | None) -> GroupMetric | None:
    if metric is None:
        return None
    return GroupMetric(value=metric.value, low=metric.low, high=metric.high)
