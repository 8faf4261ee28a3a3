"""The x-vector network; tests of parity hold it to WeSpeaker's own."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from adapters.native.xvector import XVectorBackbone

POOLINGS: tuple[Literal["tstp", "astp"], ...] = ("tstp", "astp")


@pytest.fixture(scope="module", params=POOLINGS)
def network(request: pytest.FixtureRequest) -> XVectorBackbone:
    return XVectorBackbone(pooling=request.param).eval()


def test_the_shortest_utterance_is_embedded(network: XVectorBackbone) -> None:
    with torch.inference_mode():
        assert bool(network(torch.zeros(1, 16, 80)).isfinite().all())


@pytest.mark.parametrize("frames", [1, 14, 15])
def test_too_short_an_utterance_is_refused(network: XVectorBackbone, frames: int) -> None:
    with pytest.raises(ValueError, match=f"at least 16 frames, got {frames}.*too short"):
        network(torch.zeros(1, frames, 80))
