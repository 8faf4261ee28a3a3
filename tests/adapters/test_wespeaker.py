"""WeSpeaker's networks by their adapters."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from adapters.native.recomputation import Lean
from adapters.wespeaker import (
    AttentiveResNet34,
    CamPlusPlus,
    EcapaTdnnGlob,
    ERes2Net,
    ERes2NetV2,
    ResNet34,
    SimAmResNet34,
    XVector,
)
from harness.adapter import ADDED, Fbank, ModelAdapter
from harness.testing import check_model


@pytest.mark.parametrize(
    ("adapter", "count"),
    [
        (CamPlusPlus(), 7_176_224),
        (CamPlusPlus(embedding_size=192), 6_848_544),
        (ERes2Net(embedding_size=192), 6_610_688),
        (ERes2Net(embedding_size=192, channels=64), 22_462_784),
        (ERes2Net(channels=64), 29_016_704),
        (ERes2NetV2(), 17_859_632),
        (ResNet34(), 6_634_336),
        (AttentiveResNet34(), 7_292_384),
        (AttentiveResNet34(pooling="mqmhastp"), 8_606_560),
        (EcapaTdnnGlob(), 6_190_720),
        (EcapaTdnnGlob(channels=1024), 14_657_088),
        (SimAmResNet34(), 25_213_760),
        (SimAmResNet34(blocks=(6, 16, 24, 3)), 50_232_896),
        (XVector(), 4_610_524),
        (XVector(pooling="astp"), 4_996_152),
    ],
)
def test_parameter_count_is_the_published_one(adapter: ModelAdapter, count: int) -> None:
    with torch.device("meta"):
        trunk = adapter.build()
    assert sum(weight.numel() for weight in trunk.parameters()) == count


@pytest.mark.parametrize(
    "adapter",
    [
        CamPlusPlus(bins=64),
        ERes2Net(bins=64),
        ERes2NetV2(bins=64),
        ResNet34(bins=64),
        AttentiveResNet34(bins=64),
        EcapaTdnnGlob(bins=64),
        SimAmResNet34(bins=64),
        XVector(bins=64),
    ],
)
def test_front_end_is_wespeakers(adapter: ModelAdapter) -> None:
    expected = Fbank(bins=64, window="hamming", scale=32768.0, dither=1.0, subtract_mean=True)
    assert replace(adapter.inputs(), least_frames=1) == expected


def test_front_end_of_published_eres2net_v2_is_3d_speakers() -> None:
    expected = Fbank(bins=64, window="povey", scale=1.0, dither=0.0, subtract_mean=True)
    inputs = ERes2NetV2(bins=64, front_end="3d-speaker").inputs()
    assert replace(inputs, least_frames=1) == expected


@pytest.mark.parametrize(
    "adapter",
    [
        AttentiveResNet34(channels=8, bins=24, embedding_size=16),
        AttentiveResNet34(pooling="mqmhastp", channels=8, bins=24, embedding_size=16),
        EcapaTdnnGlob(channels=32, bins=24, embedding_size=16),
        CamPlusPlus(bins=24, embedding_size=16, checkpointing=True),
        ERes2Net(channels=16, bins=24, embedding_size=16),
        ERes2Net(channels=16, bins=24, embedding_size=16, checkpointing=True),
        ERes2NetV2(channels=16, bins=24, embedding_size=16),
        SimAmResNet34(channels=8, bins=24, embedding_size=16),
        XVector(bins=24, embedding_size=16),
        XVector(pooling="astp", bins=24, embedding_size=16),
    ],
    ids=lambda adapter: f"{type(adapter).__name__}-{getattr(adapter, 'pooling', '')}".rstrip("-"),
)
def test_promises_of_the_interface_hold(adapter: ModelAdapter) -> None:
    check_model(adapter, frames=60)


@pytest.mark.parametrize("channels", [0, 100])
def test_channels_that_res2net_cannot_split_are_refused(channels: int) -> None:
    with pytest.raises(ValueError, match=f"multiple of 8, got {channels}"):
        EcapaTdnnGlob(channels=channels)


@pytest.mark.parametrize("adapter", [CamPlusPlus(), ERes2Net(), ERes2NetV2()])
def test_checkpointing_came_later_and_reaches_every_stretch(
    adapter: CamPlusPlus | ERes2Net | ERes2NetV2,
) -> None:
    (field,) = (field for field in fields(adapter) if field.name == "checkpointing")
    assert (field.metadata, field.default) == (ADDED, False)
    for wanted, kept in ((False, {"convolutions"}), (True, {"inputs"})):
        with torch.device("meta"):
            trunk = replace(adapter, checkpointing=wanted).build()
        stretches = [module for module in trunk.modules() if isinstance(module, Lean)]
        assert stretches
        assert {stretch.keeps for stretch in stretches} == kept
