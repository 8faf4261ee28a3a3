"""Noise lies under sound at the ratio that was asked for, and nothing is clipped."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.feeding.effects import add_noise, limit_peak, power

SAMPLES = 2000


def sounds(rows, seed, level=0.1):
    return level * torch.randn(rows, SAMPLES, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None)
@given(
    st.lists(st.floats(-20, 60), min_size=1, max_size=4),
    st.floats(0.001, 1.0),
    st.floats(0.001, 1.0),
)
def test_the_ratio_is_what_was_asked(ratios, loud, under):
    rows, ratio = len(ratios), torch.tensor(ratios)
    wave, noise = sounds(rows, 0, loud).double(), sounds(rows, 1, under).double()
    added = add_noise(wave, noise, ratio.double()) - wave
    found = 10 * torch.log10(power(wave) / power(added))
    torch.testing.assert_close(found, ratio.double(), atol=1e-6, rtol=0)


def test_what_is_added_is_the_noise():
    wave, noise = sounds(2, 0), sounds(2, 1)
    added = add_noise(wave, noise, torch.tensor([0.0, 10.0])) - wave
    for row in range(2):
        correlation = torch.corrcoef(torch.stack([added[row], noise[row]]))[0, 1]
        assert correlation > 0.9999


def test_silence_gets_no_noise():
    made = add_noise(torch.zeros(1, SAMPLES), sounds(1, 0), torch.tensor([0.0]))
    assert torch.equal(made, torch.zeros(1, SAMPLES))


def test_noise_without_power_adds_nothing():
    wave = sounds(1, 0)
    assert torch.equal(add_noise(wave, torch.zeros(1, SAMPLES), torch.tensor([0.0])), wave)


def test_nothing_is_clipped():
    wave = limit_peak(add_noise(sounds(1, 0, 0.9), sounds(1, 1), torch.tensor([0.0])))
    assert wave.abs().max() <= 1
    assert (wave.abs() == wave.abs().max()).sum() == 1, "turned down, its top not cut off"


@settings(deadline=None)
@given(st.floats(0.01, 8.0))
def test_only_what_is_too_loud_is_turned_down(level):
    wave = sounds(1, 0, level)
    made = limit_peak(wave)
    if wave.abs().max() <= 1:
        assert torch.equal(made, wave)
    else:
        assert made.abs().max() == pytest.approx(1.0)
        torch.testing.assert_close(made / made.abs().max(), wave / wave.abs().max())
