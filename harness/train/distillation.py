"""The loss of a student that learns from labels and from a teacher's answers."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor
from torch.nn import functional

from harness.adapter import LossOutput
from harness.config.recipe_tables import Distill
from harness.errors import JobFailed


def distilled(output: LossOutput, teacher: Tensor, plan: Distill) -> LossOutput:
    """Return a head's output with a teacher's answers in its loss.

    loss = (1 - weight) * own + weight * T^2 * KL(softmax(teacher / T) || softmax(logits / T)),
    the divergence a mean over items. T^2 keeps the two gradients on one scale at any temperature
    (Hinton, Vinyals and Dean, 2015, arXiv:1503.02531, section 2).

    Args:
        output: of the student's head.
        teacher: logits, `[batch, classes]`.
        plan: weight and temperature T.

    Raises:
        JobFailed: the head gives no logits.
    """
    if output.logits is None:
        raise JobFailed("distill: the loss gives no logits that could be held against a teacher's")
    temperature = plan.temperature
    own = functional.log_softmax(output.logits.float() / temperature, dim=1)
    taught = functional.log_softmax(teacher.float() / temperature, dim=1)
    gap = functional.kl_div(own, taught, reduction="batchmean", log_target=True)
    loss = (1 - plan.weight) * output.loss + plan.weight * temperature**2 * gap
    return replace(output, loss=loss)
