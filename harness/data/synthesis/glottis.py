"""The source: glottal pulses with jitter and shimmer, and the noise of the open glottis."""

import numpy as np
from scipy.signal import lfilter

from harness.data.synthesis.frames import at_samples
from harness.data.synthesis.layout import SAMPLE_RATE
from harness.data.synthesis.portable import (
    Array,
    IntArray,
    cosine,
    power_of_two,
    sine,
)
from harness.data.synthesis.prosody import Tracks
from harness.data.synthesis.seeds import normal, white
from harness.data.synthesis.voice import Voice

_REACH = 8
_NOISE_DEPTH = 0.7
_STRENGTH = 6.0
_LOG2_E = 1.4426950408889634


def glottal_source(
    rng: np.random.Generator, voice: Voice, tracks: Tracks, effort: float, samples: int
) -> Array:
    """Return the derivative of the glottal flow [samples], pulses and noise together.

    Args:
        rng: Random generator of the utterance.
        voice: The speaker.
        tracks: Pitch and amplitudes by frame.
        effort: Factor of the tilt frequency; above one is louder and brighter.
        samples: Length of the utterance in samples.
    """
    phase = np.cumsum(at_samples(tracks.pitch, samples)) / SAMPLE_RATE
    pulses = _pulses(rng, voice, phase, at_samples(tracks.voicing, samples))
    breath = voice.breath * tracks.voicing + tracks.aspiration
    noise = white(rng, samples) * _opening(phase) * at_samples(breath, samples)
    pitch = float(tracks.pitch.sum() / len(tracks.pitch))
    return _shaped(voice, pitch, effort, pulses) + _rising(noise)


def _opening(phase: Array) -> Array:
    """Return the amplitude of noise through the period: most in the middle of the open phase."""
    within = phase - np.floor(phase)
    return 1.0 - _NOISE_DEPTH * np.abs(2.0 * within - 1.0)


def _pulses(rng: np.random.Generator, voice: Voice, phase: Array, amplitude: Array) -> Array:
    """Return a train of band-limited impulses, one where the phase passes a whole number.

    An impulse has the energy of its period, so that the level does not follow the pitch.
    """
    before = np.flatnonzero(np.diff(np.floor(phase)) > 0)
    slope = phase[before + 1] - phase[before]
    period = 1.0 / slope
    moments = before + (np.floor(phase[before + 1]) - phase[before]) * period
    moments += voice.jitter * period * normal(rng, len(before))
    heights = amplitude[before] * np.sqrt(period)
    heights *= (1.0 + voice.shimmer * normal(rng, len(before))).clip(0.1)
    return _placed(moments, heights, len(phase))


def _placed(moments: Array, heights: Array, samples: int) -> Array:
    """Return impulses at moments between samples, each a sinc under a Hann window."""
    first = np.floor(moments).astype(np.int64) - _REACH + 1
    places: IntArray = first[:, np.newaxis] + np.arange(2 * _REACH)
    offset = places - moments[:, np.newaxis]
    window = 0.5 + 0.5 * cosine(offset / (2 * _REACH))
    values = heights[:, np.newaxis] * window * _sinc(offset)
    inside = (places >= 0) & (places < samples)
    train = np.bincount(places[inside], weights=values[inside], minlength=samples)
    return train.astype(np.float64)


def _sinc(offset: Array) -> Array:
    near = np.abs(offset) < 1e-9
    safe = np.where(near, 1.0, offset)
    return np.where(near, 1.0, sine(0.5 * safe) / (np.pi * safe))


def _shaped(voice: Voice, pitch: float, effort: float, pulses: Array) -> Array:
    """Return impulses [samples] shaped into the derivative of the glottal flow.

    The glottal formant and the tilt of Doval, d'Alessandro & Henrich (2006), "The spectrum of
    glottal flow models": a resonance whose frequency follows pitch over open quotient, and a
    first-order low-pass at the tilt frequency. The resonance is the digital one of Klatt (1980).
    """
    centre = 0.6 * pitch / voice.open_quotient
    radius = _decay(0.5 * 1.1 * centre)
    double = 2.0 * radius * float(cosine(np.array([centre / SAMPLE_RATE]))[0])
    strength = _STRENGTH * (1.0 - radius)
    flow = _filter([strength, -strength], [1.0, -double, radius * radius], pulses)
    pole = _decay(voice.tilt * effort)
    return _filter([1.0 - pole], [1.0, -pole], flow)


def _rising(noise: Array) -> Array:
    """Return noise [samples] through a first-order high-pass at 1 kHz (aspiration, Klatt 1980)."""
    return _filter([1.0, -1.0], [1.0, -_decay(1_000.0)], noise)


def _decay(corner: float) -> float:
    """Return exp(-2 pi f / rate): the pole of a first-order low-pass with a corner in Hz."""
    exponent = -2.0 * np.pi * _LOG2_E * corner / SAMPLE_RATE
    return float(power_of_two(np.array([exponent]))[0])


def _filter(numerator: list[float], denominator: list[float], signal: Array) -> Array:
    return np.asarray(lfilter(numerator, denominator, signal), dtype=np.float64)
