"""What surrounds a figure of ``open-characters``: background, things before it, light, texture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from harness.data.synthesis.arithmetic import Array, Draws, cosine_sine
from harness.data.synthesis.cast import Artist, any_colour, pick
from harness.data.synthesis.shapes import Canvas, Colour, Shape, capsule, ellipse, polygon

Scene: TypeAlias = Callable[[Canvas, Artist, Draws, Colour], None]
"""Paints on a canvas that has the first colour already; a second one is given."""

Things: TypeAlias = Callable[[Draws, float, float], list[Shape]]
"""Draws the shapes of what stands at a place before a figure."""


def paint_background(canvas: Canvas, style: Artist, draws: Draws) -> None:
    """Paint one of the backgrounds that an artist likes."""
    kind = pick(draws, style.backgrounds)
    first, second = style.mixed(any_colour(draws, 90.0)), style.mixed(any_colour(draws, 40.0))
    canvas.pixels[:] = style.paper if kind in ("plain", "scribble") else first
    if kind in _SCENES:
        _SCENES[kind](canvas, style, draws, second)


def paint_before(canvas: Canvas, style: Artist, draws: Draws) -> None:
    """Paint something before the figure: a bar, a branch, bubbles or a panel at an edge."""
    colour = style.mixed(any_colour(draws))
    kind = pick(draws, tuple(_BEFORE))
    x, y = draws.uniform(-0.3, 0.3), draws.uniform(-0.45, 0.4)
    for shape in _BEFORE[kind](draws, x, y):
        if style.line:
            canvas.paint(shape, style.ink, grown=style.line)
        canvas.paint(shape, colour)


def light_up(canvas: Canvas, draws: Draws) -> None:
    """Light the picture from one side, and set its contrast."""
    across, down = _grid(canvas.size)
    side, above = draws.uniforms(-0.35, 0.35, 2).tolist()
    canvas.pixels *= (1.0 + side * (across - 0.5) + above * (down - 0.5))[:, :, None]
    contrast, middle = draws.uniform(0.75, 1.15), 128.0
    canvas.pixels[:] = middle + contrast * (canvas.pixels - middle)


def lay_texture(canvas: Canvas, style: Artist, draws: Draws) -> None:
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


def _grid(size: int) -> tuple[Array, Array]:
    """Return x and y of every pixel, from 0 to 1."""
    steps = (np.arange(size) + 0.5) / size
    down, across = np.meshgrid(steps, steps, indexing="ij")
    return across, down


def _blend(canvas: Canvas, weight: Array, colour: Colour) -> None:
    """Lay a colour over the whole canvas, by a weight `[size, size]` from 0 to 1."""
    canvas.pixels += weight[:, :, None] * (np.array(colour) - canvas.pixels)


def _sky(canvas: Canvas, style: Artist, draws: Draws, second: Colour) -> None:
    _blend(canvas, _grid(canvas.size)[1], second)
    for _ in range(3):
        x, y = draws.uniforms(-0.6, 0.6, 2).tolist()
        canvas.paint(ellipse(x, y - 0.2, 0.18, 0.06), style.colour("white"), 0.8)


def _stripes(canvas: Canvas, style: Artist, draws: Draws, second: Colour) -> None:
    del style
    across, down = _grid(canvas.size)
    cosine, sine = cosine_sine(np.array([draws.uniform(0.0, 1.0)]))
    waves = (across * cosine[0] + down * sine[0]) * draws.uniform(3.0, 9.0)
    _blend(canvas, (cosine_sine(waves)[0] > 0.0).astype(np.float64), second)


def _rays(canvas: Canvas, style: Artist, draws: Draws, second: Colour) -> None:
    del style
    across, down = _grid(canvas.size)
    draws.uniform(0.0, 1.0)  # as of stripes: what is drawn after it is the same for both
    waves = (across - 0.5) / (np.abs(down - 0.5) + 0.15) * draws.uniform(1.0, 2.5)
    _blend(canvas, (cosine_sine(waves)[0] > 0.0).astype(np.float64), second)


def _dots(canvas: Canvas, style: Artist, draws: Draws, second: Colour) -> None:
    del style
    across, down = _grid(canvas.size)
    often = draws.uniform(3.0, 8.0)
    waves = cosine_sine(across * often)[0] * cosine_sine(down * often)[0]
    _blend(canvas, np.clip(waves * 4.0 - 1.0, 0.0, 1.0), second)


def _room(canvas: Canvas, style: Artist, draws: Draws, second: Colour) -> None:
    down = _grid(canvas.size)[1]
    _blend(canvas, (down > draws.uniform(0.6, 0.85)).astype(np.float64), second)
    x, y = draws.uniforms(-0.5, 0.5, 2).tolist()
    frame = polygon([(x - 0.15, y - 0.2), (x + 0.15, y - 0.2), (x + 0.15, y), (x - 0.15, y)])
    canvas.paint(frame, style.mixed(any_colour(draws)), 1.0)


def _hills(canvas: Canvas, style: Artist, draws: Draws, second: Colour) -> None:
    del second
    across, down = _grid(canvas.size)
    for number in range(3):
        crest = 0.45 + 0.18 * number + 0.08 * cosine_sine(across * 1.7 + draws.uniform(0, 1))[0]
        share = np.clip((down - crest) * canvas.size, 0.0, 1.0)
        _blend(canvas, share, style.mixed(any_colour(draws, 60.0, 220.0)))


def _scribble(canvas: Canvas, style: Artist, draws: Draws, second: Colour) -> None:
    del style
    for _ in range(7):
        ends = draws.uniforms(-0.8, 0.8, 4).tolist()
        line = capsule((ends[0], ends[1]), (ends[2], ends[3]), 0.012, 0.012)
        canvas.paint(line, second, 0.8)


_SCENES: Final[dict[str, Scene]] = {
    "sky": _sky,
    "stripes": _stripes,
    "rays": _rays,
    "dots": _dots,
    "room": _room,
    "hills": _hills,
    "scribble": _scribble,
}


def _bar(draws: Draws, x: float, y: float) -> list[Shape]:
    del y
    lean = draws.uniform(-0.3, 0.3)
    return [capsule((x - lean, -1.5), (x + lean, 1.5), 0.04, 0.05)]


def _branch(draws: Draws, x: float, y: float) -> list[Shape]:
    del draws
    leaves = [
        ellipse(x - 0.14 * step, y + 0.1 - 0.02 * step, 0.075, 0.032, 0.1 * step)
        for step in range(6)
    ]
    return [capsule((-1.2, y), (x, y + 0.12), 0.025, 0.012), *leaves]


def _bubbles(draws: Draws, x: float, y: float) -> list[Shape]:
    del x, y
    found = []
    for radius in draws.uniforms(0.03, 0.1, 5).tolist():
        right, below = draws.uniforms(-0.5, 0.5, 2).tolist()
        found.append(ellipse(right, below, radius, radius))
    return found


def _panel(draws: Draws, x: float, y: float) -> list[Shape]:
    del x, y
    top = draws.uniform(0.02, 0.3)
    end = top + draws.uniform(-0.1, 0.1)
    return [polygon([(-2.0, top), (2.0, end), (2.0, 2.0), (-2.0, 2.0)])]


_BEFORE: Final[dict[str, Things]] = {
    "bar": _bar,
    "branch": _branch,
    "bubbles": _bubbles,
    "panel": _panel,
}
