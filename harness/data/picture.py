"""Reading a picture as grey levels: of any depth, on white paper, not blank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from harness.data.corpus import DamagedItem, Pixels
from harness.errors import raise_limit

DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")
"""Pillow's modes of more than 8 bits of grey."""

DEEPEST = 65_535
"""Full scale of 16 bits; it is 257 times that of 8."""


UNREADABLE = (
    UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError,
)  # fmt: skip
"""Errors of Pillow on files that are no whole pictures."""


def read_picture(path: Path) -> Pixels:
    """Decode one picture to grey levels `[height, width]`, black 0 to white 255.

    Transparent parts show white paper; 16 bits are scaled to 8.

    Raises:
        DamagedItem: absent, no picture, truncated, of a depth that is not read, or of one value
            throughout.
    """
    try:
        with Image.open(path) as picture:
            levels = _levels(picture)
    except UNREADABLE as error:
        raise_limit(error, path)
        raise DamagedItem(f"cannot be decoded ({error})") from error
    _check_ink(levels)
    return levels


def _levels(picture: Image.Image) -> Pixels:
    if picture.mode in DEEP:
        return deep_levels(picture)
    if picture.mode == "F":
        raise DamagedItem("holds floating-point levels, whose scale nothing tells; save 8 bits")
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"), dtype=np.uint8)
    _scale_transparent(picture)
    seen = picture.convert("RGBA")
    levels, alpha = (
        np.asarray(part).astype(np.float64) for part in (seen.convert("L"), seen.getchannel("A"))
    )
    on_white = (levels * alpha + 255.0 * (255 - alpha)) / 255
    return np.asarray(np.rint(on_white), dtype=np.uint8)


def _scale_transparent(picture: Image.Image) -> None:
    """Scale a transparent grey of 2 or 4 bits as Pillow scales the picture's levels, but not it."""
    transparent = picture.info.get("transparency")
    if picture.mode == "L" and isinstance(transparent, int) and isinstance(picture, ImageFile):
        raw = str(picture.tile[0].args) if picture.tile else ""
        picture.info["transparency"] = transparent * {"L;2": 85, "L;4": 17}.get(raw, 1)


def deep_levels(picture: Image.Image) -> Pixels:
    """Return the grey levels of a picture of a mode in `DEEP`, `[height, width]`, on white.

    Raises:
        DamagedItem: it holds more than 16 bits.
    """
    numbers = np.asarray(picture).astype(np.int64)
    if numbers.min(initial=0) < 0 or numbers.max(initial=0) > DEEPEST:
        raise DamagedItem("holds more than 16 bits of grey; save 8 or 16")
    levels = np.rint(numbers / 257).astype(np.uint8)
    transparent = picture.info.get("transparency")
    return levels if transparent is None else np.where(numbers == transparent, 255, levels)


def _check_ink(levels: Pixels) -> None:
    low, high = int(levels.min(initial=255)), int(levels.max(initial=0))
    if high <= low:
        raise DamagedItem(f"is blank: {high} throughout, of 0 (black) to 255 (white)")
    if high == low + 1:
        raise DamagedItem(
            f"is as good as blank: its levels are {low} and {high} of 0 (black) to 255 (white); "
            "scale them to all of these"
        )
