"""Gradient norms and weights of single items under any loss that decides by logits."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from harness.adapter import Batch, ItemGradients

LEAST_NORM = 1e-12
"""Smallest norm that a weighted one is divided by: below it a ratio would be rounding alone."""


def item_gradients(head: Any, embeddings: Tensor, batch: Batch) -> ItemGradients | None:
    """Return the gradient norms and weights of a batch's items; the head's state stays as it is.

    A head with `item_gradients` answers for itself. Of any other the gradient of its loss on the
    logits is taken in double precision, and held against that of plain cross-entropy: whatever a
    loss does to an item (a weight, a margin, a smoothed label) is then a factor on its gradient.
    Where the plain gradient all but vanishes and the loss's does not (smoothed labels), that
    factor is huge: `weighted_norms` tell more there than `weights`.

    Args:
        head: in evaluation mode (see `harness.adapter.Head`).
        embeddings: `[batch, size]`, of any number format; may be inference tensors.
        batch: their labels.

    Returns:
        None for a head without logits, or whose loss does not rest on the logits that it decides
        by (softmax margins on angles).
    """
    with torch.inference_mode(mode=False):
        # Out of inference mode a copy is an ordinary tensor, which a graph may hold.
        embeddings = embeddings.clone()
        own = getattr(head, "item_gradients", None)
        if own is not None:
            with torch.no_grad():
                found: ItemGradients = own(embeddings, batch)
            return found
        with torch.enable_grad():
            return _measured(deepcopy(head).double(), embeddings.double(), batch)


def _measured(head: Any, embeddings: Tensor, batch: Batch) -> ItemGradients | None:
    output = head(embeddings, batch)
    if output.logits is None:
        return None
    (pull,) = torch.autograd.grad(output.loss, output.logits, allow_unused=True)
    if pull is None:
        return None
    norms = cross_entropy_norms(output.logits.detach(), batch.labels)
    # The loss is a mean: an item's own gradient is as many times that of the mean.
    weighted = len(pull) * pull.abs().sum(dim=1) / 2
    return ItemGradients(norms, weighted, weighted / norms.clamp(min=LEAST_NORM))


def cross_entropy_norms(logits: Tensor, labels: Tensor) -> Tensor:
    """Return |1 - p_y| of each item, `[batch]`, exact also where p_y rounds to 1.

    It is half of the L1 norm of cross-entropy's gradient on the logits (Li, Liu and Wang, 2019,
    arXiv:1811.05181, whose g it is with two classes).

    Args:
        logits: `[batch, classes]`.
        labels: `[batch]`.
    """
    log_chances = functional.log_softmax(logits, dim=1)
    others = log_chances.scatter(1, labels.unsqueeze(1), -torch.inf)
    return others.logsumexp(dim=1).exp()
