"""A training step under each loss beside the same step under cross-entropy.

Forward and backward pass of the plain network of the loss suite on a batch of one-second words;
the optimiser is not timed. One process, turns taken step by step.
"""

from __future__ import annotations

from functools import partial

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from adapters.losses import Softmax
from adapters.spectrogram_cnn import FilterbankCnn
from harness.adapter import Batch, LossAdapter, build_head
from harness.train.system import ordered_pairs
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns
from tests.entries import made

pytestmark = [ON_THE_PROCESSOR, pytest.mark.usefixtures("one_thread")]

BATCH, FRAMES, CLASSES, ROUNDS = 32, 98, 40, 25

MOST = 1.03
"""Of gradient harmonising: its step may take so many times as long."""

LOSSES: dict[str, float | None] = {
    "label-smoothing": None,
    "focal": None,
    "class-balanced": None,
    "ldam": None,
    "logit-adjustment": None,
    "balanced-softmax": None,
    "ghm": MOST,
    "ghm-exact": MOST,
    "ghm-sigmoid": MOST,
    "margin-ranking": None,
    "ranknet": None,
    "ghm-ranking": MOST,
    "ghm-ranking-margin": MOST,
    "ghm-regression": MOST,
}


class Step:
    """A training step of the network under a loss; all losses begin with the same weights."""

    def __init__(self, loss: LossAdapter) -> None:
        torch.manual_seed(0)
        model = FilterbankCnn()
        self.trunk = model.build().train()
        counts = [30 + place for place in range(CLASSES)]
        self.head = build_head(loss, model.embedding_size, CLASSES, counts).train()
        self.features = torch.randn(BATCH, FRAMES, model.bins)
        grades = torch.randn(BATCH)
        labels = torch.randint(CLASSES, (BATCH,))
        self.batch = Batch(labels, pairs=ordered_pairs(grades), grades=grades)

    def __call__(self) -> float:
        """Go forward and back once, and return the loss as the training loop does."""
        for module in (self.trunk, self.head):
            module.zero_grad(set_to_none=True)
        output = self.head(self.trunk(self.features), self.batch)
        output.loss.backward()
        return float(output.loss.detach())


def test_a_step_under_each_loss(benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    steps = {name: Step(made("losses", name)) for name in LOSSES}
    rivals = {name: Contestant[object](step) for name, step in steps.items()}
    plain = Contestant(partial(Step.__call__, Step(Softmax())))
    ratios = take_turns(benchmark, plain, rivals, rounds=ROUNDS)
    figures.append(Figure("a step under cross-entropy", 1e3 * plain.best, "ms of processor time"))
    figures += [
        Figure(f"… under {name}", ratios[name], "times as long", most=most)
        for name, most in LOSSES.items()
    ]
    assert missed(figures) == []
