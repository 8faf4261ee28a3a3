"""A session: one speaker's state, room, channel and noise on one day."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft

from harness.data.synthesis.channel import Channel, channel_gain, draw_channel
from harness.data.synthesis.layout import CORPUS, SAMPLE_RATE
from harness.data.synthesis.noise import Noise, draw_noise, noise_gain
from harness.data.synthesis.portable import Array, ComplexArray, gain, power, times
from harness.data.synthesis.room import Room, draw_room, impulse_response
from harness.data.synthesis.seeds import generator, normal, white


@dataclass(frozen=True)
class Session:
    """What the utterances of a session share.

    Attributes:
        pitch: Semitones by which the speaker's pitch is off.
        effort: Factor of the tilt frequency of the voice.
        rate: Factor of the speech rate.
        room: The room.
        channel: The channel.
        noise: The noise.
    """

    pitch: float
    effort: float
    rate: float
    room: Room
    channel: Channel
    noise: Noise


@lru_cache(maxsize=2_048)
def session_of(name: str) -> Session:
    """Return a session such as ``spk0123-s2``."""
    seed = f"{CORPUS}/session/{name}"
    rng = generator(seed)
    mood = normal(rng, 3)
    return Session(
        pitch=0.7 * float(mood[0]),
        effort=gain(1.5 * float(mood[1])),
        rate=gain(0.5 * float(mood[2])),
        room=draw_room(rng, f"{seed}/room"),
        channel=draw_channel(rng),
        noise=draw_noise(rng),
    )


def recorded(rng: np.random.Generator, session: Session, dry: Array) -> Array:
    """Return speech [samples] as it arrives in the file, full scale being 1.

    Room, noise and channel are one multiplication of spectra, with room for the echo to end.

    Args:
        rng: Random generator of the utterance.
        session: The session.
        dry: Speech [samples] at the lips, at any level.
    """
    echo = impulse_response(session.room)
    length = fft.next_fast_len(len(dry) + len(echo), real=True)
    speech = times(_spectrum(dry, length), _spectrum(echo, length))
    total = speech + _noise(rng, session.noise, speech, length)
    total *= channel_gain(session.channel, _frequencies(length))
    total *= gain(session.channel.level + float(normal(rng, 1)[0])) / _root_mean_square(total)
    return np.asarray(fft.irfft(total, length), dtype=np.float64)[: len(dry)]


def _noise(
    rng: np.random.Generator, noise: Noise, speech: ComplexArray, length: int
) -> ComplexArray:
    """Return the spectrum [bins] of noise, at its level below that of speech."""
    spectrum = _spectrum(white(rng, length), length)
    spectrum *= noise_gain(noise, _frequencies(length))
    ratio = noise.ratio + 1.5 * float(normal(rng, 1)[0])
    scale = _root_mean_square(speech) / _root_mean_square(spectrum)
    return spectrum * (scale * gain(-ratio))


def _spectrum(signal: Array, length: int) -> ComplexArray:
    return np.asarray(fft.rfft(signal, length), dtype=np.complex128)


def _frequencies(length: int) -> Array:
    return np.arange(length // 2 + 1, dtype=np.float64) * (SAMPLE_RATE / length)


def _root_mean_square(spectrum: ComplexArray) -> float:
    """Return the root mean square of a signal by Parseval, but for a factor of its length."""
    return float(np.sqrt(2.0 * power(spectrum).sum()) / (2.0 * (len(spectrum) - 1)))
