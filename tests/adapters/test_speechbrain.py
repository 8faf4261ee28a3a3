"""ECAPA-TDNN is SpeechBrain's own."""

from __future__ import annotations

import sys

import pytest
import torch
from torch.nn import functional

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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("length", "width"), [(97, 4), (40, 2), (6, 4), (5, 4), (3, 1), (9, 0)])
def test_the_gradient_of_the_padding_has_the_bits_of_torchs(
    length: int, width: int, dtype: torch.dtype
) -> None:
    from adapters.native.ecapa import MirrorPadding

    torch.manual_seed(0)
    values = torch.randn(3, 5, length, dtype=dtype)
    gradient = torch.randn(3, 5, length + 2 * width, dtype=dtype)
    found = []
    for pad in (MirrorPadding.apply, lambda x, w: functional.pad(x, (w, w), mode="reflect")):
        leaf = values.clone().requires_grad_()
        padded = pad(leaf, width)
        padded.backward(gradient)
        found.append((padded.detach(), leaf.grad))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_no_padding_has_a_backward_pass_that_no_gpu_repeats() -> None:
    """torch lists `ReflectionPad1d`'s among those that add in any order."""
    trunk = EcapaTdnn(channels=8).build()
    left, seen, names = [trunk(torch.randn(2, 20, 80)).grad_fn], set(), set()
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        names.add(node.name())
        left += [each for each, _ in node.next_functions]
    assert not [name for name in names if "Reflection" in name]
    assert [name for name in names if "MirrorPadding" in name]


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
