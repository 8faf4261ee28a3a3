"""Losses of labelled items in evaluation mode: plain, and as the head computes them in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness.measure.arithmetic import arithmetic
from harness.train.system import System


class ClassLosses:
    """Collects the embeddings of one pass over a split, and returns the losses of its items.

    Args:
        items: the split's table.
        classes: labels of the training split, in the order of the classifier.
        batch: items of which a loss is a mean, as in training: a loss that looks at its whole
            batch (gradient harmonising) computes something else of another number.
    """

    def __init__(self, items: pd.DataFrame, classes: Sequence[str], batch: int) -> None:
        self._places = pd.Index(classes).get_indexer(pd.Index(items["label"])).astype(np.int64)
        self._classes, self._batch = len(classes), batch
        self._rows: list[NDArray[np.int64]] = []
        self._embeddings: list[Tensor] = []

    def exist_for(self, system: System) -> bool:
        """Return whether a system has losses of these items."""
        known = not (self._places < 0).any() and _first_class(system, self._classes) is not None
        return known and system.judges_any_batch

    def keep(self, rows: NDArray[np.int64], embeddings: Tensor) -> None:
        """Take the embeddings of some rows, or of crops of them (see `outputs_of`)."""
        self._rows.append(rows)
        self._embeddings.append(embeddings)

    def values(self, system: System) -> dict[str, float]:
        """Return the losses of what was collected, and forget it.

        `raw_loss` is the cross-entropy of the logits by which classes are decided, without margin,
        weights or smoothing; `weighted_loss` is what the head computes in training, at the present
        value of a scheduled margin; `accuracy` the share of right decisions. Every crop of an item
        counts as one.

        Returns:
            As many of the three as exist: none for labels that are no training classes (other
            speakers) or for a loss that compares the examples of a batch; `weighted_loss` alone for
            a head without logits.
        """
        rows, embeddings = self._rows, self._embeddings
        self._rows, self._embeddings = [], []
        first = _first_class(system, self._classes)
        if first is None or not self.exist_for(system):
            return {}
        embedded = torch.cat(embeddings)
        labels = torch.from_numpy(self._places[np.concatenate(rows)] + first).to(embedded.device)
        system.eval()
        with arithmetic(embedded.device), torch.inference_mode():
            return _mean_values(system, embedded, labels, self._batch)


def _first_class(system: System, classes: int) -> int | None:
    """Return the class of the first label at its own speed; None if it has none there."""
    speeds = system.augment.speeds
    if not speeds:
        return 0
    return classes * speeds.index(1.0) if 1.0 in speeds else None


def _mean_values(
    system: System, embeddings: Tensor, labels: Tensor, batch: int
) -> dict[str, float]:
    """Average over batches that each take items from all over the split."""
    count = -(-len(labels) // batch)
    sums: dict[str, float] = {}
    for place in range(count):
        own = labels[place::count]
        output = system.judge(embeddings[place::count], own)
        found = {"weighted_loss": output.loss * len(own)}
        if output.logits is not None:
            logits = output.logits.float()
            found["raw_loss"] = functional.cross_entropy(logits, own, reduction="sum")
            found["accuracy"] = (logits.argmax(1) == own).sum()
        for name, value in found.items():
            sums[name] = sums.get(name, 0.0) + float(value)
    return {name: value / len(labels) for name, value in sums.items()}
