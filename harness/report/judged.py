"""Runs that were judged on trials, with what their sections look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.report.run import Run
from harness.report.verdicts import Verdicts
from harness.trials.index import TrialIndex


@dataclass(frozen=True, eq=False)
class JudgedRun:
    """A run with scores of trials.

    Attributes:
        place: of the run within the report.
        run: the run.
        items: of the test split.
        trials: rows of it.
        scores: `[trials]`.
        threshold: chosen on validation; None if the scores came without one.
    """

    place: int
    run: Run
    items: pd.DataFrame
    trials: TrialIndex
    scores: NDArray[np.floating[Any]]
    threshold: float | None

    @property
    def targets(self) -> NDArray[np.floating[Any]]:
        """Scores of the trials of one speaker."""
        return self.scores[self.trials.target]

    @property
    def nontargets(self) -> NDArray[np.floating[Any]]:
        """Scores of the trials of two speakers."""
        return self.scores[~self.trials.target]

    @property
    def verdicts(self) -> Verdicts | None:
        """What it said at the threshold of validation; None without one."""
        if self.threshold is None:
            return None
        return Verdicts(self.scores, self.trials.target, self.threshold)

    @cached_property
    def speakers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Speakers of both sides, each `[trials]`, by their places in the sorted names."""
        codes = pd.factorize(self.items["unit"], sort=True)[0].astype(np.int64)
        return codes[self.trials.enrolled_by()], codes[self.trials.test]

    @property
    def scored(self) -> ScoredTrials:
        """The trials with the speakers of both sides."""
        return ScoredTrials(self.scores, self.trials.target, *self.speakers)

    @property
    def point(self) -> OperatingPoint:
        """The operating point of its protocol."""
        task: Any = self.run.task
        names = ("p_target", "c_miss", "c_fa")
        return OperatingPoint(*(getattr(task, name) for name in names))


def judged_runs(runs: Sequence[Run]) -> list[JudgedRun]:
    """Return the runs whose lists have trials and whose scores are here."""
    return list(_judged(runs))


def _judged(runs: Sequence[Run]) -> Iterator[JudgedRun]:
    for place, run in enumerate(runs):
        lists, scores = run.lists, run.scores
        if lists is None or lists.trials is None or scores is None or "scores" not in scores:
            continue
        threshold = float(scores["threshold"]) if "threshold" in scores else None
        yield JudgedRun(place, run, lists.items, lists.trials, scores["scores"], threshold)


def same_tests(judged: Sequence[JudgedRun]) -> list[list[JudgedRun]]:
    """Return the runs in groups that were judged on the same trials."""
    groups: dict[Any, list[JudgedRun]] = {}
    for each in judged:
        record = each.run.record
        if record is not None:
            key = (record.dataset.name, record.dataset.lock, record.dataset.left_out)
            groups.setdefault(key, []).append(each)
    return list(groups.values())
