"""Facts of sounds, against sounds that were made to have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, resample_poly, sosfilt

from harness.errors import RequestError
from harness.use.sound_facts import measure_sound, read_sound
from tests.use.sounds import RATE, spoken


def test_the_level_of_a_sine_is_its_amplitude_less_3_db() -> None:
    time = np.arange(RATE) / RATE
    facts = measure_sound(3276.8 * np.sin(2 * np.pi * 440 * time)[:, None], RATE)
    assert facts.level_db == pytest.approx(-23.01, abs=0.05)
    assert facts.seconds == 1
    assert facts.speech_seconds == pytest.approx(0.98)
    assert facts.clipped < 0.001


def test_pauses_are_no_speech() -> None:
    facts = measure_sound(spoken(seconds=3.0, pause=1.5), RATE)
    assert facts.speech_seconds == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize("ratio", [5, 10, 15])
def test_the_range_falls_with_the_noise(ratio: float) -> None:
    clean = spoken(seconds=3.0, pause=1.0)
    power = np.square(clean[:RATE]).mean() / 10 ** (ratio / 10)
    noisy = clean + np.random.default_rng(0).normal(scale=np.sqrt(power), size=clean.shape)
    assert measure_sound(clean, RATE).range_db > 30
    assert measure_sound(noisy, RATE).range_db == pytest.approx(ratio, abs=5)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_a_waveform_that_is_cut_off_is_clipped(share: float) -> None:
    whole = spoken(seconds=2.0)
    height = share * np.abs(whole).max()
    cut = whole.clip(-height, height)
    facts = measure_sound(cut, RATE)
    assert facts.clipped == pytest.approx((np.abs(cut) == height).mean(), rel=0.5)
    assert measure_sound(whole, RATE).clipped < 0.001


def test_a_lower_rate_leaves_nothing_above_its_half() -> None:
    wide = spoken(seconds=2.0)
    narrow = resample_poly(resample_poly(wide, 1, 2), 2, 1)
    assert measure_sound(wide, RATE).high_db > -40
    assert measure_sound(narrow, RATE).high_db < -50


def test_channels_are_compared() -> None:
    one, other = spoken(seconds=1.0, seed=1), spoken(seconds=1.0, seed=2)
    assert measure_sound(np.hstack([one, 0.5 * one]), RATE).channels_alike == pytest.approx(1)
    apart = np.hstack([one, other])
    found = measure_sound(apart, RATE).channels_alike
    assert found == pytest.approx(np.corrcoef(apart.T)[0, 1])
    assert measure_sound(np.hstack([one, 0 * one]), RATE).channels_alike == 0


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_files_of_any_rate_become_16_khz(tmp_path: Path, rate: int) -> None:
    sos = butter(8, 3_000, fs=RATE, output="sos")
    sound = sosfilt(sos, spoken(seconds=1.0), axis=0)
    path = tmp_path / "sound.wav"
    soundfile.write(path, resample_poly(sound, rate // 100, RATE // 100) / 32768, rate)
    samples, facts = read_sound(path)
    assert (facts.rate, facts.channels) == (rate, 1)
    assert len(samples) == pytest.approx(RATE, abs=2)
    inner = slice(500, -500)
    apart = samples[inner] - sound[inner, 0][: len(samples[inner])]
    assert np.square(apart).mean() < 1e-3 * np.square(sound).mean()


def test_a_file_of_zeros_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "zeros.wav"
    soundfile.write(path, np.zeros(RATE), RATE)
    with pytest.raises(RequestError, match=r"zeros\.wav: is all zeros"):
        read_sound(path)


def test_a_sound_shorter_than_a_frame_has_facts_too() -> None:
    facts = measure_sound(spoken(seconds=0.01), RATE)
    assert facts.seconds == 0.01
    assert np.isfinite(list(facts.model_dump().values())).all()
