"""Pictures changed at random: turned, shifted, mirrored, lighter or darker, from a name alone.

The changes are those of a training's augmentation as it is often written: a flip, 15 degrees
either way, a shift, brightness and contrast from 0.7 to 1.3. Only sums, products and comparisons of
float64 are used, so a copy has the same bytes everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.data.corpus import Pixels
from harness.data.synthesis.arithmetic import Array, Draws, cosine_sine

TURNS = 15 / 360
SHIFT = 0.06
LEVELS = (0.7, 1.3)


def changed_picture(pixels: Pixels, name: str) -> Pixels:
    """Return a changed copy of a picture.

    Args:
        pixels: `[height, width]` or `[height, width, 3]`.
        name: of the copy; all draws depend on it and on nothing else.

    Returns:
        The same shape; what the turned picture does not cover repeats its edge.
    """
    draws = Draws(f"picture-copy/{name}")
    flipped = pixels[:, ::-1] if draws.uniform(0.0, 1.0) < 0.5 else pixels
    turns = draws.uniform(-TURNS, TURNS)
    right, below = draws.uniforms(-SHIFT, SHIFT, 2).tolist()
    moved = _moved(flipped.astype(np.float64), turns, right, below)
    contrast, brightness = draws.uniforms(*LEVELS, 2).tolist()
    middle = 127.5
    lit = (middle + contrast * (moved - middle)) * brightness
    return np.asarray(np.rint(np.clip(lit, 0.0, 255.0)), dtype=np.uint8)


def _moved(levels: Array, turns: float, right: float, below: float) -> Array:
    """Turn a picture about its middle and shift it by shares of its sides, bilinearly."""
    height, width = levels.shape[:2]
    cosine, sine = (float(part[0]) for part in cosine_sine(np.array([turns])))
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    down = rows - (height - 1) / 2 - below * height
    across = columns - (width - 1) / 2 - right * width
    y = np.clip(cosine * down - sine * across + (height - 1) / 2, 0, height - 1)
    x = np.clip(cosine * across + sine * down + (width - 1) / 2, 0, width - 1)
    top, left = _floors(y, height), _floors(x, width)
    low, over = y - top, x - left
    if levels.ndim == 3:
        low, over = low[..., None], over[..., None]
    bottom, end = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    upper = levels[top, left] + over * (levels[top, end] - levels[top, left])
    lower = levels[bottom, left] + over * (levels[bottom, end] - levels[bottom, left])
    return np.asarray(upper + low * (lower - upper))


def _floors(places: Array, length: int) -> NDArray[np.int64]:
    return np.minimum(np.floor(places).astype(np.int64), length - 1)
