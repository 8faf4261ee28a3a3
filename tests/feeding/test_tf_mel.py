"""ReDimNet's filterbanks: against a slow reference, and against what its own front end computes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.adapter import TfMel
from harness.datasets.lengths import frame_count, samples_for
from harness.feeding.front_end import front_end

# Bins 0, 14, 28, ... of frames of `wave()`, by `TFMelBanks` of PalabraAI's redimnet2 (2a8d15f).
UPSTREAM = {
    0: [4.57187, 1.44816, -1.63339, -2.84784, -0.85369, 0.62585],
    1: [4.74383, -1.53735, -5.12225, -7.01101, -5.72169, -4.7524],
    50: [-0.52392, -0.61501, -0.27317, -1.0147, 1.32337, 0.56767],
    98: [0.53658, 0.06283, -0.98462, -0.43438, 0.94841, 13.30847],
}


def wave() -> Tensor:
    time = torch.arange(16_000) / 16_000
    falling = torch.sin(2 * torch.pi * 70 * time) * torch.cos(2 * torch.pi * 3500 * time**2)
    return 0.3 * torch.sin(2 * torch.pi * (200 * time + 1500 * time**2)) + 0.2 * falling


def slow(sound: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Compute features frame by frame and filter by filter, `[frames, bins]`."""
    even = (sound - sound.mean()) / (sound.std() + 1e-8)
    emphasised = even - 0.97 * np.concatenate([even[1:2], even[:-1]])
    padded = np.concatenate([np.zeros(80), emphasised, np.zeros(80)])
    mel = [2595 * math.log10(1 + hertz / 700) for hertz in (20, 7600)]
    edges = np.linspace(mel[0], mel[1], bins + 2)
    # The last of 256 frequencies is half the sample rate.
    places = [2595 * math.log10(1 + 8000 * k / 255 / 700) for k in range(256)]
    turn = np.exp(-2j * np.pi * np.outer(np.arange(256), np.arange(400)) / 512)
    rows = []
    for start in range(0, len(padded) - 400 + 1, 160):
        spectrum = turn @ (padded[start : start + 400] * np.hamming(400))
        power = np.clip(np.abs(spectrum) ** 2, 1e-8, 1e8)
        row = []
        for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
            slopes = [
                max(0.0, min((m - low) / (centre - low), (high - m) / (high - centre)))
                for m in places
            ]
            row.append(math.log(np.clip(np.dot(slopes, power), 1e-8, 1e8) + 1e-8))
        rows.append(row)
    features = np.array(rows)
    return features - features.mean(axis=0)


@pytest.mark.parametrize(("samples", "bins"), [(4000, 72), (3999, 24)])
def test_features_are_those_of_a_slow_reference(samples: int, bins: int) -> None:
    sound = wave()[-samples:]
    found = front_end(TfMel(bins=bins)).eval()(sound[None])[0]
    wanted = slow(sound.double().numpy(), bins)
    assert found.shape == wanted.shape
    assert np.abs(found.numpy() - wanted).max() < 2e-4


def test_features_are_upstreams() -> None:
    found = front_end(TfMel()).eval()(wave()[None])[0]
    assert found.shape == (99, 72)
    for frame, wanted in UPSTREAM.items():
        assert found[frame, ::14].tolist() == pytest.approx(wanted, abs=2e-4)


@pytest.mark.parametrize("samples", [240, 399, 400, 4000, 15_999])
def test_frames_are_counted_as_they_come(samples: int) -> None:
    declared = TfMel(bins=24)
    frames = frame_count(declared, samples)
    assert front_end(declared).eval()(wave()[None, :samples]).shape[1] == frames
    assert frame_count(declared, samples_for(declared, frames)) == frames
    assert frame_count(declared, samples_for(declared, frames) - 1) == frames - 1


def test_neither_loudness_nor_offset_matters() -> None:
    module, sound = front_end(TfMel()).eval(), wave()[None]
    torch.testing.assert_close(module(0.01 * sound + 0.1), module(sound), atol=5e-3, rtol=0)


def test_silence_has_finite_features() -> None:
    assert torch.isfinite(front_end(TfMel())(torch.zeros(2, 16_000))).all()
