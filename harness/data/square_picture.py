"""Reading a picture file of any form as a square of one size, in colour or grey."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from harness.data.corpus import DamagedItem, ItemNote, Pixels
from harness.data.picture import DEEP, UNREADABLE, deep_levels
from harness.errors import raise_limit

Fit = Literal["crop", "pad", "stretch"]
"""A picture becomes a square by its middle, whole on white, or out of proportion."""

LEAST_SIDE = 4
"""Pixels; a picture with fewer on a side shows nothing."""

MOST_PIXELS = 64_000_000
"""A process that decodes so many takes some 500 MB; more are refused by the file's header."""

DRAFT = 2
"""A JPEG is decoded at a half, a quarter or an eighth if that is still so many times the square."""


def read_square(path: Path, size: int, *, colour: bool = True, fit: Fit = "crop") -> Pixels:
    """Decode a picture to a square.

    It is turned as its EXIF orientation says, transparent parts show white paper, 16 bits are
    scaled to 8, and any palette or colour space becomes RGB; colour profiles are not applied. Of
    an animation the first frame is read, with a note.

    Args:
        path: the file.
        size: side of the square, in pixels.
        colour: red, green and blue; else grey levels.
        fit: how it becomes a square.

    Returns:
        `[size, size, 3]`, or `[size, size]` of grey.

    Raises:
        DamagedItem: absent, no picture, truncated, of a depth that is not read, too small or too
            large, or of one colour throughout.
    """
    try:
        with Image.open(path) as picture:
            _check_header(picture)
            picture.draft("RGB", (DRAFT * size, DRAFT * size))
            whole = _on_white(ImageOps.exif_transpose(picture))
            pixels = _fitted(whole if colour else whole.convert("L"), size, fit)
    except UNREADABLE as error:
        raise_limit(error, path)
        raise DamagedItem(f"cannot be decoded ({error})") from error
    _check_shows(pixels)
    return pixels


def header_size(path: Path) -> tuple[int, int] | None:
    """Return width and height by a file's header; None if it has none that can be read."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except UNREADABLE as error:
        raise_limit(error, path)
        return None


def _check_header(picture: Image.Image) -> None:
    width, height = picture.size
    if min(width, height) < LEAST_SIDE:
        raise DamagedItem(
            f"is {width} x {height} pixels, which shows nothing; {LEAST_SIDE} on a side are needed"
        )
    if width * height > MOST_PIXELS:
        raise DamagedItem(
            f"is {width} x {height} pixels, more than the {MOST_PIXELS / 1e6:.0f} million that are "
            "decoded here; save it smaller"
        )
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        note = f"holds {frames} frames; the first is read"
        warnings.warn(ItemNote(note), stacklevel=2)


def _on_white(picture: Image.Image) -> Image.Image:
    """Return a picture as RGB of 8 bits, on white."""
    if picture.mode in DEEP:
        return Image.fromarray(deep_levels(picture)).convert("RGB")
    if picture.mode == "F":
        raise DamagedItem("holds floating-point levels, whose scale nothing tells; save 8 bits")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    paper = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(paper, seen).convert("RGB")


def _fitted(picture: Image.Image, size: int, fit: Fit) -> Pixels:
    square, way = (size, size), Image.Resampling.BICUBIC
    if fit == "crop":
        fitted = ImageOps.fit(picture, square, way)
    elif fit == "pad":
        fitted = ImageOps.pad(picture, square, way, color="white")
    else:
        fitted = picture.resize(square, way)
    return np.asarray(fitted, dtype=np.uint8)


def _check_shows(pixels: Pixels) -> None:
    """Refuse a picture whose every pixel is as good as the next."""
    levels = pixels.reshape(pixels.shape[0] * pixels.shape[1], -1)
    low, high = levels.min(axis=0), levels.max(axis=0)
    if int((high - low).max()) <= 1:
        named = ", ".join(map(str, high.tolist()))
        raise DamagedItem(f"is blank: {named} throughout, of 0 (black) to 255 (white)")
