"""Speed changes are SciPy's resampling, batched; pitch and length change as a tape's would."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from harness.feeding.effects import at_speed, samples_before

SPEEDS = (0.9, 1.1, 0.95, 1.05, 0.5, 2.0, 1.25, 0.8)
RATE = 16_000


def sound(samples, rows=3):
    return torch.randn(rows, samples, generator=torch.Generator().manual_seed(0))


def tone(hertz, samples):
    return torch.sin(2 * torch.pi * hertz * torch.arange(samples, dtype=torch.float64) / RATE)


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_is_scipys_polyphase_resampling(speed):
    ratio = Fraction(speed).limit_denominator(100)
    wave = sound(samples_before(1600, speed))
    wanted = resample_poly(
        wave.double().numpy(), ratio.denominator, ratio.numerator, axis=1, padtype="constant"
    )
    made = at_speed(wave, speed, 1600)
    assert made.shape == (3, 1600)
    np.testing.assert_allclose(made.numpy(), wanted[:, :1600], atol=5e-6, rtol=0)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("hertz", [200.0, 1500.0])
def test_a_tone_is_heard_higher_by_the_speed(speed, hertz):
    samples = RATE
    wave = tone(hertz, samples_before(samples, speed))[None].float()
    spectrum = np.abs(np.fft.rfft(at_speed(wave, speed, samples)[0].numpy() * np.hanning(samples)))
    assert spectrum.argmax() == pytest.approx(hertz * speed, abs=1)


def test_what_a_faster_playing_cannot_hold_is_filtered_out():
    wave = tone(7900.0, samples_before(RATE, 1.1))[None].float()
    inside = at_speed(wave, 1.1, RATE)[:, 100:-100]
    assert inside.square().mean() < 0.02 * wave.square().mean()


def test_the_speed_of_one_is_the_sound_itself():
    wave = sound(1600)
    assert torch.equal(at_speed(wave, 1.0, 1600), wave)


@settings(deadline=None)
@given(st.integers(1, 3000), st.sampled_from(SPEEDS))
def test_every_length_comes_out_as_asked(samples, speed):
    before = samples_before(samples, speed)
    assert before - 1 < samples * Fraction(speed).limit_denominator(100) <= before
    made = at_speed(torch.ones(1, before), speed, samples)
    assert made.shape == (1, samples)
    assert torch.isfinite(made).all()


def test_silence_stays_silent():
    assert not at_speed(torch.zeros(2, 1760), 1.1, 1600).any()


def test_rows_do_not_touch():
    wave = sound(1760)
    alone = torch.cat([at_speed(row[None], 1.1, 1600) for row in wave])
    torch.testing.assert_close(at_speed(wave, 1.1, 1600), alone, atol=1e-6, rtol=0)
