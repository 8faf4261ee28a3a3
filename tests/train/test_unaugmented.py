"""Validation, and the sample of training items beside it, are judged without augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from adapters.losses import Softmax
from harness.adapter import Batch, Image
from harness.config.picture_tables import PictureAugment
from harness.config.recipe_tables import Augment
from harness.train.loop import share_of_right
from harness.train.system import System, outputs_of
from harness.train.validation_losses import ClassLosses

AUGMENT = Augment(
    pictures=PictureAugment(rotation=40, brightness=(0.2, 1.8)), mixup=1.0, cutmix=1.0
)
CLASSES, ITEMS, SIDE = ("a", "b", "c"), 9, 8
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Flat:
    """One layer over all pixels."""

    embedding_size = 4
    version = 1

    def inputs(self) -> Image:
        return Image(size=SIDE, channels=1)

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 4), nn.Dropout(0.5))


class Drawings:
    """A few random pictures."""

    def __init__(self) -> None:
        generator = np.random.Generator(np.random.PCG64(0))
        self.pixels = generator.integers(0, 256, (ITEMS, SIDE, SIDE)).astype(np.uint8)
        labels = [CLASSES[row % 3] for row in range(ITEMS)]
        self.items = pd.DataFrame({"id": range(ITEMS), "source": "", "label": labels})

    def __len__(self) -> int:
        return ITEMS

    def item(self, index: int) -> Any:
        return self.pixels[index]

    def shape(self, index: int) -> tuple[int, ...]:
        return SIDE, SIDE

    def length(self, index: int) -> int:
        return SIDE * SIDE


def judged(augment: Augment) -> tuple[Any, dict[str, float]]:
    torch.manual_seed(0)
    system = System(Flat(), Softmax(), 3, augment)
    system.train()
    items = Drawings()
    losses = ClassLosses(system, items.items, CLASSES, 4)
    outputs = outputs_of(system, items, "logits", CPU, keep=losses.keep)
    return outputs, losses.values()


def test_outputs_and_losses_are_of_the_pictures_as_they_are() -> None:
    outputs, losses = judged(AUGMENT)
    plain_outputs, plain_losses = judged(Augment())
    np.testing.assert_array_equal(outputs, plain_outputs)
    assert losses == plain_losses
    again, _ = judged(AUGMENT)
    np.testing.assert_array_equal(outputs, again)


def test_a_mixed_item_is_right_by_the_weight_of_the_label_decided_for() -> None:
    logits = torch.eye(3)[[0, 1, 2, 0]]
    labels, others = torch.tensor([0, 0, 1, 1]), torch.tensor([1, 1, 1, 2])
    assert share_of_right(logits, Batch(labels)) == 0.25
    mixed = Batch(labels, mix_labels=others, mix_weights=torch.tensor([0.75, 0.5, 0.5, 0.5]))
    # Right by its own label, right by the other, and twice by neither.
    assert share_of_right(logits, mixed) == (0.75 + 0.5) / 4
