"""Where rooms come from: a folder of impulse responses, or rooms of our own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_channels, resample
from harness.data.corpus import SAMPLE_RATE, DamagedItem
from harness.data.synthesis.arithmetic import Array, between, from_decibels, generator
from harness.data.synthesis.recording import ReverberantRoom, impulse_response
from harness.feeding.waveform.listing import Collection, sound_files, table

DIRECT = 40
"""The tap of the straight path in every packed response: 2.5 ms are kept before it."""

TAPS = SAMPLE_RATE // 2
"""Most taps of a packed response: what follows after half a second is cut off."""

REFLECTIONS = 8


@dataclass(frozen=True)
class RoomFolder(Collection):
    """Impulse responses as files, in RIRS_NOISES' layout or any other.

    What that collection holds of noise (files called so, `pointsource_noises`) is not taken. Of
    several microphones the first is.
    """

    needs_folder: ClassVar[bool] = True

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every file of a response."""
        del profile
        files = sound_files(folder, wanted=_is_room)
        return table([(path.as_posix(), "room") for path in files])

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """One response, aligned, at 16 kHz."""
        levels, rate = read_channels(folder / item.source)
        if not levels[:, 0].any():
            raise DamagedItem("is all zeros")
        return aligned(resample(levels[:, 0], rate))


@dataclass(frozen=True)
class SimulatedRooms(Collection):
    """Rooms from seeds: straight sound, early reflections, noise that decays exponentially."""

    count: int = 256

    needs_folder: ClassVar[bool] = False

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Names that are the rooms' seeds."""
        del profile, folder
        return table([(f"simulated-room/{number:03}", "room") for number in range(self.count)])

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Make one: from a furnished room near by to a bare one at a distance."""
        del folder
        rng = generator(item.id)
        decay, treble = between(rng, 0.2, 0.65), between(rng, 0.4, 0.9)
        tail = impulse_response(ReverberantRoom(item.id, decay, treble, between(rng, -2.0, 12.0)))
        _add_reflections(tail, rng)
        return aligned(tail)


def aligned(response: Array) -> NDArray[np.int16]:
    """A response with its straight path, its strongest tap, at `DIRECT`, in 16 bits to full scale.

    Args:
        response: `[taps]`; at least one is not 0.

    Returns:
        From `DIRECT` + 1 to `TAPS` taps.
    """
    peak = int(np.abs(response).argmax())
    before = response[max(0, peak - DIRECT) : peak]
    padded = np.concatenate([np.zeros(DIRECT - len(before)), before, response[peak:]])[:TAPS]
    levels: Array = np.rint(32767 * padded / np.abs(response[peak]))
    return levels.astype(np.int16)


def _add_reflections(response: Array, rng: np.random.Generator) -> None:
    """Add echoes of the straight sound within 40 ms, each later one weaker."""
    for _ in range(REFLECTIONS):
        milliseconds = between(rng, 1.0, 40.0)
        level = between(rng, -12.0, -4.0) - milliseconds / 4
        sign = 1.0 if rng.random() < 0.5 else -1.0
        response[int(milliseconds * SAMPLE_RATE / 1000)] += (
            sign * from_decibels(np.array([level]))[0]
        )


def _is_room(path: Path) -> bool:
    return "noise" not in path.stem.lower() and "pointsource_noises" not in path.parts
