"""Which crops of a step get which room and which noise: a function of seed and step alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.config.recipe_tables import Augment
from harness.datasets.pack import Pack
from harness.feeding.waveform.level import limited
from harness.feeding.waveform.library import Library
from harness.feeding.waveform.noise import with_noise
from harness.feeding.waveform.reverb import reverberated
from harness.feeding.waveform.rooms import DIRECT, TAPS

FULL_SCALE = 32768.0


class Disturbance(NamedTuple):
    """What is done to the crops of one step; `rows` say to which.

    Attributes:
        room_rows: `[rooms]`.
        responses: of the rooms, straight path at `DIRECT`, `[rooms, taps]`.
        noise_rows: `[noises]`.
        noise: `[noises, samples]`.
        ratio: of sound to noise in dB, `[noises]`.
    """

    room_rows: Tensor
    responses: Tensor
    noise_rows: Tensor
    noise: Tensor
    ratio: Tensor


@dataclass(frozen=True)
class Disturber:
    """Draws what is done.

    Attributes:
        augment: how often, and at which ratios.
        rooms, noises: what is drawn from; None where the recipe asks for none.
        seed: of the draws.
    """

    augment: Augment
    rooms: Library | None
    noises: Library | None
    seed: int

    def at(self, step: int, rows: int, samples: int) -> Disturbance:
        """Draw for a step whose crops are so many and so long."""
        rng = np.random.Generator(np.random.PCG64([self.seed, 2, step]))
        with_room, with_noises = self._chosen(rng, rows)
        room_rows, responses = self._rooms(rng, with_room)
        return Disturbance(room_rows, responses, *self._noises(rng, with_noises, samples))

    def _chosen(
        self, rng: np.random.Generator, rows: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tells of every row whether it gets a room and whether it gets noise."""
        ways = [(True, False)] if self.rooms else []
        ways += [(False, True)] if self.noises else []
        ways += [(True, True)] if self.augment.both else []
        hit = rng.random(rows) < self.augment.probability
        drawn = np.array(ways)[rng.integers(len(ways), size=rows)] & hit[:, None]
        return drawn[:, 0], drawn[:, 1]

    def _rooms(self, rng: np.random.Generator, chosen: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
        drawn = rng.random(len(chosen))
        if self.rooms is None:
            return _rows(chosen), torch.zeros(0, TAPS)
        responses = np.zeros((int(chosen.sum()), TAPS), dtype=np.int16)
        for response, which in zip(responses, drawn[chosen], strict=True):
            taps = self.rooms.pack.item(self.rooms.pick(which))
            response[: len(taps)] = taps
        return _rows(chosen), _floats(responses)

    def _noises(
        self, rng: np.random.Generator, chosen: NDArray[np.bool_], samples: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        drawn = rng.random((len(chosen), 3))[chosen]
        sounds = np.zeros((len(drawn), samples), dtype=np.int16)
        ratio = np.zeros(len(drawn), dtype=np.float32)
        if self.noises is not None:
            for row, (which, place, level) in enumerate(drawn):
                item = self.noises.pick(which)
                low, high = getattr(self.augment.noise, self.noises.labels[item])
                sounds[row] = _span(self.noises.pack, item, place, samples)
                ratio[row] = low + level * (high - low)
        return _rows(chosen), _floats(sounds), torch.from_numpy(ratio)


def disturbed(wave: Tensor, what: Disturbance) -> Tensor:
    """Put crops `[rows, samples]` into their rooms, then add their noise; none leaves -1..1."""
    wave = wave.clone()
    if len(what.room_rows):
        wave[what.room_rows] = reverberated(wave[what.room_rows], what.responses, DIRECT)
    if len(what.noise_rows):
        wave[what.noise_rows] = with_noise(wave[what.noise_rows], what.noise, what.ratio)
    return limited(wave)


def _span(pack: Pack, item: int, place: float, samples: int) -> NDArray[Any]:
    """A stretch of a noise; one that is too short is repeated."""
    spare = max(0, pack.length(item) - samples)
    return pack.span(item, int(place * (spare + 1)), samples)


def _rows(chosen: NDArray[np.bool_]) -> Tensor:
    return torch.from_numpy(np.flatnonzero(chosen))


def _floats(values: NDArray[np.int16]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32) / np.float32(FULL_SCALE))
