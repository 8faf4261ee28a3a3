"""How sharp and contrasted a picture is, and a hash that small changes of it leave nearly alone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from harness.data.corpus import Pixels

HASHED = 32
"""Pixels of a side from which a hash is computed."""

KEPT = 8
"""Lowest frequencies of each direction that a hash holds: 64 bits."""


def grey_levels(pixels: Pixels) -> NDArray[np.float64]:
    """Return the grey of a picture, `[height, width]`, by the weights of ITU-R BT.601."""
    levels = pixels.astype(np.float64)
    if levels.ndim == 2:
        return levels
    grey: NDArray[np.float64] = 0.299 * levels[..., 0] + 0.587 * levels[..., 1]
    return np.asarray(grey + 0.114 * levels[..., 2])


def sharpness(grey: NDArray[np.float64]) -> float:
    """Return the variance of the Laplacian: low where a picture is blurred.

    The measure LAPV of Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
    ICPR 2000, with the kernel of four neighbours.

    Args:
        grey: levels from 0 to 255, `[height, width]`, three pixels a side at least.
    """
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * inner).var())


def contrast(grey: NDArray[np.float64]) -> float:
    """Return the standard deviation of grey levels, full scale being 1.

    RMS contrast, as in Peli, "Contrast in complex images", JOSA A 7(10), 1990.
    """
    return float(grey.std() / 255)


def perceptual_hash(grey: NDArray[np.float64]) -> int:
    """Return 64 bits: which low frequencies of a picture lie above their median.

    The discrete cosine transform (type II) of the picture's 32 x 32 mean levels; of its 8 x 8
    lowest frequencies the constant one counts as above, whatever it is. C. Zauner, "Implementation
    and benchmarking of perceptual image hash functions", 2010, section 3.2.1.

    Args:
        grey: `[height, width]`.
    """
    small = area_means(grey, HASHED)
    lowest = cosine_rows(HASHED, KEPT) @ small @ cosine_rows(HASHED, KEPT).T
    values = lowest.reshape(-1)
    above = values > np.median(values[1:])
    above[0] = True
    return int.from_bytes(np.packbits(above).tobytes(), "big")


def area_means(grey: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the mean levels of a grid of `side` x `side` equal parts of a picture."""
    rows, columns = (_shares(length, side) for length in grey.shape)
    return np.asarray(rows @ grey @ columns.T)


@lru_cache(maxsize=16)
def _shares(length: int, parts: int) -> NDArray[np.float64]:
    """Return how much of each part of a line each of its pixels is, `[parts, length]`."""
    edges = np.arange(parts + 1) * (length / parts)
    pixels = np.arange(length)
    over = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(np.clip(over, 0, None) * (parts / length))


@lru_cache(maxsize=4)
def cosine_rows(length: int, count: int) -> NDArray[np.float64]:
    """Return the first rows of the cosine transform of type II, `[count, length]`, orthonormal."""
    places = np.arange(length) + 0.5
    rows = np.cos(np.pi / length * np.arange(count)[:, None] * places) * (2 / length) ** 0.5
    rows[0] /= 2**0.5
    return np.asarray(rows)
