"""Flat shapes as signed distances, and a canvas that they are painted on without jagged edges.

A shape is how far a place lies from its edge, negative inside, so that outlines, unions and cuts
are sums, minima and maxima, and a pixel's cover is read from the distance (J. C. Hart, "Sphere
tracing", The Visual Computer 12, 1996, gives the distances and their algebra). Only sums, products,
quotients, roots and comparisons of float64 are used, so a picture has the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.data.synthesis.arithmetic import Array, cosine_sine

Colour: TypeAlias = tuple[float, float, float]
"""Red, green and blue from 0 to 255."""

Point: TypeAlias = tuple[float, float]

EDGE = 2.0
"""Pixels around a shape's box in which it may still cover something."""


class Shape(NamedTuple):
    """A shape of the plane, y pointing down.

    Attributes:
        box: left, top, right and bottom of what it covers.
        distance: x and y of places -> how far each lies outside the edge.
    """

    box: tuple[float, float, float, float]
    distance: Callable[[Array, Array], Array]


@lru_cache(maxsize=4096)
def rotation(turns: float) -> tuple[float, float]:
    """Return the cosine and the sine of an angle in turns."""
    cosine, sine = cosine_sine(np.array([turns]))
    return float(cosine[0]), float(sine[0])


def ellipse(x: float, y: float, wide: float, high: float, turns: float = 0.0) -> Shape:
    """Return an ellipse of two half axes; its distance is exact on the edge alone."""
    cosine, sine = rotation(turns)
    reach, least = max(wide, high), min(wide, high)

    def distance(across: Array, down: Array) -> Array:
        right, below = across - x, down - y
        along = (right * cosine + below * sine) / wide
        beside = (below * cosine - right * sine) / high
        return np.asarray((np.sqrt(along * along + beside * beside) - 1.0) * least)

    return Shape((x - reach, y - reach, x + reach, y + reach), distance)


def capsule(start: Point, end: Point, first: float, last: float) -> Shape:
    """Return a limb: a line from one point to another, as thick as two radii at its ends."""
    (x, y), (to_x, to_y), reach = start, end, max(first, last)
    along_x, along_y = to_x - x, to_y - y
    length = max(along_x * along_x + along_y * along_y, 1e-12)

    def distance(across: Array, down: Array) -> Array:
        right, below = across - x, down - y
        place = np.clip((right * along_x + below * along_y) / length, 0.0, 1.0)
        right, below = right - along_x * place, below - along_y * place
        radius = first + (last - first) * place
        return np.asarray(np.sqrt(right * right + below * below) - radius)

    box = (min(x, to_x) - reach, min(y, to_y) - reach, max(x, to_x) + reach, max(y, to_y) + reach)
    return Shape(box, distance)


def polygon(points: Sequence[Point], rounded: float = 0.0) -> Shape:
    """Return a polygon, its corners rounded outwards by a radius."""

    def distance(across: Array, down: Array) -> Array:
        nearest, inside = np.full(across.shape, 1e9), np.zeros(across.shape, bool)
        for (x, y), (to_x, to_y) in zip(points, [*points[1:], points[0]], strict=True):
            along_x, along_y, right, below = to_x - x, to_y - y, across - x, down - y
            length = max(along_x * along_x + along_y * along_y, 1e-12)
            place = np.clip((right * along_x + below * along_y) / length, 0.0, 1.0)
            far_x, far_y = right - along_x * place, below - along_y * place
            np.minimum(nearest, far_x * far_x + far_y * far_y, out=nearest)
            crosses = (y > down) != (to_y > down)
            inside ^= crosses & (
                (along_x * below - along_y * right) * (1 if along_y > 0 else -1) > 0
            )
        away = np.sqrt(nearest)
        return np.asarray(np.where(inside, -away, away) - rounded)

    xs, ys = [x for x, _ in points], [y for _, y in points]
    box = (min(xs) - rounded, min(ys) - rounded, max(xs) + rounded, max(ys) + rounded)
    return Shape(box, distance)


def union(*shapes: Shape) -> Shape:
    """Return all that one of some shapes covers."""

    def distance(across: Array, down: Array) -> Array:
        nearest = shapes[0].distance(across, down)
        for each in shapes[1:]:
            nearest = np.minimum(nearest, each.distance(across, down))
        return nearest

    lefts, tops, rights, bottoms = zip(*(each.box for each in shapes), strict=True)
    return Shape((min(lefts), min(tops), max(rights), max(bottoms)), distance)


def cut(shape: Shape, away: Shape) -> Shape:
    """Return a shape without another."""
    return Shape(shape.box, lambda x, y: np.maximum(shape.distance(x, y), -away.distance(x, y)))


def within(shape: Shape, other: Shape) -> Shape:
    """Return what two shapes both cover."""
    return Shape(shape.box, lambda x, y: np.maximum(shape.distance(x, y), other.distance(x, y)))


def moved(shape: Shape, right: float, below: float) -> Shape:
    """Return a shape at another place."""
    left, top, to_right, bottom = shape.box
    box = (left + right, top + below, to_right + right, bottom + below)
    return Shape(box, lambda x, y: shape.distance(x - right, y - below))


class Placement(NamedTuple):
    """Where on a canvas figures stand.

    Attributes:
        x, y: pixels of the figures' origin.
        scale: pixels of one unit of the figures.
        turns: by which they lean.
        mirrored: left is right.
        wobble: how far lines stray from where they belong, in units, as of a hand.
        phase: of the straying.
    """

    x: float
    y: float
    scale: float
    turns: float = 0.0
    mirrored: bool = False
    wobble: float = 0.0
    phase: float = 0.0


class Canvas:
    """A square picture `[size, size, 3]` of float64 that shapes are painted on."""

    def __init__(self, size: int, place: Placement) -> None:
        """Begin with a black picture, the figures' places given for every pixel."""
        self.size, self.place = size, place
        self.pixels = np.zeros((size, size, 3))
        rows, columns = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5, indexing="ij")
        self._cosine, self._sine = rotation(place.turns)
        right = (columns - place.x) * (-1.0 if place.mirrored else 1.0)
        below = rows - place.y
        across = (right * self._cosine + below * self._sine) / place.scale
        down = (below * self._cosine - right * self._sine) / place.scale
        if place.wobble:
            waves = cosine_sine(np.stack([down * 3.1, across * 2.7]) + place.phase)
            across, down = across + place.wobble * waves[0][0], down + place.wobble * waves[1][1]
        self.across, self.down = across, down

    def paint(self, shape: Shape, colour: Colour, opacity: float = 1.0, grown: float = 0.0) -> None:
        """Paint a shape, grown on all sides by so many units."""
        rows, columns = self._reach(shape.box, grown)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        away = shape.distance(self.across[rows, columns], self.down[rows, columns]) - grown
        cover = np.clip(0.5 - away * self.place.scale, 0.0, 1.0) * opacity
        part = self.pixels[rows, columns]
        part += cover[:, :, None] * (np.array(colour) - part)

    def _reach(self, box: tuple[float, float, float, float], grown: float) -> tuple[slice, slice]:
        """Return the rows and columns that a box of the figures' units may touch."""
        place, margin = self.place, grown + self.place.wobble
        corners = [
            (x, y)
            for x in (box[0] - margin, box[2] + margin)
            for y in (box[1] - margin, box[3] + margin)
        ]
        flip = -1.0 if place.mirrored else 1.0
        xs = [
            flip * (x * self._cosine - y * self._sine) * place.scale + place.x for x, y in corners
        ]
        ys = [(x * self._sine + y * self._cosine) * place.scale + place.y for x, y in corners]
        return self._span(ys), self._span(xs)

    def _span(self, ends: Sequence[float]) -> slice:
        first, last = int(min(ends) - EDGE), int(max(ends) + EDGE) + 1
        return slice(max(0, first), max(0, min(self.size, last)))

    def finished(self) -> NDArray[np.uint8]:
        """Return the picture, `[size, size, 3]`."""
        return np.asarray(np.rint(np.clip(self.pixels, 0.0, 255.0)), dtype=np.uint8)
