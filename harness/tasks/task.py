"""The task protocol: all that the rest of the harness asks of a task.

A task is a frozen dataclass named in `benchmark.toml` by its import path; its fields are
the parameters of its metrics and belong to the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.adapter import Input
from harness.datasets.dataset import OpenDataset
from harness.datasets.listing import Listing
from harness.records.details_schema import Breakdown, Det
from harness.records.record import Metric, MetricFacts
from harness.trials.index import TrialIndex

Output = Literal["embedding", "logits"]

TRAINING_ACCURACY = MetricFacts(title="train acc.", unit="%", higher_is_better=True, decimals=1)
"""Accuracy on the training batches of the last epoch: how far a network learnt its classes."""


@dataclass(frozen=True)
class Lists:
    """The locked lists of one split, the same for all systems.

    Attributes:
        items: the split's items.
        classes: labels of the training split, in the order of the logits.
        trials: which items are compared; None if the task has no trials.
        training_counts: training items of each class, where the benchmark made classes rare;
            else empty.
    """

    items: pd.DataFrame
    classes: tuple[str, ...] = ()
    trials: TrialIndex | None = None
    training_counts: tuple[int, ...] = ()


def training_lists(listing: Listing, left_out: Sequence[str] = ()) -> Lists:
    """Return the lists of the training split, on which nothing is judged: it has no trials."""
    return Lists(listing.split_items("train", left_out), listing.classes)


@dataclass(frozen=True)
class Side:
    """A system's outputs on one split, with the split's lists.

    Attributes:
        outputs: embeddings `[items, size]` or logits `[items, classes]`, float32, in the order of
            the lists' items.
        lists: the split's lists.
    """

    outputs: NDArray[np.float32]
    lists: Lists


Scores = Mapping[str, NDArray[Any]]
"""Arrays from which, with a split's lists, all its metrics can be computed again."""


@dataclass(frozen=True)
class Judgement:
    """The metrics of a system on test.

    Attributes:
        metrics: every metric of `facts` but the training accuracy, and some that tables leave out.
        left_one_out: metric -> unit left out -> value; needed for paired comparisons.
        notes: what a reader of the row must know.
    """

    metrics: dict[str, Metric]
    left_one_out: dict[str, dict[str, float]]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Detailing:
    """The test looked at more closely, for the details beside a record.

    Attributes:
        breakdowns: name -> the test in groups, judged as the whole is; of `facts` alone.
        det: None if a task has no trials.
    """

    breakdowns: dict[str, Breakdown]
    det: Det | None = None


class Task(Protocol):
    """Members that every task defines; `TaskOptions` has those that it may leave out.

    Attributes:
        version: changes whenever the same outputs would be judged differently.
        validation_version: changes whenever `validate` would give other numbers, and so other
            weights be selected: training again is needed then, and only then.
        primary: the metric that selects weights and sorts tables.
        facts: title, unit and direction of each metric, the primary one first.
        output: the output of a system that is judged.
        baseline_name: the name of the row that needs no training.
        baseline_input: what that row computes of sounds, which decides how short they may be; a
            task without it takes sounds of any length.
    """

    version: ClassVar[int]
    validation_version: ClassVar[int]
    primary: ClassVar[str]
    facts: ClassVar[Mapping[str, MetricFacts]]
    output: ClassVar[Output]
    baseline_name: ClassVar[str]
    baseline_input: ClassVar[Input]

    def parameters(self) -> dict[str, Any]:
        """Return the metric parameters that a table must state."""

    @property
    def scores_with_training(self) -> bool:
        """True if `score` needs the training split."""

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """Return the lists that a split's outputs are judged by.

        Raises:
            ConfigError, DataError: the lists are not enough for this task.
        """

    def validate(self, side: Side) -> dict[str, float]:
        """Compute numbers on validation, the primary one among them: for curves and selection."""

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """Compute scores of test, and what validation decides (thresholds, calibration)."""

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Judge the scores of test by its lists alone, so that anybody can judge them again.

        Metrics of a decision that the scores bring none of (scores made elsewhere have no
        threshold of ours) are left out.
        """

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Look at the scores of test more closely, by its lists alone; `version` counts here too.

        Groups are judged by the same functions as the whole.
        """

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Compute outputs for a split without training."""


def smallest_step(counts: Mapping[str, int]) -> float | None:
    """Return how far a rate moves if one thing is judged otherwise; None if nothing is counted.

    Args:
        counts: of the test split: `items`; `trials` and `targets` if there are trials. One trial
            of the side that has fewer then counts, else one item.
    """
    fewest = counts.get("items", 0)
    if "trials" in counts:
        fewest = min(counts["targets"], counts["trials"] - counts["targets"])
    return 1 / fewest if fewest else None


@dataclass(frozen=True)
class TaskOptions:
    """Members that a task may define; each has the default given here if it does not.

    Attributes:
        decides: names of the arrays of its scores that validation decides (a threshold, a
            calibration), `()` if it decides nothing there. None is not known: embeddings are then
            submitted with those of the validation split.
        maxima: metric -> its largest value, for metrics that are no rates and have one.
        compares_directions: True if the length of an embedding means nothing.
        read_scores: reads scores computed elsewhere, from files by split: `test`, and `validation`
            if it is given. None: a task of logits reads them from an .npz file as its array
            `logits`, a task of embeddings takes embeddings alone.
        cautions: notes on a judgement of scores that were computed elsewhere.
        sections: import paths of the sections that a report has of its runs.
        smallest_step: counts of the test split -> the least change of the primary metric.
        selects: the number of `validate` that selects weights, higher being better, if that is
            another one than the primary metric: one without labels, say.
        further_baselines: names of more rows that need no training, with `score_baseline`.
        score_baseline: name of such a row, outputs of validation and test -> scores of test.
    """

    decides: tuple[str, ...] | None = None
    maxima: Mapping[str, float] = field(default_factory=dict)
    compares_directions: bool = False
    read_scores: Callable[[Mapping[str, Path], Listing], Scores] | None = None
    cautions: Callable[[Judgement], tuple[str, ...]] = lambda _: ()
    sections: tuple[str, ...] = ()
    smallest_step: Callable[[Mapping[str, int]], float | None] = smallest_step
    selects: str = ""
    further_baselines: tuple[str, ...] = ()
    score_baseline: Callable[[str, Side, Side], Scores] | None = None

    @classmethod
    def of(cls, task: Task) -> TaskOptions:
        """Return the members that a task defines, and defaults of the others."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: getattr(task, name) for name in names if hasattr(task, name)})


def baseline_names(task: Task) -> tuple[str, ...]:
    """Return the names of a task's rows that need no training, its own first."""
    return (task.baseline_name, *TaskOptions.of(task).further_baselines)
