"""The bundled corpus ``open-characters``: 26 characters drawn by many artists.

A picture is computed from its name alone, in any order, and has the same bytes everywhere (see
``shapes``). The cast and the artists' manners are in ``cast``, the figure in ``figure`` and
``hair``, all around it in ``scenery``; here are the lists of pictures.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.synthesis.arithmetic import Draws
from harness.data.synthesis.cast import CHARACTERS, OUTFITS, Artist, artist
from harness.data.synthesis.catalogue import Split
from harness.data.synthesis.figure import FigurePainter, draw_pose
from harness.data.synthesis.scenery import lay_texture, light_up, paint_background, paint_before
from harness.data.synthesis.shapes import Canvas, Placement

ARTISTS: Final[dict[Split, int]] = {"train": 60, "validation": 12, "test": 24}

# Pictures that each artist makes of each character, and their side in pixels.
PICTURES: Final[dict[Profile, int]] = {"quick": 2, "full": 4}
SIDES: Final[dict[Profile, int]] = {"quick": 64, "full": 96}

OCCLUDED = 0.2
"""Chance that something stands before the figure."""

_BY_NAME: Final = {each.name: each for each in CHARACTERS}


@lru_cache(maxsize=2)
def pictures(profile: Profile) -> pd.DataFrame:
    """Return the pictures of a profile: id, artist, character, split, and source `id@side`."""
    splits = [split for split, count in ARTISTS.items() for _ in range(count)]
    rows = [
        (f"artist{number:03d}/{who.name}-{take}", f"artist{number:03d}", who.name, split)
        for number, split in enumerate(splits)
        for who in CHARACTERS
        for take in range(PICTURES[profile])
    ]
    table = pd.DataFrame(rows, columns=["id", "artist", "character", "split"])
    return table.assign(source=table["id"] + f"@{SIDES[profile]}")


def draw(source: str) -> NDArray[np.uint8]:
    """Draw a picture.

    Args:
        source: `artist/character-take@side`.

    Returns:
        `[side, side, 3]`.
    """
    name, _, side = source.rpartition("@")
    by, _, rest = name.partition("/")
    who, style, size = _BY_NAME[rest.rpartition("-")[0]], artist(by), int(side)
    draws = Draws(f"open-characters/{name}")
    canvas = Canvas(size, _placement(draws, style, size))
    paint_background(canvas, style, draws)
    pose = draw_pose(draws, who, OUTFITS)
    FigurePainter(canvas, who, style, pose).paint()
    if draws.uniform(0.0, 1.0) < OCCLUDED:
        paint_before(canvas, style, draws)
    light_up(canvas, draws)
    lay_texture(canvas, style, draws)
    return canvas.finished()


def _placement(draws: Draws, style: Artist, size: int) -> Placement:
    """Place the figure: whole, to the knees, or head and shoulders, somewhat off the middle."""
    framing = draws.uniform(0.0, 1.0)
    if framing < 0.45:
        scale, middle = draws.uniform(0.78, 0.95), 0.5
    elif framing < 0.8:
        scale, middle = draws.uniform(1.1, 1.4), draws.uniform(0.62, 0.72)
    else:
        scale, middle = draws.uniform(1.6, 2.0), draws.uniform(0.9, 1.02)
    return Placement(
        x=size * (0.5 + 0.06 * draws.bell()),
        y=size * (middle + 0.03 * draws.bell()),
        scale=size * scale,
        turns=0.022 * draws.bell(),
        mirrored=draws.uniform(0.0, 1.0) < 0.5,
        wobble=style.wobble,
        phase=draws.uniform(0.0, 1.0),
    )
