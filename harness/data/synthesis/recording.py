"""The way from the mouth to the file: room, background noise, channel, and their sessions.

A room is a decaying, diffuse reverberation; noise has a colour and a level; a channel is a
microphone, band limits and a level. A session is one speaker's state with the three on one day.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft

from harness.data.synthesis.arithmetic import (
    Array,
    ComplexArray,
    between,
    from_decibels,
    gain,
    generator,
    normal,
    power,
    power_of_two,
    times,
    white,
)
from harness.data.synthesis.catalogue import CORPUS, SAMPLE_RATE

_HALVINGS = 9.965784284662087
"""The number of times that amplitude is halved in 60 dB."""
_EARLY = 0.003

_NOISE_KNOTS = np.array([0.0, 60.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0])
_OCTAVES = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])

_CHANNEL_KNOTS = np.array([0.0, 200.0, 500.0, 1_000.0, 1_700.0, 2_600.0, 3_800.0, 5_400.0, 8_000.0])
_NARROW = 0.05


@dataclass(frozen=True)
class ReverberantRoom:
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


def draw_room(rng: np.random.Generator, name: str) -> ReverberantRoom:
    """Return a random room, from a furnished one near by to an empty one at a distance."""
    decay = between(rng, 0.15, 0.4)
    return ReverberantRoom(name, decay, between(rng, 0.4, 0.8), between(rng, 8.0, 18.0))


def impulse_response(room: ReverberantRoom) -> Array:
    """Return the response [samples]: direct sound, then noise that decays exponentially.

    Diffuse reverberation as noise under an exponential (Moorer 1979, "About this reverberation
    business"), the high frequencies fading sooner (Polack 1988).
    """
    rng = generator(room.name)
    length = int(room.decay * SAMPLE_RATE * 0.75)
    seconds = np.arange(length) / SAMPLE_RATE
    noise = white(rng, length)
    late = np.concatenate([np.zeros(1), noise[:-1]])
    low, high = 0.5 * (noise + late), 0.5 * (noise - late)
    tail: Array = low * _fade(seconds, room.decay) + high * _fade(seconds, room.decay * room.treble)
    tail[: int(_EARLY * SAMPLE_RATE)] = 0.0
    tail *= from_decibels(np.array([-room.direct])) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return tail


def _fade(seconds: Array, decay: float) -> Array:
    """Return the amplitude of sound that loses 60 dB in ``decay`` seconds."""
    return power_of_two(seconds * (-_HALVINGS / decay))


@dataclass(frozen=True)
class BackgroundNoise:
    """The noise of a session.

    Attributes:
        curve: Spectrum [knots] in dB at ``_NOISE_KNOTS``.
        ratio: Level of reverberant speech over noise in dB, on average over the session.
    """

    curve: Array
    ratio: float


def draw_noise(rng: np.random.Generator) -> BackgroundNoise:
    """Return a random noise: from pink to brown, with humps of its own."""
    slope = between(rng, -6.0, -3.5)
    return BackgroundNoise(
        slope * _OCTAVES + 2.0 * normal(rng, len(_NOISE_KNOTS)), between(rng, 16.0, 26.0)
    )


def noise_gain(noise: BackgroundNoise, frequencies: Array) -> Array:
    """Return the shape [bins] of the noise's spectrum at frequencies [bins] in Hz."""
    return np.interp(frequencies, _NOISE_KNOTS, from_decibels(noise.curve))


@dataclass(frozen=True)
class RecordingChannel:
    """The colour, band limits and level that a signal gets between the air and the file.

    Attributes:
        curve: Gains [knots] in dB at ``_CHANNEL_KNOTS``.
        low: Lower band limit in Hz.
        high: Upper band limit in Hz.
        level: Level of speech in the file in dB below full scale (root mean square).
    """

    curve: Array
    low: float
    high: float
    level: float


def draw_channel(rng: np.random.Generator) -> RecordingChannel:
    """Return a random channel; one in twenty is about as narrow as a telephone."""
    narrow = rng.random() < _NARROW
    return RecordingChannel(
        curve=1.0 * normal(rng, len(_CHANNEL_KNOTS)),
        low=between(rng, 120.0, 320.0) if narrow else between(rng, 30.0, 80.0),
        high=between(rng, 3_300.0, 4_500.0) if narrow else between(rng, 7_000.0, 10_000.0),
        level=between(rng, -28.0, -25.0),
    )


def channel_gain(channel: RecordingChannel, frequencies: Array) -> Array:
    """Return the gain of a channel [bins] at frequencies [bins] in Hz.

    Zero phase: only the colour of a channel matters here. Band limits are squared magnitudes of
    Butterworth filters (second order below, sixth above).
    """
    curve = np.interp(frequencies, _CHANNEL_KNOTS, from_decibels(channel.curve))
    ratio = frequencies / channel.high
    square = ratio * ratio
    below = square * square * square  # the C library's power may round otherwise
    above = (frequencies / channel.low) ** 2
    return np.asarray(curve * (above**2 / (1.0 + above**2)) / (1.0 + below**2), dtype=np.float64)


@dataclass(frozen=True)
class Session:
    """The conditions that the utterances of a session share.

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
    room: ReverberantRoom
    channel: RecordingChannel
    noise: BackgroundNoise


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


def record(rng: np.random.Generator, session: Session, dry: Array) -> Array:
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
    rng: np.random.Generator, noise: BackgroundNoise, speech: ComplexArray, length: int
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
