"""What a loss makes of easy and hard items: gradients and weights, as numbers and histograms.

It is looked at in three ways: on the batches of an epoch as they are learnt from, and in evaluation
mode on the training and on the validation split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import astuple, dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness.adapter import Batch
from harness.metrics.gradient_norms import (
    BINS,
    NormStatistics,
    density,
    evenness,
    hardest_share,
    mean_weights,
    spread,
    sums_by_bin,
)
from harness.train.item_gradients import item_gradients

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

HALF = 0.5
"""Gradient norm from which on the wrong item of a pair is preferred."""

TINY = float(np.finfo(np.float64).tiny)

EDGES = tuple(place / BINS for place in range(BINS + 1))

STATISTICS = tuple(each.name for each in fields(NormStatistics))


@dataclass(frozen=True)
class EvidenceVector:
    """Several numbers of one epoch (see `harness.series.series.Vector`)."""

    values: Sequence[float]
    edges: Sequence[float] = ()
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class GradientEvidence:
    """Evidence of one epoch, under names without their group.

    Attributes:
        scalars: name -> number.
        vectors: name -> several.
    """

    scalars: Mapping[str, float] = field(default_factory=dict)
    vectors: Mapping[str, EvidenceVector] = field(default_factory=dict)


@dataclass(frozen=True)
class _Part:
    """One batch, each `[items]` (or pairs); `loss` is its mean under the head's own loss.

    `raw` is plain cross-entropy, NaN where there are no classes.
    """

    norms: Floats
    weighted: Floats
    weights: Floats
    raw: Floats
    right: Mask
    loss: float


class GradientLog:
    """Collects the gradients of labelled embeddings, a batch after another."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, head: Any, embeddings: Tensor, batch: Batch) -> None:
        """Look at a batch.

        Args:
            head: in evaluation mode; stays as it is.
            embeddings: `[batch, size]`.
            batch: their labels.
        """
        found = item_gradients(head, embeddings, batch)
        if found is None or batch.mix_labels is not None or not len(found.norms):
            return
        with torch.no_grad():
            output = head(embeddings, batch)
            # Pairs have no classes: that the wrong one is preferred shows in their norm.
            raw, right = torch.full_like(found.norms, torch.nan), found.norms < HALF
            if output.logits is not None:
                logits = output.logits.double()
                raw = functional.cross_entropy(logits, batch.labels, reduction="none")
                right = logits.argmax(1) == batch.labels
        norms, weighted, weights, plain = (
            each.double().cpu().numpy()
            for each in (found.norms, found.weighted_norms, found.weights, raw)
        )
        part = _Part(norms, weighted, weights, plain, right.cpu().numpy(), float(output.loss))
        self._parts.append(part)

    def evidence(
        self, hard: Mask | None = None, wrong: Mask | None = None, *, with_losses: bool = False
    ) -> GradientEvidence:
        """Return what was collected, in the order in which it came.

        Args:
            hard: True for items that are known to be hard, `[items]`; None if none are.
            wrong: True for items that are known to have a wrong label.
            with_losses: plain and weighted loss stand among the numbers, beside their ratio.

        Returns:
            Nothing if nothing was collected.
        """
        if not self._parts:
            return GradientEvidence()
        columns: list[Floats] = [
            np.concatenate([getattr(part, name) for part in self._parts])
            for name in ("norms", "weighted", "weights", "raw")
        ]
        norms, weighted, weights, raw = columns
        right = np.concatenate([part.right for part in self._parts])
        loss = sum(part.loss * len(part.norms) for part in self._parts) / len(norms)
        counts, pulls = sums_by_bin(norms), sums_by_bin(norms, weighted)
        shares = pulls / max(float(pulls.sum()), TINY)
        scalars = {
            "loss_ratio": loss / np.maximum(raw.mean(), TINY),
            "gradient_evenness": evenness(sums_by_bin(norms, norms)),
            "weighted_evenness": evenness(pulls),
            "hardest_weight": hardest_share(norms, weights),
        }
        if with_losses:
            scalars |= {"raw_loss": float(raw.mean()), "weighted_loss": loss}
        for name, mask in (("hard", hard), ("wrong_label", wrong)):
            if mask is not None and mask.any() and not mask.all():
                mean = max(float(weights.mean()), TINY)
                scalars[f"{name}_weight"] = float(weights[mask].mean()) / mean
                scalars[f"{name}_accuracy"] = float(right[mask].mean())
        vectors = {
            "gradient_norms": EvidenceVector(counts.tolist(), EDGES),
            "norm_density": EvidenceVector(density(counts).tolist(), EDGES),
            "norm_weights": EvidenceVector(mean_weights(norms, weights).tolist(), EDGES),
            "weighted_gradients": EvidenceVector(shares.tolist(), EDGES),
            "norm_statistics": _statistics(norms, counts),
            "weight_statistics": _statistics(weights, sums_by_bin(norms, weights)),
        }
        known = {name: float(value) for name, value in scalars.items() if np.isfinite(value)}
        return GradientEvidence(known, vectors)


def _statistics(values: Floats, bins: NDArray[np.floating[Any]]) -> EvidenceVector:
    return EvidenceVector(astuple(spread(values, bins)), labels=STATISTICS)


class HeadWatch:
    """Looks at every batch that a head learns from, with the head as it was before it did.

    While the context of a step lasts, the head's own inputs are taken down; what becomes of them is
    computed afterwards, with a copy that knows nothing of the step (a running density moves in it).
    A training that goes on within an epoch has the epoch's later steps alone.

    Args:
        head: of the system.
    """

    def __init__(self, head: Any) -> None:
        self._head, self._log = head, GradientLog()
        self._copy: Any = None
        self._seen: list[tuple[Tensor, Batch]] = []
        self._handle: Any = None

    def __enter__(self) -> HeadWatch:
        self._copy = deepcopy(self._head).eval()
        self._handle = self._head.register_forward_pre_hook(self._take_down)
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.remove()
        for embeddings, batch in self._seen:
            self._log.add(self._copy, embeddings, batch)
        self._seen.clear()

    def evidence(self) -> GradientEvidence:
        """Return the evidence of all steps since the last call."""
        found, self._log = self._log.evidence(with_losses=True), GradientLog()
        return found

    def _take_down(self, _: Any, inputs: tuple[Any, ...]) -> None:
        embeddings, batch = inputs
        self._seen.append((embeddings.detach(), batch))
