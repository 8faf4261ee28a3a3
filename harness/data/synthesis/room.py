"""The room: a decaying, diffuse reverberation."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthesis.layout import SAMPLE_RATE
from harness.data.synthesis.portable import Array, from_decibels, power_of_two
from harness.data.synthesis.seeds import between, generator, white

_HALVINGS = 9.965784284662087
"""How often amplitude is halved in 60 dB."""
_EARLY = 0.003


@dataclass(frozen=True)
class Room:
    """A room and a place in it.

    Attributes:
        name: Seed of the reflections.
        decay: Reverberation time (60 dB) in seconds at low frequencies.
        treble: The same at high frequencies, relative.
        direct: Level of the direct sound over the reverberation in dB.
    """

    name: str
    decay: float
    treble: float
    direct: float


def draw_room(rng: np.random.Generator, name: str) -> Room:
    """Return a random room, from a furnished one near by to an empty one at a distance."""
    decay = between(rng, 0.15, 0.4)
    return Room(name, decay, between(rng, 0.4, 0.8), between(rng, 8.0, 18.0))


def impulse_response(room: Room) -> Array:
    """Return the response [samples]: direct sound, then noise that decays exponentially.

    Diffuse reverberation as noise under an exponential (Moorer 1979, "About this reverberation
    business"), the high frequencies fading sooner (Polack 1988).
    """
    rng = generator(room.name)
    length = int(room.decay * SAMPLE_RATE * 0.75)
    seconds = np.arange(length) / SAMPLE_RATE
    low, high = _bands(white(rng, length))
    tail = low * _fade(seconds, room.decay) + high * _fade(seconds, room.decay * room.treble)
    tail[: int(_EARLY * SAMPLE_RATE)] = 0.0
    tail *= from_decibels(np.array([-room.direct])) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return tail


def _fade(seconds: Array, decay: float) -> Array:
    """Return the amplitude of sound that loses 60 dB in ``decay`` seconds."""
    return power_of_two(seconds * (-_HALVINGS / decay))


def _bands(noise: Array) -> tuple[Array, Array]:
    """Return the low and high halves of noise: averages and differences of neighbours."""
    late = np.concatenate([np.zeros(1), noise[:-1]])
    return 0.5 * (noise + late), 0.5 * (noise - late)
