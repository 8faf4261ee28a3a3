"""WeSpeaker's networks by their adapters."""

from __future__ import annotations

import pytest
import torch

from adapters.wespeaker import CamPlusPlus, ERes2Net, ResNet34
from harness.adapter import Fbank

Adapter = CamPlusPlus | ERes2Net | ResNet34


@pytest.mark.parametrize(
    ("adapter", "count"),
    [
        (CamPlusPlus(), 7_176_224),
        (CamPlusPlus(embedding_size=192), 6_848_544),
        (ERes2Net(embedding_size=192), 6_610_688),
        (ERes2Net(embedding_size=192, channels=64), 22_462_784),
        (ResNet34(), 6_634_336),
    ],
)
def test_parameter_count_is_the_published_one(adapter: Adapter, count: int) -> None:
    with torch.device("meta"):
        trunk = adapter.build()
    assert sum(weight.numel() for weight in trunk.parameters()) == count


@pytest.mark.parametrize("adapter", [CamPlusPlus(bins=64), ERes2Net(bins=64), ResNet34(bins=64)])
def test_front_end_is_wespeakers(adapter: Adapter) -> None:
    expected = Fbank(bins=64, window="hamming", scale=32768.0, dither=1.0, subtract_mean=True)
    assert adapter.inputs() == expected
