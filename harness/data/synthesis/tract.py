"""The filter: formants, nasal cavity, piriform fossae, and the spectra of frication."""

import numpy as np

from harness.data.synthesis.frames import FREQUENCIES
from harness.data.synthesis.phones import COLOURS
from harness.data.synthesis.portable import Array, ComplexArray, IntArray, power, reciprocal, times
from harness.data.synthesis.prosody import Tracks
from harness.data.synthesis.voice import Voice

_WIDTHS = np.array([65.0, 85.0, 130.0])
_UPPER_SHARE = 0.055
_DIP_DEPTH = 0.35
_DIP_WIDTH = 450.0
_NASAL_WIDTH = 120.0
_NASAL_LOSS = 1.2


def articulated(voice: Voice, tracks: Tracks, source: ComplexArray) -> ComplexArray:
    """Return the spectra [frames, bins] at the lips of the spectra [frames, bins] of a source.

    A cascade of resonances F^2 / (F^2 - f^2 + j f B), as in Fant (1960) and Klatt (1980).
    """
    losses = voice.width * _WIDTHS * (1.0 + _NASAL_LOSS * tracks.nasality[:, np.newaxis])
    spectra = times(source, reciprocal(_cascade(tracks.formants, losses)))
    spectra *= _still(voice)
    open_velum = np.flatnonzero(tracks.nasality > 0.0)
    if len(open_velum):
        nasal = _nasal(voice, tracks.nasality[open_velum])
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


def _still(voice: Voice) -> Array:
    """Return the magnitude [bins] of what does not move: F4 and above, and the side cavities."""
    upper, dips = voice.upper[np.newaxis], voice.dips[np.newaxis]
    poles = _cascade(upper, voice.width * _UPPER_SHARE * upper)
    deep = _cascade(dips, np.full_like(dips, _DIP_DEPTH * _DIP_WIDTH))
    shallow = _cascade(dips, np.full_like(dips, _DIP_WIDTH))
    return np.asarray(np.sqrt(power(deep) / (power(poles) * power(shallow)))[0])


def _nasal(voice: Voice, nasality: Array) -> ComplexArray:
    """Return the nasal zero over the nasal pole [frames, bins]; they part as the velum opens."""
    pole, zero = voice.nasal
    widths = np.full_like(nasality, _NASAL_WIDTH)
    zeros = _section(pole + (zero - pole) * nasality, widths)
    return times(zeros, reciprocal(_section(np.full(1, pole), widths[:1])))


def frication(voice: Voice, colours: IntArray) -> Array:
    """Return the magnitudes [frames, bins] of frication of given colours [frames]."""
    return np.asarray(voice.hiss * _colours(voice)[colours], dtype=np.float64)


def _colours(voice: Voice) -> Array:
    """Return the magnitudes [colours, bins]: a peak of second order over a floor."""
    rows = []
    for colour in COLOURS:
        distance = (FREQUENCIES - colour.centre * voice.sibilance) / (0.5 * colour.width)
        rows.append(colour.floor + (1.0 - colour.floor) / (1.0 + distance**2))
    return np.array(rows)
