"""The loss of examples whose label may be mixed of two (mixup)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from harness.adapter import Batch


def mixed_mean(loss_of: Callable[[Tensor], Tensor], batch: Batch) -> Tensor:
    """Average a loss over a batch, weighing both labels of mixed examples.

    Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, arXiv:1710.09412.

    Args:
        loss_of: labels `[batch]` -> loss of each example `[batch]`.
        batch: labels, with the second label and the first one's share where examples are mixed.

    Returns:
        A scalar.
    """
    losses = loss_of(batch.labels)
    if batch.mix_labels is None or batch.mix_weights is None:
        return losses.mean()
    share = batch.mix_weights.to(losses.dtype)
    return (share * losses + (1 - share) * loss_of(batch.mix_labels)).mean()
