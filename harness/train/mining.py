"""Which labels are hard beside which: by the head's class centres, anew every epoch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from harness.feeding.feeder import Feeder
from harness.train.system import System

_ROWS = 1024
"""Labels whose cosines to all others are held at a time."""


def mine(system: System, feeder: Feeder, step: int, steps_per_epoch: int) -> None:
    """Tell a feeder that waits for it which labels are near; does nothing to any other.

    The table is made at the first step of an epoch, and is a buffer of the system: a training that
    goes on from a resume point within an epoch finds it there.

    Args:
        system: what is trained.
        feeder: what makes its inputs.
        step: of this training, from 0.
        steps_per_epoch: for how many steps a table holds.
    """
    if not feeder.must_mine:
        return
    within = step % steps_per_epoch
    if within == 0:
        system.nearest.copy_(nearest_labels(system.class_centres(), *system.nearest.shape))
    feeder.mine(system.nearest.cpu().numpy().copy(), step - within + steps_per_epoch)


def nearest_labels(centres: Tensor, labels: int, several: int) -> Tensor:
    """The labels whose centres have the highest cosines to each label's own, `[labels, several]`.

    A label that is a class at every speed counts with the mean direction of its classes.

    Args:
        centres: of classes, `[speeds * labels, size]`, the labels of a speed one after another.
        labels: how many there are.
        several: how many of the nearest, under `labels`.
    """
    with torch.no_grad(), torch.autocast(centres.device.type, enabled=False):
        each = functional.normalize(centres.float()).reshape(-1, labels, centres.shape[1])
        directions = functional.normalize(each.mean(dim=0))
        found = []
        for rows in torch.split(torch.arange(labels, device=centres.device), _ROWS):
            cosines = directions[rows] @ directions.T
            cosines.scatter_(1, rows.unsqueeze(1), -torch.inf)
            found.append(cosines.topk(several, dim=1).indices)
        return torch.cat(found)
