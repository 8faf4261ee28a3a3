"""Two training items made one, and their labels weighed: mixup and CutMix.

Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018,
arXiv:1710.09412; Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with
Localizable Features", ICCV 2019, arXiv:1905.04899.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.config.recipe_tables import Augment

STREAM = 8
"""Of random numbers, beside those of `harness.feeding.picture_changes`."""


class Mixing(NamedTuple):
    """What each item of a step is mixed with.

    Attributes:
        partners: places of the second items in the batch, `[batch]`.
        shares: of the first items, before rectangles are cut at whole pixels, `[batch]`.
        middles: of the rectangle of each, as shares of height and width, `[batch, 2]`.
        cut: whether a rectangle is laid in, `[batch]`; else levels are averaged.
    """

    partners: Tensor
    shares: Tensor
    middles: Tensor
    cut: Tensor


class MixedLabels(NamedTuple):
    """The second label of each item, and the first one's share, both `[batch]`."""

    labels: Tensor
    weights: Tensor


def draw_mixing(augment: Augment, seed: int, step: int, rows: int) -> Mixing:
    """Draw partners and shares of a step by seed and step alone.

    Each item has a share of its own. Of two ways that a recipe names, an item gets either.
    """
    rng = np.random.Generator(np.random.PCG64([seed, STREAM, step]))
    partners, chosen = rng.permutation(rows), rng.random((rows, 4))
    both = augment.mixup and augment.cutmix
    cut = chosen[:, 0] < (0.5 if both else float(bool(augment.cutmix)))
    averaged, laid = (
        rng.beta(alpha, alpha, rows) if alpha else np.ones(rows)
        for alpha in (augment.mixup, augment.cutmix)
    )
    shares = np.where(chosen[:, 1] < augment.mixed, np.where(cut, laid, averaged), 1.0)
    return Mixing(
        torch.from_numpy(partners),
        torch.from_numpy(shares.astype(np.float32)),
        torch.from_numpy(chosen[:, 2:].astype(np.float32)),
        torch.from_numpy(cut),
    )


def mix_inputs(values: Tensor, labels: Tensor, mixing: Mixing) -> tuple[Tensor, MixedLabels]:
    """Mix a network's inputs and name the labels that go with them.

    Args:
        values: `[batch, ...]`; rectangles are laid into the last two dimensions.
        labels: class indices, `[batch]`.
        mixing: as drawn, on the same device.

    Returns:
        The mixed inputs, and the second labels with the weights of the first. A rectangle that
        is cut off at the picture's edge counts with the pixels that it covers.
    """
    others = values[mixing.partners]
    shape = (-1, *[1] * (values.dim() - 1))
    own = torch.where(mixing.cut, 1.0, mixing.shares).view(shape)
    mixed, weights = own * values + (1 - own) * others, mixing.shares
    if bool(mixing.cut.any()):
        covered = _rectangles(mixing, values.shape[-2], values.shape[-1])
        area = covered.float().mean((-2, -1))
        over = covered.view(len(covered), *shape[1:-2], *covered.shape[1:])
        mixed = torch.where(over, others, mixed)
        weights = torch.where(mixing.cut, 1 - area, mixing.shares)
    return mixed, MixedLabels(labels[mixing.partners], weights)


def _rectangles(mixing: Mixing, height: int, width: int) -> Tensor:
    """Tell of each pixel if the second picture covers it: `[batch, height, width]`.

    Sides are the picture's times sqrt(1 - share) (Yun et al., equation 2).
    """
    side = (1 - mixing.shares).sqrt()
    inside = []
    for place, length in ((0, height), (1, width)):
        middle, half = mixing.middles[:, place] * length, side * length / 2
        low, high = (middle - half).round().clamp(min=0), (middle + half).round().clamp(max=length)
        at = torch.arange(length, device=side.device)
        inside.append((at >= low[:, None]) & (at < high[:, None]))
    rows, columns = inside
    return mixing.cut.view(-1, 1, 1) & rows[:, :, None] & columns[:, None, :]
