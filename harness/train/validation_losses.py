"""Losses of labelled items in evaluation mode: plain, and as the head computes them in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness.adapter import Batch
from harness.data.training_labels import hard_items, mislabelled_items
from harness.measure.rounding import arithmetic
from harness.train.gradient_evidence import GradientEvidence, GradientLog
from harness.train.system import System, ordered_pairs


class ClassLosses:
    """Collects the embeddings of one pass over a split, and computes the losses of its items.

    Args:
        system: that embeds and judges them.
        items: the split's table.
        classes: labels of the training split, in the order of the classifier.
        batch: items of which a loss is a mean, as in training: a loss that looks at its whole
            batch (gradient harmonising) computes something else of another number.
        grades: what the items are ranked by, `[items]`, standardised; None if they have none. A
            loss that ranks judges them, not the labels.
    """

    def __init__(
        self,
        system: System,
        items: pd.DataFrame,
        classes: Sequence[str],
        batch: int,
        grades: NDArray[np.float32] | None = None,
    ) -> None:
        self._system, self._items, self._batch = system, items, batch
        self._grades = grades if system.is_ranking else None
        self._labels = _class_indices(system, items["label"], classes)
        if self._grades is not None:
            self._labels = np.zeros(len(items), dtype=np.int64)
        self._rows: list[NDArray[np.int64]] = []
        self._embeddings: list[Tensor] = []

    @property
    def exist(self) -> bool:
        """True if the items are of training classes, and the loss judges any batch of them."""
        return self._labels is not None

    def keep(self, rows: NDArray[np.int64], embeddings: Tensor) -> None:
        """Take the embeddings of some rows, or of crops of them (see `outputs_of`)."""
        if self.exist:
            self._rows.append(rows)
            self._embeddings.append(embeddings.cpu())

    def values(self) -> dict[str, float]:
        """Return the losses of what was collected.

        `raw_loss` is the cross-entropy of the logits by which classes are decided, without margin,
        weights or smoothing; `weighted_loss` is what the head computes in training, at the present
        value of a scheduled margin; `accuracy` the share of right decisions. Of a loss that ranks,
        `raw_loss` is the logistic loss of pairs (RankNet), and `accuracy` their share in the right
        order. Every crop of an item counts as one.

        Returns:
            As many of the three as exist: none for labels that are no training classes (other
            speakers) or for a loss that compares the examples of a batch; `weighted_loss` alone for
            a head without logits.
        """
        if self._labels is None or not self._rows:
            return {}
        embeddings, rows = torch.cat(self._embeddings), np.concatenate(self._rows)
        device = next(self._system.parameters()).device
        count, sums = self._count(rows), dict[str, float]()
        self._system.eval()
        with arithmetic(device), torch.inference_mode():
            for place in range(count):
                own = self._targets(rows[place::count], device)
                for name, value in self._sums(embeddings[place::count].to(device), own).items():
                    sums[name] = sums.get(name, 0.0) + float(value)
        return {name: value / len(rows) for name, value in sums.items()}

    def gradients(self) -> GradientEvidence:
        """Return what the head makes of the easy and the hard among the items that were collected.

        Returns:
            Nothing where `values` has nothing, or for a head that does not decide by its logits.
        """
        if self._labels is None or not self._rows:
            return GradientEvidence()
        embeddings, rows = torch.cat(self._embeddings), np.concatenate(self._rows)
        log = GradientLog()
        device = next(self._system.parameters()).device
        parts = [rows[place :: self._count(rows)] for place in range(self._count(rows))]
        self._system.eval()
        with arithmetic(device):
            for place, part in enumerate(parts):
                own = self._system.batch(self._targets(part, device))
                log.add(self._system.head, embeddings[place :: len(parts)].to(device), own)
        if self._grades is not None:
            return log.evidence()  # of pairs, which are no items
        order = np.concatenate(parts)
        known = [mask(self._items) for mask in (hard_items, mislabelled_items)]
        return log.evidence(*(None if mask is None else mask[order] for mask in known))

    def _count(self, rows: NDArray[np.int64]) -> int:
        """Return the number of batches: each is of items from all over the split."""
        return -(-len(rows) // self._batch)

    def _targets(self, rows: NDArray[np.int64], device: torch.device) -> Batch:
        """Return labels and grades of some rows."""
        wanted = [None if each is None else each[rows] for each in (self._labels, self._grades)]
        labels, grades = (
            None if each is None else torch.from_numpy(each).to(device) for each in wanted
        )
        if labels is None:
            raise TypeError("there are no labels to be judged by; see `exist`")
        return Batch(labels, grades=grades)

    def _sums(self, embeddings: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the sums over a batch; its loss is a mean."""
        output, labels = self._system.judge(embeddings, batch), batch.labels
        found = {"weighted_loss": output.loss * len(labels)}
        if batch.grades is not None:
            first, second = ordered_pairs(batch.grades).T
            scores = self._system.decide(embeddings, "logits").float().squeeze(1)
            gaps = scores[first] - scores[second]
            right = (gaps > 0).double() + (gaps == 0).double() / 2
            pairs = max(1, len(gaps))
            found["raw_loss"] = functional.softplus(-gaps).sum() / pairs * len(labels)
            found["accuracy"] = right.sum() / pairs * len(labels)
        if output.logits is not None:
            logits = output.logits.float()
            found["raw_loss"] = functional.cross_entropy(logits, labels, reduction="sum")
            found["accuracy"] = (logits.argmax(1) == labels).sum()
        return found


def _class_indices(
    system: System, labels: pd.Series[str], classes: Sequence[str]
) -> NDArray[np.int64] | None:
    """Return the class of each item, `[items]`; None if there is no loss of them.

    Where speeds make classes, an item is of its label's class at its own speed.
    """
    speeds = system.augment.speeds
    places = pd.Index(classes).get_indexer(pd.Index(labels)).astype(np.int64)
    if not system.judges_any_batch or (places < 0).any() or (speeds and 1.0 not in speeds):
        return None
    return places + (len(classes) * speeds.index(1.0) if speeds else 0)
