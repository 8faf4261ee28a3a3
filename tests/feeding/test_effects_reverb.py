"""A room is a convolution: SciPy's, with the straight path in place and the power kept."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from harness.feeding.effects import power, reverberate


def sounds(rows, samples, seed=0):
    return torch.randn(rows, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("samples", "taps", "direct"), [(1600, 700, 40), (300, 800, 0), (64, 1, 0)]
)
def test_it_is_a_convolution_cut_to_length(samples, taps, direct):
    wave, responses = sounds(3, samples), sounds(3, taps, 1)
    made = reverberate(wave, responses, direct).double().numpy()
    for row in range(3):
        whole = fftconvolve(wave[row].double().numpy(), responses[row].double().numpy())
        heard = np.zeros(samples)
        part = whole[direct : direct + samples]
        heard[: len(part)] = part
        heard *= np.sqrt(np.square(wave[row].double().numpy()).sum() / np.square(heard).sum())
        np.testing.assert_allclose(made[row], heard, atol=2e-5, rtol=0)


@pytest.mark.parametrize("direct", [0, 7, 40])
def test_a_straight_path_alone_changes_nothing(direct):
    responses = torch.zeros(2, 50)
    responses[:, direct] = torch.tensor([0.3, -0.8])
    wave = sounds(2, 500)
    made = reverberate(wave, responses, direct)
    torch.testing.assert_close(made, wave * torch.tensor([[1.0], [-1.0]]), atol=1e-5, rtol=0)


@settings(deadline=None)
@given(st.integers(10, 2000), st.integers(1, 900), st.integers(0, 2**31))
def test_power_is_kept(samples, taps, seed):
    wave, responses = sounds(2, samples, seed), sounds(2, taps, seed + 1)
    made = reverberate(wave, responses, 0)
    torch.testing.assert_close(power(made), power(wave), rtol=1e-4, atol=0)


def test_silence_stays_silent():
    assert torch.equal(reverberate(torch.zeros(1, 99), sounds(1, 50), 3), torch.zeros(1, 99))
