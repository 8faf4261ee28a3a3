"""Readers of noises and of room impulse responses: folders of files, or bundled synthesis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio, read_channels, resample
from harness.data.corpus import COLUMNS, SAMPLE_RATE, DamagedItem, Uncompared
from harness.data.synthesis.arithmetic import (
    Array,
    between,
    from_decibels,
    generator,
    normal,
    white,
)
from harness.data.synthesis.recording import (
    ReverberantRoom,
    draw_noise,
    impulse_response,
    noise_gain,
)
from harness.errors import DataError

ENDINGS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".opus"})

KINDS = ("noise", "speech", "music")

DIRECT = 40
"""The tap of the straight path in every packed response: 2.5 ms are kept before it."""

TAPS = SAMPLE_RATE // 2
"""Most taps of a packed response: what follows after half a second is cut off."""

REFLECTIONS = 8


class SoundCollection(Uncompared):
    """Base of all readers of noises and rooms: sounds that nobody compares."""

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"

    @property
    def unit(self) -> str:
        """Every sound stands for itself."""
        return "sound"


@dataclass(frozen=True)
class NoiseFolder(SoundCollection):
    """Sound files in a folder, as MUSAN's; the nearest folder named as a kind gives the kind."""

    needs_folder: ClassVar[bool] = True

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every sound file, its kind as its label."""
        del profile
        return _item_table([(path.as_posix(), _kind(path)) for path in _sound_files(folder)])

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Read one file at 16 kHz, mono."""
        return read_audio(folder / item.source, convert=True)


@dataclass(frozen=True)
class EmbeddedNoise(SoundCollection):
    """Noise from seeds: from pink to brown with humps of its own, swelling and fading."""

    count: int = 128
    length: float = 8.0

    needs_folder: ClassVar[bool] = False

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return names that are the noises' seeds."""
        del profile, folder
        return _item_table(
            [(f"embedded-noise/{number:03}", "noise") for number in range(self.count)]
        )

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
        # The amplitude wanders by some decibels, twice a second.
        knots = np.arange(0, samples + SAMPLE_RATE // 2, SAMPLE_RATE // 2)
        swell = np.interp(np.arange(samples), knots, 4.0 * normal(rng, len(knots)))
        sound *= from_decibels(swell)
        return _to_int16(sound, np.abs(sound).max())


@dataclass(frozen=True)
class RoomFolder(SoundCollection):
    """Impulse responses as files, in RIRS_NOISES' layout or any other.

    The noise of that collection (files called so, `pointsource_noises`) is left out. Of several
    microphones the first is taken.
    """

    needs_folder: ClassVar[bool] = True

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every file of a response."""
        del profile
        files = _sound_files(folder, wanted=_is_room)
        return _item_table([(path.as_posix(), "room") for path in files])

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Read one response, aligned, at 16 kHz."""
        levels, rate = read_channels(folder / item.source)
        if not levels[:, 0].any():
            raise DamagedItem("is all zeros")
        return align_response(resample(levels[:, 0], rate))


@dataclass(frozen=True)
class SimulatedRooms(SoundCollection):
    """Rooms from seeds: straight sound, early reflections, noise that decays exponentially."""

    count: int = 256

    needs_folder: ClassVar[bool] = False

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return names that are the rooms' seeds."""
        del profile, folder
        return _item_table(
            [(f"simulated-room/{number:03}", "room") for number in range(self.count)]
        )

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Make one: from a furnished room near by to a bare one at a distance."""
        del folder
        rng = generator(item.id)
        decay, treble = between(rng, 0.2, 0.65), between(rng, 0.4, 0.9)
        response = impulse_response(
            ReverberantRoom(item.id, decay, treble, between(rng, -2.0, 12.0))
        )
        # Echoes of the straight sound within 40 ms, each later one weaker.
        for _ in range(REFLECTIONS):
            milliseconds = between(rng, 1.0, 40.0)
            level = between(rng, -12.0, -4.0) - milliseconds / 4
            sign = 1.0 if rng.random() < 0.5 else -1.0
            echo = sign * from_decibels(np.array([level]))[0]
            response[int(milliseconds * SAMPLE_RATE / 1000)] += echo
        return align_response(response)


def align_response(response: Array) -> NDArray[np.int16]:
    """Shift a response's straight path, its strongest tap, to `DIRECT`, in 16 bits to full scale.

    Args:
        response: `[taps]`; at least one is not 0.

    Returns:
        From `DIRECT` + 1 to `TAPS` taps.
    """
    peak = int(np.abs(response).argmax())
    before = response[max(0, peak - DIRECT) : peak]
    padded = np.concatenate([np.zeros(DIRECT - len(before)), before, response[peak:]])[:TAPS]
    return _to_int16(padded, np.abs(response[peak]))


def _to_int16(sound: Array, peak: float) -> NDArray[np.int16]:
    levels: Array = np.rint(32767 * sound / peak)
    return levels.astype(np.int16)


def _sound_files(folder: Path, wanted: Callable[[Path], bool] = lambda _: True) -> list[Path]:
    """Return every sound file below a folder, relative to it, in the same order everywhere.

    Args:
        folder: the one to search.
        wanted: tells of a path relative to it if it is meant.

    Raises:
        DataError: there is none.
    """
    every = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    found = sorted(filter(wanted, (path.relative_to(folder) for path in every)))
    if not found:
        raise DataError(
            f"{folder}: no sound files ({', '.join(sorted(ENDINGS))}) in it or below it; "
            "name the folder that was unpacked"
        )
    return found


def _item_table(rows: list[tuple[str, str]]) -> pd.DataFrame:
    """Return items, each of a unit of its own, from names and labels."""
    names, labels = zip(*rows, strict=True)
    columns = {"id": names, "unit": names, "label": labels, "seconds": 0.0, "source": names}
    return pd.DataFrame({**columns, "line": 0, "split": "train"})[list(COLUMNS)]


def _kind(path: Path) -> str:
    parents = (part for part in reversed(path.parts[:-1]) if part in KINDS)
    return next(parents, "noise")


def _is_room(path: Path) -> bool:
    return "noise" not in path.stem.lower() and "pointsource_noises" not in path.parts
