"""Where noise comes from: a folder in MUSAN's layout, or noise of our own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpus import SAMPLE_RATE
from harness.data.synthesis.arithmetic import Array, from_decibels, generator, normal, white
from harness.data.synthesis.recording import draw_noise, noise_gain
from harness.feeding.waveform.listing import Collection, sound_files, table

KINDS = ("noise", "speech", "music")


@dataclass(frozen=True)
class NoiseFolder(Collection):
    """Sound files in a folder; the nearest folder called after a kind tells a file's kind."""

    needs_folder: ClassVar[bool] = True

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every sound file, its kind as its label."""
        del profile
        files = sound_files(folder)
        return table([(path.as_posix(), _kind(path)) for path in files])

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """One file at 16 kHz, mono."""
        return read_audio(folder / item.source, convert=True)


@dataclass(frozen=True)
class EmbeddedNoise(Collection):
    """Noise from seeds: from pink to brown with humps of its own, swelling and fading."""

    count: int = 128
    length: float = 8.0

    needs_folder: ClassVar[bool] = False

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Names that are the noises' seeds."""
        del profile, folder
        return table([(f"embedded-noise/{number:03}", "noise") for number in range(self.count)])

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Make one, to full scale."""
        del folder
        rng = generator(item.id)
        samples = round(self.length * SAMPLE_RATE)
        noise = draw_noise(rng)
        frequencies = np.arange(samples // 2 + 1, dtype=np.float64) * (SAMPLE_RATE / samples)
        gain = noise_gain(noise, frequencies)
        gain[0] = 0.0
        sound = np.fft.irfft(np.fft.rfft(white(rng, samples)) * gain, samples)
        sound *= _swell(rng, samples)
        levels: Array = np.rint(32767 * sound / np.abs(sound).max())
        return levels.astype(np.int16)


def _kind(path: Path) -> str:
    parents = (part for part in reversed(path.parts[:-1]) if part in KINDS)
    return next(parents, "noise")


def _swell(rng: np.random.Generator, samples: int) -> Array:
    """An amplitude `[samples]` that wanders by some decibels, twice a second."""
    knots = np.arange(0, samples + SAMPLE_RATE // 2, SAMPLE_RATE // 2)
    levels = 4.0 * normal(rng, len(knots))
    return from_decibels(np.interp(np.arange(samples), knots, levels))
