"""What the rest of the harness asks of a task.

A task is a frozen dataclass named in `benchmark.toml` by its import path; its fields are
the parameters of its metrics and belong to the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """What the lists of one split say, whatever a system makes of its items.

    Attributes:
        items: the split's items.
        classes: labels of the training split, in the order of the logits.
        trials: which items are compared; None where the task has no trials.
    """

    items: pd.DataFrame
    classes: tuple[str, ...] = ()
    trials: TrialIndex | None = None


def training_lists(listing: Listing, left_out: Sequence[str] = ()) -> Lists:
    """The lists of the training split, on which nothing is judged and which has no trials."""
    return Lists(listing.split_items("train", left_out), listing.classes)


@dataclass(frozen=True)
class Side:
    """One split as a task judges it.

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
    """What a task finds on test.

    Attributes:
        metrics: every metric of `facts` but the training accuracy, and some that tables leave out.
        left_one_out: metric -> unit left out -> value; what pairing two entries needs.
        notes: what a reader of the row must know.
    """

    metrics: dict[str, Metric]
    left_one_out: dict[str, dict[str, float]]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Detailing:
    """What lies beside a record: the test looked at more closely.

    Attributes:
        breakdowns: name -> the test in groups, judged as the whole is; of `facts` alone.
        det: None where a task has no trials.
    """

    breakdowns: dict[str, Breakdown]
    det: Det | None = None


class Task(Protocol):
    """A task.

    Attributes:
        version: changes whenever the same outputs would be judged differently.
        validation_version: changes whenever `validate` would give other numbers, and so other
            weights be selected: training again is needed then, and only then.
        primary: the metric that selects weights and sorts tables.
        facts: what a table must know of each metric, the primary one first.
        output: which output of a system is judged.
        baseline_name: the name of the row that needs no training.
        baseline_input: what that row computes of sounds, which tells how short they may be; a task
            without it takes sounds of any length.
    """

    version: ClassVar[int]
    validation_version: ClassVar[int]
    primary: ClassVar[str]
    facts: ClassVar[Mapping[str, MetricFacts]]
    output: ClassVar[Output]
    baseline_name: ClassVar[str]
    baseline_input: ClassVar[Input]

    def parameters(self) -> dict[str, Any]:
        """The metric parameters that a table must state."""

    @property
    def scores_with_training(self) -> bool:
        """Whether `score` wants the training split."""

    def lists(self, listing: Listing, split: str, left_out: Sequence[str] = ()) -> Lists:
        """What outputs of a split are judged by.

        Raises:
            ConfigError, DataError: the lists are not enough for this task.
        """

    def validate(self, side: Side) -> dict[str, float]:
        """Numbers on validation, the primary one among them: for curves and for selection."""

    def score(self, validation: Side, test: Side, training: Side | None) -> Scores:
        """Scores of test, and what validation decides of them (thresholds, calibration)."""

    def judge(self, lists: Lists, scores: Scores) -> Judgement:
        """Judge the scores of test by its lists alone, so that anybody can judge them again.

        Metrics of a decision that the scores bring none of (scores made elsewhere have no
        threshold of ours) are left away.
        """

    def detail(self, lists: Lists, scores: Scores) -> Detailing:
        """Look at the scores of test more closely, by its lists alone; `version` counts here too.

        Groups are judged by the same functions as the whole.
        """

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Outputs for a split that need no training."""
