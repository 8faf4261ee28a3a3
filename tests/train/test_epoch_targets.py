"""A head that looks at all training items: what it gets, when, and that labels reach nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from adapters.clustering import UnsupervisedClustering
from adapters.dialogue import Fusion
from harness.adapter import Assigned, Batch, LossOutput
from harness.config.recipe_tables import LearningRate, Optimizer
from harness.config.recipes import Recipe
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.errors import JobFailed
from harness.feeding.batches import TrainingBatches
from harness.train.loop import train
from harness.train.system import System
from harness.train.training_plan import TrainingPlan, Validation
from tests.train.small_training import StopError, check_equal, logged

ITEMS, SIZE, CLASSES = 24, 6, 3
RECIPE = Recipe(
    batch=8, epochs=4, validations=2, checkpoints=12, select="last",
    optimizer=Optimizer(lr=0.01), learning_rate=LearningRate(shape="constant", warmup=0),
)  # fmt: skip
LOSS = UnsupervisedClustering(pretrain=0.25, least=2, size=8)


def batches(labels: np.ndarray) -> TrainingBatches:
    rng = np.random.default_rng(0)
    values = np.eye(CLASSES, SIZE)[np.arange(ITEMS) % CLASSES] + 0.1 * rng.normal(
        size=(ITEMS, SIZE)
    )
    pack = Pack(
        values.astype(np.float32).ravel(), np.arange(ITEMS + 1) * SIZE,
        np.tile([1, SIZE], (ITEMS, 1)), "", {},
    )  # fmt: skip
    items = pd.DataFrame({"id": [str(row) for row in range(ITEMS)], "label": labels})
    subset = Subset(items, np.arange(ITEMS), np.arange(1, ITEMS + 1), pack)
    classes = tuple(f"c{number}" for number in range(CLASSES))
    return TrainingBatches(subset, classes, RECIPE.batch, None, 3)


LABELS = np.array([f"c{row % CLASSES}" for row in range(ITEMS)])


def trained(
    folder: Path, loss: Any = LOSS, labels: np.ndarray = LABELS, stop_at: int = 0, **changes: Any
) -> System:
    def report(step: int, steps: int, value: float) -> None:
        if step == stop_at:
            raise StopError

    torch.manual_seed(1)
    system = System(Fusion(text=SIZE, base_dim=8), loss, CLASSES)
    recipe = RECIPE.model_copy(update=changes)
    plan = TrainingPlan(
        recipe=recipe, batches=batches(labels), validate=lambda _: Validation({"nmi": 0.5}),
        primary="nmi", higher_is_better=True, scheduled=(), folder=folder, seed=3, report=report,
    )  # fmt: skip
    train(system, plan, Fabric(accelerator="cpu", devices=1))
    return system


def test_shuffled_labels_leave_every_weight_untouched(tmp_path: Path):
    shuffled = np.random.default_rng(5).permutation(LABELS)
    assert (shuffled != LABELS).any()
    one = trained(tmp_path / "one")
    other = trained(tmp_path / "other", labels=shuffled)
    check_equal(one.state_dict(), other.state_dict())


def test_a_training_that_was_cut_off_within_an_epoch_ends_with_the_same_weights(tmp_path: Path):
    whole = trained(tmp_path / "whole")
    with pytest.raises(StopError):
        trained(tmp_path / "cut", stop_at=8)
    again = trained(tmp_path / "cut")
    check_equal(again.state_dict(), whole.state_dict())
    assert logged(tmp_path / "cut") == logged(tmp_path / "whole")


def test_each_epoch_tells_what_was_trusted(tmp_path: Path):
    trained(tmp_path)
    values = {line["step"]: line["train"] for line in logged(tmp_path)}
    told = {step: each["trusted_share"] for step, each in values.items() if "trusted_share" in each}
    assert list(told) == [1, 4, 7, 10]
    assert told[1] == 0
    assert 0 < told[4] <= told[7] <= told[10]
    moved = {step: each["moved_share"] for step, each in values.items() if "moved_share" in each}
    assert list(moved) == [7, 10], "against the targets of the epoch before, where it had some"
    assert all(0 <= share <= 1 for share in moved.values())


def test_parts_of_a_batch_learn_the_same(tmp_path: Path):
    whole = trained(tmp_path / "whole", steps=3, epochs=None, loss=LOSS)
    parts = trained(tmp_path / "parts", steps=3, epochs=None, loss=LOSS, micro_batch=4)
    for name, value in whole.state_dict().items():
        assert value.shape == parts.state_dict()[name].shape
        assert bool(parts.state_dict()[name].isfinite().all())


class Watching(nn.Module):
    """Keeps what it is given; its answer marks each item by its row."""

    def __init__(self, answer: int) -> None:
        super().__init__()
        self.asked: list[tuple[int, float]] = []
        self.got: list[list[int]] = []
        self.answer = answer
        self.weight = nn.Parameter(torch.ones(()))

    def assign(self, embeddings: torch.Tensor, progress: float) -> Assigned:
        self.asked.append((len(embeddings), progress))
        return Assigned(torch.arange(self.answer), torch.ones(self.answer))

    def forward(self, embeddings: torch.Tensor, batch: Batch) -> LossOutput:
        assert batch.assigned is not None
        self.got.append(batch.assigned.targets.tolist())
        return LossOutput((self.weight * embeddings).square().mean())


class WatchingLoss:
    version = 1
    needs = frozenset({"epoch_embeddings"})
    scheduled = ()

    def __init__(self, answer: int = ITEMS) -> None:
        self.answer = answer

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        return Watching(self.answer)


def test_the_head_is_asked_once_an_epoch_and_each_step_gets_its_items(tmp_path: Path):
    head: Any = trained(tmp_path, loss=WatchingLoss()).head
    assert head.asked == [(ITEMS, epoch / 4) for epoch in range(4)]
    drawn = batches(LABELS)
    assert head.got == [drawn.rows(step).tolist() for step in range(12)]


def test_an_answer_of_another_length_fails_the_job(tmp_path: Path):
    with pytest.raises(JobFailed, match=r"Watching\.assign answers .* for 24 training items"):
        trained(tmp_path, loss=WatchingLoss(ITEMS - 1))
