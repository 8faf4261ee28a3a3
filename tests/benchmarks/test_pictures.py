"""A training step on pictures as it is, beside one in the plain order of memory and plain updates.

EfficientNet-B0 at 64 pixels in batches of 16, forward, backward and update. One process, turns
taken step by step; both begin with the same weights.
"""

from __future__ import annotations

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from adapters.losses import Softmax
from adapters.timm import Timm
from harness.config.recipe_tables import Optimizer
from harness.train.optimization import make_optimizer
from harness.train.system import System
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns

pytestmark = [ON_THE_PROCESSOR, pytest.mark.usefixtures("one_thread")]

BATCH, SIDE, CLASSES, ROUNDS = 16, 64, 26, 6

LEAST = 1.15
"""How many times as long the plain step takes."""


class Step:
    """A training step of its own network.

    Args:
        plain: colour planes behind one another, and an update of one tensor operation at a time.
    """

    def __init__(self, *, plain: bool) -> None:
        torch.manual_seed(0)
        network = Timm(network="efficientnet_b0", size=SIDE)
        self.system, self.plain = System(network, Softmax(), CLASSES).train(), plain
        plan = Optimizer(name="adamw", lr=1e-4, weight_decay=1e-2)
        self.optimizer = make_optimizer(plan, self.system.parameters(), fused=not plain)
        self.pictures = torch.randn(BATCH, 3, SIDE, SIDE)
        self.labels = torch.randint(CLASSES, (BATCH,))

    def embeddings(self) -> Tensor:
        if self.plain:
            return self.system.trunk(self.pictures)
        return self.system.embed(self.pictures)

    def __call__(self) -> float:
        """Go forward and back, update the weights, and return the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.system.judge(self.embeddings(), self.labels).loss
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


def test_a_step_on_pictures(benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    ours, plain = Step(plain=False), Step(plain=True)
    assert ours() == pytest.approx(plain(), rel=1e-3)
    ratios = take_turns(benchmark, Contestant(ours), {"plain": Contestant(plain)}, rounds=ROUNDS)
    what = "a training step on pictures, plain over as it is"
    figures.append(Figure(what, ratios["plain"], "times as long", least=LEAST))
    assert missed(figures) == []
