"""A loss that counts is told of every class of the head."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from adapters.class_losses import ClassBalancedSoftmax
from adapters.losses import Softmax
from adapters.native.linear_heads import class_weights
from harness.adapter import Vector
from harness.config.recipe_tables import Augment
from harness.train.system import System


class Trunk:
    """A network of one layer."""

    embedding_size = 3
    version = 1

    def inputs(self) -> Vector:
        return Vector(size=4)

    def build(self) -> nn.Module:
        return nn.Linear(4, 3)


@pytest.mark.parametrize("speeds", [(), (0.9, 1.0, 1.1)])
def test_the_classes_of_every_speed_have_their_labels_counts(speeds: tuple[float, ...]) -> None:
    counts, factor = [1, 40, 7], max(1, len(speeds))
    system = System(Trunk(), ClassBalancedSoftmax(), 3, Augment(speeds=speeds), counts)
    found = system.head.class_weights
    assert found.tolist() == pytest.approx(class_weights(counts * factor, beta=0.999).tolist())
    assert torch.equal(found[:3], found[-3:])


def test_a_loss_that_does_not_count_needs_none() -> None:
    assert System(Trunk(), Softmax(), 3).head.classifier.out_features == 3
    with pytest.raises(TypeError, match="needs the number of training items"):
        System(Trunk(), ClassBalancedSoftmax(), 3)
