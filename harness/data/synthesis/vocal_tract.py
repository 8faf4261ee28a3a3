"""Source and filter: glottal pulses and noise, formants, side cavities and frication.

The source has jitter, shimmer and the noise of the open glottis; the filter is the cascade of
formants with the nasal cavity and the piriform fossae, and the spectra of frication.
"""

import numpy as np
from scipy.signal import lfilter

from harness.data.synthesis.arithmetic import (
    Array,
    ComplexArray,
    IntArray,
    cosine,
    normal,
    power,
    power_of_two,
    reciprocal,
    sine,
    times,
    white,
)
from harness.data.synthesis.catalogue import SAMPLE_RATE
from harness.data.synthesis.frame_filter import FREQUENCIES, at_samples
from harness.data.synthesis.prosody import Tracks
from harness.data.synthesis.voice import COLOURS, Voice

_REACH = 8
_NOISE_DEPTH = 0.7
_STRENGTH = 6.0
_LOG2_E = 1.4426950408889634
_WIDTHS = np.array([65.0, 85.0, 130.0])
_UPPER_SHARE = 0.055
_DIP_DEPTH = 0.35
_DIP_WIDTH = 450.0
_NASAL_WIDTH = 120.0
_NASAL_LOSS = 1.2


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
    # Noise is loudest in the middle of the open phase.
    opening = 1.0 - _NOISE_DEPTH * np.abs(2.0 * (phase - np.floor(phase)) - 1.0)
    noise = white(rng, samples) * opening * at_samples(breath, samples)
    pitch = float(tracks.pitch.sum() / len(tracks.pitch))
    # Aspiration is noise through a first-order high-pass at 1 kHz (Klatt 1980).
    aspiration = _filter([1.0, -1.0], [1.0, -_decay(1_000.0)], noise)
    return _shape_pulses(voice, pitch, effort, pulses) + aspiration


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
    return _place_impulses(moments, heights, len(phase))


def _place_impulses(moments: Array, heights: Array, samples: int) -> Array:
    """Return impulses at moments between samples, each a sinc under a Hann window."""
    first = np.floor(moments).astype(np.int64) - _REACH + 1
    places: IntArray = first[:, np.newaxis] + np.arange(2 * _REACH)
    offset = places - moments[:, np.newaxis]
    window = 0.5 + 0.5 * cosine(offset / (2 * _REACH))
    near = np.abs(offset) < 1e-9
    safe = np.where(near, 1.0, offset)
    sinc = np.where(near, 1.0, sine(0.5 * safe) / (np.pi * safe))
    values = heights[:, np.newaxis] * window * sinc
    inside = (places >= 0) & (places < samples)
    train = np.bincount(places[inside], weights=values[inside], minlength=samples)
    return train.astype(np.float64)


def _shape_pulses(voice: Voice, pitch: float, effort: float, pulses: Array) -> Array:
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


def _decay(corner: float) -> float:
    """Return exp(-2 pi f / rate): the pole of a first-order low-pass with a corner in Hz."""
    exponent = -2.0 * np.pi * _LOG2_E * corner / SAMPLE_RATE
    return float(power_of_two(np.array([exponent]))[0])


def _filter(numerator: list[float], denominator: list[float], signal: Array) -> Array:
    return np.asarray(lfilter(numerator, denominator, signal), dtype=np.float64)


def articulate(voice: Voice, tracks: Tracks, source: ComplexArray) -> ComplexArray:
    """Return the spectra [frames, bins] at the lips of the spectra [frames, bins] of a source.

    A cascade of resonances F^2 / (F^2 - f^2 + j f B), as in Fant (1960) and Klatt (1980).
    """
    losses = voice.width * _WIDTHS * (1.0 + _NASAL_LOSS * tracks.nasality[:, np.newaxis])
    spectra = times(source, reciprocal(_cascade(tracks.formants, losses)))
    spectra *= _static_magnitude(voice)
    open_velum = np.flatnonzero(tracks.nasality > 0.0)
    if len(open_velum):
        nasal = _nasal_cavity(voice, tracks.nasality[open_velum])
        spectra[open_velum] = times(spectra[open_velum], nasal)
    return spectra


def _section(centre: Array, width: Array) -> ComplexArray:
    """Return (F^2 - f^2 + j f B) / F^2 [frames, bins] for centres and widths [frames]."""
    square = (centre**2)[:, np.newaxis]
    section = np.empty((len(centre), len(FREQUENCIES)), dtype=np.complex128)
    section.real = 1.0 - FREQUENCIES**2 / square
    section.imag = FREQUENCIES * (width[:, np.newaxis] / square)
    return section


def _cascade(centres: Array, widths: Array) -> ComplexArray:
    """Return the product of sections over formants [frames, formants]: [frames, bins]."""
    product = _section(centres[:, 0], widths[:, 0])
    for number in range(1, centres.shape[1]):
        product = times(product, _section(centres[:, number], widths[:, number]))
    return product


def _static_magnitude(voice: Voice) -> Array:
    """Return the magnitude [bins] of all that does not move: F4 and above, the side cavities."""
    upper, dips = voice.upper[np.newaxis], voice.dips[np.newaxis]
    poles = _cascade(upper, voice.width * _UPPER_SHARE * upper)
    deep = _cascade(dips, np.full_like(dips, _DIP_DEPTH * _DIP_WIDTH))
    shallow = _cascade(dips, np.full_like(dips, _DIP_WIDTH))
    return np.asarray(np.sqrt(power(deep) / (power(poles) * power(shallow)))[0])


def _nasal_cavity(voice: Voice, nasality: Array) -> ComplexArray:
    """Return the nasal zero over the nasal pole [frames, bins]; they part as the velum opens."""
    pole, zero = voice.nasal
    widths = np.full_like(nasality, _NASAL_WIDTH)
    zeros = _section(pole + (zero - pole) * nasality, widths)
    return times(zeros, reciprocal(_section(np.full(1, pole), widths[:1])))


def frication(voice: Voice, colours: IntArray) -> Array:
    """Return the magnitudes [frames, bins] of frication of given colours [frames].

    Each colour is a peak of second order over a floor.
    """
    rows = []
    for colour in COLOURS:
        distance = (FREQUENCIES - colour.centre * voice.sibilance) / (0.5 * colour.width)
        rows.append(colour.floor + (1.0 - colour.floor) / (1.0 + distance**2))
    return np.asarray(voice.hiss * np.array(rows)[colours], dtype=np.float64)
