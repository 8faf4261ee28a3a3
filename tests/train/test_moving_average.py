"""The moving average of weights: what is validated and kept, over a training that is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from harness.config.recipes import Recipe
from harness.train.checkpoint import load_weights
from harness.train.moving_average import MovingAverage
from harness.train.training_progress import FINAL
from tests.train.small_training import RECIPE, StopError, check_equal, trained

AVERAGED = RECIPE.model_copy(update={"ema": 0.6})


def test_it_is_the_average_by_its_formula() -> None:
    layer = nn.BatchNorm1d(2)
    average, wanted = MovingAverage(layer, 0.3), torch.ones(2)
    for step in range(1, 6):
        with torch.no_grad():
            layer.weight.mul_(2).add_(step)
        layer.num_batches_tracked += 1
        average.add(layer)
        decay = min(0.3, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * layer.weight.detach()
    torch.testing.assert_close(average.values["weight"], wanted)
    assert int(average.values["num_batches_tracked"]) == 5


def test_a_module_has_its_own_weights_again_afterwards() -> None:
    layer = nn.Linear(2, 2)
    average = MovingAverage(layer, 0.5)
    own = layer.weight.detach().clone()
    average.values["weight"].zero_()
    with average.in_place(layer):
        assert not layer.weight.any()
    assert torch.equal(layer.weight, own)
    with pytest.raises(StopError), average.in_place(layer):
        raise StopError
    assert torch.equal(layer.weight, own)


def test_the_averaged_weights_are_validated_and_kept(tmp_path: Path) -> None:
    _, seen = trained(tmp_path / "plain")
    result, averaged = trained(tmp_path / "averaged", AVERAGED)
    check_equal(load_weights(tmp_path / "averaged" / FINAL), averaged[result.selected_step])
    # The training itself goes on with its own weights: what is shown of it is the same.
    last = RECIPE.model_copy(update={"ema": 0.6, "select": "last"})
    trained(tmp_path / "last", last)
    kept = load_weights(tmp_path / "last" / FINAL)
    assert any(not torch.equal(kept[name], seen[6][name]) for name in kept)


@pytest.mark.parametrize("stop_at", [1, 3, 5])
@pytest.mark.parametrize("select", ["best", "last"])
def test_a_training_that_is_cut_off_gives_the_same_bytes(
    tmp_path: Path, stop_at: int, select: str
) -> None:
    recipe: Recipe = AVERAGED.model_copy(update={"select": select})
    trained(tmp_path / "whole", recipe)
    with pytest.raises(StopError):
        trained(tmp_path / "cut", recipe, stop_at=stop_at)
    trained(tmp_path / "cut", recipe)
    assert (tmp_path / "cut" / FINAL).read_bytes() == (tmp_path / "whole" / FINAL).read_bytes()


def test_a_recipe_without_one_is_written_as_before() -> None:
    assert "ema" not in RECIPE.model_dump()
    assert AVERAGED.model_dump()["ema"] == 0.6
