"""From a recipe's optimiser table to torch's optimiser."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from harness.config.recipe_tables import Optimizer


def make_optimizer(plan: Optimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """SGD, Adam or AdamW over all parameters, at the peak learning rate."""
    if plan.name == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=plan.lr,
            momentum=plan.momentum,
            weight_decay=plan.weight_decay,
            nesterov=plan.nesterov and plan.momentum > 0,
        )
    kind = torch.optim.AdamW if plan.name == "adamw" else torch.optim.Adam
    return kind(parameters, lr=plan.lr, weight_decay=plan.weight_decay)
