"""The bundled corpus ``open-characters``: 26 characters drawn by many artists.

A picture is computed from its name alone, in any order, and has the same bytes everywhere (see
``shapes``). The cast and the artists' manners are in ``cast``, the figure in ``figure``; here are
the lists of pictures, the background, what stands before the figure, light and texture.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.synthesis.arithmetic import Array, Draws, cosine_sine
from harness.data.synthesis.cast import CHARACTERS, OUTFITS, Artist, Character, any_colour, artist, pick
from harness.data.synthesis.catalogue import Split
from harness.data.synthesis.figure import FigurePainter, draw_pose
from harness.data.synthesis.shapes import (
    Canvas,
    Colour,
    Placement,
    Shape,
    capsule,
    ellipse,
    polygon,
)

ARTISTS: Final[dict[Split, int]] = {"train": 60, "validation": 12, "test": 24}

# Pictures that each artist makes of each character, and their side in pixels.
PICTURES: Final[dict[Profile, int]] = {"quick": 2, "full": 4}
SIDES: Final[dict[Profile, int]] = {"quick": 64, "full": 96}

OCCLUDED = 0.45
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
    _background(canvas, style, draws)
    pose = draw_pose(draws, who, OUTFITS)
    FigurePainter(canvas, who, style, pose).paint()
    if draws.uniform(0.0, 1.0) < OCCLUDED:
        _occlude(canvas, style, draws)
    _light(canvas, draws)
    _texture(canvas, style, draws)
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


def _grid(size: int) -> tuple[Array, Array]:
    """Return x and y of every pixel, from 0 to 1."""
    steps = (np.arange(size) + 0.5) / size
    down, across = np.meshgrid(steps, steps, indexing="ij")
    return across, down


def _blend(canvas: Canvas, weight: Array, colour: Colour) -> None:
    """Lay a colour over the whole canvas, by a weight `[size, size]` from 0 to 1."""
    canvas.pixels += weight[:, :, None] * (np.array(colour) - canvas.pixels)


def _background(canvas: Canvas, style: Artist, draws: Draws) -> None:
    kind = pick(draws, style.backgrounds)
    first, second = style.mixed(any_colour(draws, 90.0)), style.mixed(any_colour(draws, 40.0))
    across, down = _grid(canvas.size)
    canvas.pixels[:] = style.paper if kind in ("plain", "scribble") else first
    if kind == "sky":
        _blend(canvas, down, second)
        for _ in range(3):
            x, y = draws.uniforms(-0.6, 0.6, 2).tolist()
            canvas.paint(ellipse(x, y - 0.2, 0.18, 0.06), style.colour("white"), 0.8)
    elif kind in ("stripes", "rays"):
        turns = draws.uniform(0.0, 1.0)
        cosine, sine = cosine_sine(np.array([turns]))
        if kind == "stripes":
            waves = (across * cosine[0] + down * sine[0]) * draws.uniform(3.0, 9.0)
        else:
            waves = (across - 0.5) / (np.abs(down - 0.5) + 0.15) * draws.uniform(1.0, 2.5)
        _blend(canvas, (cosine_sine(waves)[0] > 0.0).astype(np.float64), second)
    elif kind == "dots":
        often = draws.uniform(3.0, 8.0)
        waves = cosine_sine(across * often)[0] * cosine_sine(down * often)[0]
        _blend(canvas, np.clip(waves * 4.0 - 1.0, 0.0, 1.0), second)
    elif kind == "room":
        _blend(canvas, (down > draws.uniform(0.6, 0.85)).astype(np.float64), second)
        x, y = draws.uniforms(-0.5, 0.5, 2).tolist()
        frame = polygon([(x - 0.15, y - 0.2), (x + 0.15, y - 0.2), (x + 0.15, y), (x - 0.15, y)])
        canvas.paint(frame, style.mixed(any_colour(draws)), 1.0)
    elif kind == "hills":
        for number in range(3):
            crest = 0.45 + 0.18 * number + 0.08 * cosine_sine(across * 1.7 + draws.uniform(0, 1))[0]
            share = np.clip((down - crest) * canvas.size, 0.0, 1.0)
            _blend(canvas, share, style.mixed(any_colour(draws, 60.0, 220.0)))
    elif kind == "scribble":
        for _ in range(7):
            ends = draws.uniforms(-0.8, 0.8, 4).tolist()
            line = capsule((ends[0], ends[1]), (ends[2], ends[3]), 0.012, 0.012)
            canvas.paint(line, second, 0.8)


def _occlude(canvas: Canvas, style: Artist, draws: Draws) -> None:
    """Put something before the figure: a bar, a branch, bubbles or a panel at an edge."""
    colour = style.mixed(any_colour(draws))
    kind = pick(draws, ("bar", "branch", "bubbles", "panel"))
    x, y = draws.uniform(-0.3, 0.3), draws.uniform(-0.45, 0.4)
    shapes: list[Shape] = []
    if kind == "bar":
        lean = draws.uniform(-0.3, 0.3)
        shapes = [capsule((x - lean, -1.5), (x + lean, 1.5), 0.04, 0.05)]
    elif kind == "branch":
        shapes = [capsule((-1.2, y), (x, y + 0.12), 0.025, 0.012)]
        shapes += [
            ellipse(x - 0.14 * step, y + 0.1 - 0.02 * step, 0.075, 0.032, 0.1 * step)
            for step in range(6)
        ]
    elif kind == "bubbles":
        shapes = [
            ellipse(*draws.uniforms(-0.5, 0.5, 2).tolist(), radius, radius)
            for radius in draws.uniforms(0.03, 0.1, 5).tolist()
        ]
    else:
        top = draws.uniform(0.02, 0.3)
        shapes = [polygon([(-2.0, top), (2.0, top + draws.uniform(-0.1, 0.1)), (2.0, 2.0), (-2.0, 2.0)])]
    for shape in shapes:
        if style.line:
            canvas.paint(shape, style.ink, grown=style.line)
        canvas.paint(shape, colour)


def _light(canvas: Canvas, draws: Draws) -> None:
    """Light the picture from one side, and set its contrast."""
    across, down = _grid(canvas.size)
    side, above = draws.uniforms(-0.35, 0.35, 2).tolist()
    canvas.pixels *= (1.0 + side * (across - 0.5) + above * (down - 0.5))[:, :, None]
    contrast, middle = draws.uniform(0.75, 1.15), 128.0
    canvas.pixels[:] = middle + contrast * (canvas.pixels - middle)


def _texture(canvas: Canvas, style: Artist, draws: Draws) -> None:
    """Lay the artist's texture over all, and a little noise."""
    size, pixels = canvas.size, canvas.pixels
    across, down = _grid(size)
    if style.texture == "grain":
        pixels += 14.0 * draws.bells(size * size).reshape(size, size, 1)
    elif style.texture == "hatching":
        waves = cosine_sine((across + down) * (size / 4.0))[0]
        pixels -= (18.0 * np.clip(waves, 0.0, 1.0))[:, :, None]
    elif style.texture == "screen":
        waves = cosine_sine(across * size / 3.0)[0] * cosine_sine(down * size / 3.0)[0]
        pixels += (14.0 * waves)[:, :, None]
    elif style.texture == "wash":
        waves = cosine_sine(across * 2.3 + draws.uniform(0.0, 1.0))[0]
        waves = waves * cosine_sine(down * 1.9 + draws.uniform(0.0, 1.0))[0]
        _blend(canvas, 0.22 * np.clip(waves, 0.0, 1.0), style.paper)
    pixels += 3.0 * draws.bells(size * size).reshape(size, size, 1)
