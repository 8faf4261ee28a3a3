"""The plain network on spectrograms: sizes of any picture, and fields that make sense."""

from __future__ import annotations

import pytest
import torch

from adapters.spectrogram_cnn import SpectrogramCnn


@pytest.mark.parametrize(("bins", "frames"), [(40, 1), (40, 98), (7, 13)])
def test_a_picture_of_any_size_is_embedded(bins: int, frames: int) -> None:
    adapter = SpectrogramCnn(channels=(4, 6), bins=bins)
    network = adapter.build().eval()
    found = network(torch.randn(2, 1, bins, frames))
    assert found.shape == (2, adapter.embedding_size) == (2, 12)


def test_the_mean_comes_first_and_the_maximum_after_it() -> None:
    network = SpectrogramCnn(channels=(3,)).build().eval()
    pictures = torch.randn(2, 1, 40, 20)
    hidden = network.layers(pictures)
    assert torch.allclose(network(pictures)[:, :3], hidden.mean((2, 3)), atol=1e-6)
    assert torch.equal(network(pictures)[:, 3:], hidden.amax((2, 3)))


@pytest.mark.parametrize("fields", [{"channels": ()}, {"channels": (0,)}, {"dropout": 1.0}])
def test_impossible_fields_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        SpectrogramCnn(**fields)  # type: ignore[arg-type]
