"""Rooms and noises drawn for the crops of a step: a function of seed and step alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.config.recipe_tables import Augment
from harness.feeding.effects import add_noise, limit_peak, reverberate
from harness.feeding.front_end import float_tensor
from harness.feeding.libraries import Library
from harness.feeding.sound_readers import DIRECT, TAPS


class Disturbance(NamedTuple):
    """Rooms and noises for the crops of one step.

    Attributes:
        room_rows: crops that are put into rooms, `[rooms]`.
        responses: of the rooms, straight path at `DIRECT`, `[rooms, taps]`.
        noise_rows: crops that get noise, `[noises]`.
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
    """Draws rooms and noises.

    Attributes:
        augment: probability and ratios.
        rooms, noises: the libraries; None if the recipe asks for none.
        seed: of the draws.
    """

    augment: Augment
    rooms: Library | None
    noises: Library | None
    seed: int

    def at(self, step: int, rows: int, samples: int) -> Disturbance:
        """Draw for a step with so many crops of so many samples."""
        rng = np.random.Generator(np.random.PCG64([self.seed, 2, step]))
        with_room, with_noises = self._draw_rows(rng, rows)
        room_rows, responses = self._rooms(rng, with_room)
        return Disturbance(room_rows, responses, *self._noises(rng, with_noises, samples))

    def _draw_rows(
        self, rng: np.random.Generator, rows: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell of every row if it gets a room, and if it gets noise."""
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
        return _rows(chosen), float_tensor(responses)

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
                spare = max(0, self.noises.pack.length(item) - samples)
                sounds[row] = self.noises.pack.span(item, int(place * (spare + 1)), samples)
                ratio[row] = low + level * (high - low)
        return _rows(chosen), float_tensor(sounds), torch.from_numpy(ratio)


def disturb(wave: Tensor, drawn: Disturbance) -> Tensor:
    """Put crops `[rows, samples]` into their rooms, then add their noise; none leaves -1..1."""
    wave = wave.clone()
    if len(drawn.room_rows):
        wave[drawn.room_rows] = reverberate(wave[drawn.room_rows], drawn.responses, DIRECT)
    if len(drawn.noise_rows):
        wave[drawn.noise_rows] = add_noise(wave[drawn.noise_rows], drawn.noise, drawn.ratio)
    return limit_peak(wave)


def _rows(chosen: NDArray[np.bool_]) -> Tensor:
    return torch.from_numpy(np.flatnonzero(chosen))
