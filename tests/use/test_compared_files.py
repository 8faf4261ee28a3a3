"""Files of every kind that people have: the decision is right, or the sound is warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from harness.errors import RequestError
from harness.records.record import Metric
from harness.use.given_items import GivenItems
from harness.use.model_facts import Decision, ModelFacts
from harness.use.sound_pair import Comparison, compare, cosine
from tests.use.sounds import RATE, spoken

VOICE, OTHER = 1, 5
RATE_OF_ERROR = Metric(value=0.1, unit="%")
EDGES = np.geomspace(100, 7_000, 25)


class LongTermSpectrum:
    """A network in the smallest sense: the mean log spectrum of a sound in 24 bands.

    Args:
        threshold: cosine from which on two sounds count as of one voice.
    """

    def __init__(self, threshold: float = 0.0) -> None:
        decision = Decision(
            threshold=threshold, calibration=None, effective_prior=0.5, miss=RATE_OF_ERROR,
            false_alarm=RATE_OF_ERROR, eer=RATE_OF_ERROR, targets=1, nontargets=1,
        )  # fmt: skip
        self.facts = ModelFacts.model_construct(kind="audio", sounds=None, decision=decision)

    def outputs(self, items: GivenItems) -> NDArray[np.float32]:
        return np.stack([self._output(content) for content in items.contents])

    def _output(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        frames = np.lib.stride_tricks.sliding_window_view(samples.ravel() / 32768, 512)[::256]
        power = np.abs(np.fft.rfft(frames * np.hanning(512))) ** 2
        bins = np.searchsorted(EDGES, np.fft.rfftfreq(512, 1 / RATE))
        bands = [power[:, bins == band].sum(axis=1) for band in range(1, len(EDGES))]
        loud = power.sum(axis=1) > 1e-3 * power.sum(axis=1).max()
        logs = np.log(np.stack(bands)[:, loud] + 1e-9).mean(axis=1)
        return np.asarray(logs - logs.mean(), dtype=np.float32)


def voice(seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two sounds of one voice, `[samples]` in -1..1, each with three pauses."""
    whole = spoken(seconds=6.0, seed=seed)[:, 0] / 32768
    speaks = np.arange(len(whole)) % RATE < 0.75 * RATE
    faint = 2 / 32768 * np.random.default_rng(seed).normal(size=len(whole))
    whole = np.where(speaks, whole, faint)
    return whole[: 3 * RATE], whole[3 * RATE :]


@pytest.fixture(scope="module")
def network() -> LongTermSpectrum:
    """Its threshold lies midway between one voice and two, of clean sounds."""
    plain = LongTermSpectrum()
    sounds = [*voice(VOICE), voice(OTHER)[0]]
    scaled = [np.round(32768 * each).astype(np.int16) for each in sounds]
    one, again, other = plain.outputs(GivenItems(["a", "b", "c"], scaled))
    same, different = cosine(one, again), cosine(one, other)
    assert same > different + 0.05
    return LongTermSpectrum((same + different) / 2)


def resampled(sound: NDArray[Any], rate: int) -> NDArray[Any]:
    return np.asarray(resample_poly(sound, rate, RATE))


def compared(
    network: LongTermSpectrum, folder: Path, sound: NDArray[Any], rate: int = RATE
) -> tuple[Comparison, set[str]]:
    """Compare a clean sound of the voice with a file, and return the warnings of the latter."""
    soundfile.write(folder / "clean.wav", voice(VOICE)[0], RATE)
    soundfile.write(folder / "other.wav", sound, rate)
    found = compare(network, (folder / "clean.wav", folder / "other.wav"))
    assert found.sounds[0].warnings == ()
    return found, {each.rule for each in found.sounds[1].warnings}


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize(("seed", "same"), [(VOICE, True), (OTHER, False)])
def test_rates_that_hold_all_of_speech_are_right_and_unwarned(
    network: LongTermSpectrum, tmp_path: Path, rate: int, seed: int, same: bool
) -> None:
    found, warned = compared(network, tmp_path, resampled(voice(seed)[1], rate), rate)
    assert (found.same, warned) == (same, set())


def test_a_telephone_is_warned_of_whatever_rate_its_file_has(
    network: LongTermSpectrum, tmp_path: Path
) -> None:
    narrow = resampled(voice(VOICE)[1], 8_000)
    assert "narrow-band" in compared(network, tmp_path, narrow, 8_000)[1]
    again = np.asarray(resample_poly(narrow, 2, 1))
    assert "narrow-band" in compared(network, tmp_path, again)[1]


def test_a_fifth_of_a_second_is_short(network: LongTermSpectrum, tmp_path: Path) -> None:
    assert "short" in compared(network, tmp_path, voice(VOICE)[1][: RATE // 5])[1]


def test_a_sound_at_the_peak_is_clipped(network: LongTermSpectrum, tmp_path: Path) -> None:
    assert "clipped" in compared(network, tmp_path, np.clip(40 * voice(VOICE)[1], -1, 1))[1]


def test_nothing_but_zeros_is_refused_and_hardly_more_is_warned_of(
    network: LongTermSpectrum, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=r"other\.wav: is all zeros"):
        compared(network, tmp_path, np.zeros(3 * RATE))
    assert "silent" in compared(network, tmp_path, 0.001 * voice(VOICE)[1])[1]


def test_both_channels_alike_are_right_and_a_voice_on_each_is_warned_of(
    network: LongTermSpectrum, tmp_path: Path
) -> None:
    own = voice(VOICE)[1]
    found, warned = compared(network, tmp_path, np.stack([own, own], axis=1))
    assert (found.same, warned) == (True, set())
    assert "channels" in compared(network, tmp_path, np.stack([own, voice(OTHER)[1]], axis=1))[1]


def test_two_voices_one_after_the_other_are_warned_of(
    network: LongTermSpectrum, tmp_path: Path
) -> None:
    both = np.concatenate([*voice(VOICE), *voice(OTHER)])
    assert "speakers" in compared(network, tmp_path, both)[1]
    alone = np.concatenate(voice(VOICE))
    assert compared(network, tmp_path, alone)[1] == set()
