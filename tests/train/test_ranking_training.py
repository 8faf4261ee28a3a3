"""A loss on pairs, or on grades, learns from what a dataset grades its items by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters.ranking import GhmRanking, GhmRegression, MarginRanking, RankNet
from harness.config.recipes import Recipe
from harness.train.system import System
from tests.train.small_training import ITEMS, RECIPE, Trunk, logged, small_batches, trained

LOSSES: list[Any] = [RankNet(), MarginRanking(), GhmRanking(), GhmRegression()]


def graded(recipe: Recipe) -> Any:
    batches = small_batches(recipe)
    subset = batches.subset
    grades = subset.items.assign(grade=np.arange(ITEMS, dtype=float))
    return replace(batches, subset=replace(subset, items=grades))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_pairs_reach_the_loss_and_training_accuracy_is_that_of_pairs(
    loss: Any, tmp_path: Path
) -> None:
    recipe = RECIPE.model_copy(update={"schedules": {}})
    torch.manual_seed(1)
    system = System(Trunk(), loss, 3, recipe.augment)
    result, _ = trained(
        tmp_path, recipe, system=system, batches=graded(recipe), scheduled=loss.scheduled
    )
    steps = [line["train"]["Accuracy"] for line in logged(tmp_path)]
    assert set(steps) <= {0.0, 1.0}  # of a batch's one pair
    last = steps[-(ITEMS // recipe.batch) :]
    assert result.accuracy == pytest.approx(sum(last) / len(last))
