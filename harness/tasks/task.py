"""What the rest of the harness asks of a task.

A task is a frozen dataclass named in `benchmark.toml` by its import path; its fields are
the parameters of its metrics and belong to the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.dataset import OpenDataset
from harness.data.trials import Trials
from harness.records.record import Metric, MetricFacts

Output = Literal["embedding", "logits"]

TRAINING_ACCURACY = MetricFacts(title="train acc.", unit="%", higher_is_better=True, decimals=1)
"""Accuracy on the training batches of the last epoch: how far a network learnt its classes."""


@dataclass(frozen=True)
class Side:
    """One split as a task judges it.

    Attributes:
        outputs: embeddings `[items, size]` or logits `[items, classes]`, float32.
        items: the split's items, in the same order.
        classes: labels of the training split, in the order of the logits.
        trials: which items are compared; None where the task has no trials.
    """

    outputs: NDArray[np.float32]
    items: pd.DataFrame
    classes: tuple[str, ...]
    trials: Trials | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a task finds on test.

    Attributes:
        metrics: every metric of `facts` but the training accuracy.
        left_one_out: metric -> unit left out -> value; what pairing two entries needs.
        scores: arrays from which the metrics can be computed again.
        notes: what a reader of the row must know.
    """

    metrics: dict[str, Metric]
    left_one_out: dict[str, dict[str, float]]
    scores: dict[str, NDArray[Any]]
    notes: tuple[str, ...] = field(default=())


class Task(Protocol):
    """A task.

    Attributes:
        version: changes whenever the same outputs would be judged differently.
        primary: the metric that selects weights and sorts tables.
        facts: what a table must know of each metric, the primary one first.
        output: which output of a system is judged.
        baseline_name: the name of the row that needs no training.
    """

    version: ClassVar[int]
    primary: ClassVar[str]
    facts: ClassVar[Mapping[str, MetricFacts]]
    output: ClassVar[Output]
    baseline_name: ClassVar[str]

    def parameters(self) -> dict[str, Any]:
        """The metric parameters that a table must state."""

    def side(self, dataset: OpenDataset, split: str, outputs: NDArray[np.float32]) -> Side:
        """Put outputs and what they are judged by together."""

    def validate(self, side: Side) -> dict[str, float]:
        """Numbers on validation, the primary one among them: for curves and for selection."""

    def evaluate(self, validation: Side, test: Side) -> Evaluation:
        """Judge test; thresholds come from validation."""

    def baseline(self, dataset: OpenDataset, split: str) -> NDArray[np.float32]:
        """Outputs for a split that need no training."""
