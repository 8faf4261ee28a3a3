"""ReDimNet2 by its adapter: what is published of it, and the promises of the interface."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from adapters.native.redimnet2 import SIZES, ReDimNet2Backbone
from adapters.redimnet import ReDimNet2
from harness.adapter import TfMel
from harness.measure.cost import multiply_adds, parameters
from harness.testing import check_model

PUBLISHED = [("b0", 1.1, 0.33), ("b1", 2.1, 0.56), ("b2", 3.6, 0.95), ("b3", 4.1, 2.70)]
"""Millions of parameters and thousand millions of multiply-adds (2 s), as the authors have them."""


@pytest.mark.parametrize(("size", "millions", "giga"), PUBLISHED)
def test_a_size_costs_what_is_published(
    size: Literal["b0", "b1", "b2", "b3"], millions: float, giga: float
) -> None:
    trunk = ReDimNet2(size=size).build()
    # Their counter leaves out weights that a module holds itself: those of the sums of maps.
    sums = sum(weight.numel() for name, weight in trunk.named_parameters() if name.endswith(".w"))
    assert round((parameters(trunk) - sums) / 1e6, 1) == millions
    # The pooling's context, the same at every frame, is multiplied once here, not 200 times.
    pooling = trunk.get_submodule("pool.linear1")
    spared = 199 * 2 * pooling.weight[:, :, 0].numel() // 3
    found = (multiply_adds(trunk, torch.zeros(1, 200, 72)) + spared) / 1e9
    assert found == pytest.approx(giga, rel=0.025)


def test_promises_of_the_interface_hold() -> None:
    check_model(ReDimNet2(size="b0", embedding_size=16), frames=60)


@pytest.mark.long
@pytest.mark.parametrize("size", ["b1", "b2", "b3"])
def test_promises_hold_of_every_size(size: Literal["b1", "b2", "b3"]) -> None:
    check_model(ReDimNet2(size=size, group_norm=size == "b1"), frames=60)


def test_its_front_end_is_its_own() -> None:
    assert ReDimNet2().inputs() == TfMel(bins=72, least_frames=4)


def test_frames_that_would_be_pooled_with_none_are_left_out() -> None:
    torch.manual_seed(0)
    trunk, features = ReDimNet2(size="b0").build().eval(), torch.randn(1, 43, 72)
    with torch.inference_mode():
        assert torch.equal(trunk(features), trunk(features[:, :40]))


def test_bins_that_the_stages_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="80 bins cannot be cut into 12 parts"):
        ReDimNet2Backbone(SIZES["b2"], bins=80)


def test_maps_are_summed_alike_at_first() -> None:
    torch.manual_seed(0)
    total = ReDimNet2(size="b0").build().get_submodule("backbone.fin_wght1d")
    maps = [torch.randn(2, 864, 5) for _ in range(7)]
    torch.testing.assert_close(total(maps), torch.stack(maps).mean(dim=0))
