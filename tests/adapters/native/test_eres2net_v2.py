"""ERes2NetV2; tests of parity hold it to 3D-Speaker's own."""

from __future__ import annotations

import pytest
import torch

from adapters.native.eres2net import ERes2NetBackbone, ERes2NetV2Backbone
from adapters.native.res2net import Res2NetStages
from tests.adapters.native.upstream import parameter_count


def test_parameter_count_of_the_wide_one() -> None:
    """3D-Speaker's w24s4ep4: groups of 24 channels, four of them, expansion 4."""
    with torch.device("meta"):
        network = ERes2NetV2Backbone(base_width=24, scale=4, expansion=4)
    assert parameter_count(network) == 53_513_632


def test_bins_that_eight_does_not_divide_are_rounded_up() -> None:
    network = ERes2NetV2Backbone(bins=41, channels=16, embedding_size=8).eval()
    with torch.inference_mode():
        assert network(torch.randn(1, 9, 41)).shape == (1, 8)


def test_frames_of_which_the_strides_leave_one_are_too_few() -> None:
    network = ERes2NetV2Backbone(bins=24, channels=16, embedding_size=8).eval()
    with pytest.raises(ValueError, match="too short"):
        network(torch.zeros(1, 8, 24))


@pytest.mark.parametrize("network", [ERes2NetBackbone, ERes2NetV2Backbone])
def test_other_than_four_stages_are_refused(
    network: type[Res2NetStages],
) -> None:
    with pytest.raises(ValueError, match="four stages, got 3"):
        network(blocks=(1, 1, 1))
