"""Time-varying filtering by frames: cut, multiply spectra, and add up again.

The shifted windows sum to one, so that a filter which does not change is applied exactly, and one
that changes is cross-faded (Allen & Rabiner 1977, "A unified approach to short-time Fourier
analysis and synthesis"). A frame has room for 30 ms in which formants ring on.
"""

import numpy as np
from scipy import fft

from harness.data.synthesis.arithmetic import Array, ComplexArray, hann
from harness.data.synthesis.catalogue import SAMPLE_RATE

HOP = 160
_WINDOW = 2 * HOP
_LENGTH = 5 * HOP
_TAPER = hann(_WINDOW)
FREQUENCIES: Array = np.arange(_LENGTH // 2 + 1, dtype=np.float64) * (SAMPLE_RATE / _LENGTH)
"""Frequencies [bins] of the spectra of frames in Hz."""


def frame_count(samples: int) -> int:
    """Return the number of frames that cover a signal; frame k is centred on sample k * HOP."""
    return -(-samples // HOP) + 1


def cut(signal: Array) -> Array:
    """Return the windowed frames [frames, window] of a signal [samples]."""
    count = frame_count(len(signal))
    padded = np.zeros((count + 1) * HOP)
    padded[HOP : HOP + len(signal)] = signal
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    return np.asarray(frames * _TAPER, dtype=np.float64)


def spectra(frames: Array) -> ComplexArray:
    """Return the spectra [frames, bins] of windowed frames [frames, window]."""
    return np.asarray(fft.rfft(frames, _LENGTH), dtype=np.complex128)


def overlap_add(frames: ComplexArray, samples: int) -> Array:
    """Return the signal [samples] of filtered spectra [frames, bins]."""
    pieces = np.asarray(fft.irfft(frames, _LENGTH)).reshape(len(frames), -1, HOP)
    total = np.zeros((len(frames) + pieces.shape[1], HOP))
    for place in range(pieces.shape[1]):
        total[place : place + len(frames)] += pieces[:, place]
    return total.reshape(-1)[HOP : HOP + samples]


def at_samples(track: Array, samples: int) -> Array:
    """Return a track [frames] at every sample [samples], linear in between."""
    places = np.arange(samples) / HOP
    return np.interp(places, np.arange(len(track)), track)


def smooth_track(track: Array, reach: int) -> Array:
    """Return a track [frames, ...] averaged with Hann weights over ``reach`` frames either side.

    Written as a sum of shifts: NumPy's convolution goes through BLAS.
    """
    if reach < 1:
        return track
    weights = hann(2 * reach + 2)[1:] / (reach + 1)
    edges = ((reach, reach),) + ((0, 0),) * (track.ndim - 1)
    padded = np.pad(track, edges, mode="edge")
    total = np.zeros_like(track)
    for shift, weight in enumerate(weights):
        total += weight * padded[shift : shift + len(track)]
    return total
