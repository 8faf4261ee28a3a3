"""Front ends for other runtimes compute what those of training do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from harness.adapter import Fbank, Image, Spectrogram, TfMel, Vector
from harness.errors import RequestError
from harness.feeding.front_end import front_end
from harness.use.network.linear_front_end import linear_front_end

SOUND = torch.randn(3, 8_000, generator=torch.Generator().manual_seed(0)) * 0.1


@pytest.mark.parametrize(
    "declared",
    [
        Fbank(),
        Fbank(window="povey", scale=1.0, bins=40),
        Fbank(window="hanning", subtract_mean=False, frame_length_ms=20.0),
        Fbank(window="rectangular", frame_shift_ms=12.5, low_hz=100.0, high_hz=-400.0),
        TfMel(),
        TfMel(bins=24, subtract_mean=False, frame_length_ms=20.0),
        Spectrogram(),
        Spectrogram(bins=40, frame_length_ms=32.0),
    ],
)
def test_of_sounds(declared: Fbank | Spectrogram) -> None:
    made = front_end(declared).eval()
    wanted = made(SOUND)
    found = linear_front_end(made, (8_000,))(SOUND)
    assert found.shape == wanted.shape
    assert torch.allclose(found, wanted, atol=2e-3)
    assert float((found - wanted).abs().mean()) < 1e-5


@pytest.mark.parametrize("shape", [(8, 8), (300, 200), (56, 57)])
def test_of_pictures_that_grow_or_shrink(shape: tuple[int, int]) -> None:
    pixels = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    made = front_end(Image(size=56, channels=3))
    assert torch.allclose(linear_front_end(made, shape)(pixels), made(pixels), atol=1e-5)


@pytest.mark.parametrize("crop", [None, 0.8])
@pytest.mark.parametrize("channels", [1, 3])
def test_of_pictures_in_colour(channels: int, crop: float | None) -> None:
    pixels = torch.rand(2, 30, 40, 3, generator=torch.Generator().manual_seed(0))
    declared = Image(size=16, channels=channels, interpolation="bicubic", crop=crop)
    if channels == 3:
        declared = replace(declared, mean=(0.4, 0.5, 0.6), deviation=(0.2, 0.3, 0.4))
    made = front_end(declared)
    found = linear_front_end(made, (30, 40, 3))(pixels)
    assert torch.allclose(found, made(pixels), atol=1e-5)


def test_of_vectors() -> None:
    vectors = torch.rand(2, 5)
    made = front_end(Vector(size=5))
    assert torch.equal(linear_front_end(made, (5,))(vectors), vectors)


def test_another_one_is_refused() -> None:
    with pytest.raises(RequestError, match="--features outside"):
        linear_front_end(torch.nn.ReLU(), (5,))
