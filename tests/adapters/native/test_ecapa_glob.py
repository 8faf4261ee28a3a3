"""ECAPA-TDNN with global context; tests of parity hold it to WeSpeaker's own."""

from __future__ import annotations

import pytest
import torch

from adapters.native.ecapa_glob import EcapaGlobBackbone
from adapters.native.pooling import AttentiveStatisticsPooling, statistics_under_weights
from tests.adapters.native.upstream import parameter_count


@pytest.mark.parametrize(("channels", "count"), [(512, 6_190_720), (1024, 14_657_088)])
def test_parameter_count_is_the_published_one(channels: int, count: int) -> None:
    with torch.device("meta"):
        network = EcapaGlobBackbone(channels=channels)
    assert parameter_count(network) == count


def test_groups_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="100 channels cannot be cut into 8 groups"):
        EcapaGlobBackbone(channels=100)


def test_equal_weights_give_plain_statistics() -> None:
    frames = torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0))
    deviation, mean = torch.std_mean(frames, dim=-1, correction=0)
    pooled = statistics_under_weights(frames, torch.full_like(frames, 1 / 50))
    assert torch.allclose(pooled, torch.cat((mean, deviation), dim=1), atol=1e-6)


def test_context_is_the_same_as_if_put_beside_every_frame() -> None:
    torch.manual_seed(0)
    pooling = AttentiveStatisticsPooling(6, bottleneck=4, global_context=True)
    frames = torch.randn(2, 6, 30)
    deviation, mean = torch.std_mean(frames, dim=-1, keepdim=True)
    beside = torch.cat((frames, mean.expand_as(frames), deviation.expand_as(frames)), dim=1)
    scores = pooling.linear2(torch.tanh(pooling.linear1(beside)))
    expected = statistics_under_weights(frames, torch.softmax(scores, dim=-1))
    assert torch.allclose(pooling(frames), expected, atol=1e-6)


def test_a_constant_channel_has_a_finite_gradient() -> None:
    frames = torch.ones(1, 2, 8, requires_grad=True)
    statistics_under_weights(frames, torch.full((1, 2, 8), 1 / 8)).sum().backward()
    assert frames.grad is not None
    assert bool(frames.grad.isfinite().all())
