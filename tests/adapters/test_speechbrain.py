"""ECAPA-TDNN is SpeechBrain's own."""

from __future__ import annotations

import sys

import pytest
import torch

from adapters.speechbrain import EcapaTdnn


@pytest.mark.parametrize(("channels", "count"), [(512, 6_194_048), (1024, 20_767_552)])
def test_parameter_count_is_the_published_one(channels: int, count: int) -> None:
    with torch.device("meta"):
        trunk = EcapaTdnn(channels=channels).build()
    assert sum(weight.numel() for weight in trunk.parameters()) == count


def test_output_is_that_of_speechbrains_class_with_the_same_state() -> None:
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    torch.manual_seed(0)
    upstream = ECAPA_TDNN(40, lin_neurons=24, channels=[32, 32, 32, 32, 96]).eval()
    trunk = EcapaTdnn(channels=32, embedding_size=24, bins=40).build().eval()
    trunk.load_state_dict(upstream.state_dict())
    features = torch.randn(2, 97, 40)
    with torch.inference_mode():
        assert torch.equal(trunk(features), upstream(features)[:, 0])


def test_default_is_speechbrains_default() -> None:
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    with torch.device("meta"):
        ours, upstream = EcapaTdnn().build(), ECAPA_TDNN(80)
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (ours, upstream)]
    assert shapes[0] == shapes[1]


def test_channels_that_res2net_cannot_split_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 8, got 100"):
        EcapaTdnn(channels=100)


def test_modules_that_speechbrain_left_asleep_can_be_looked_through() -> None:
    EcapaTdnn(channels=8).build()
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    assert any(files)
