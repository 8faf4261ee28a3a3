"""Shapes of hair, and of what is worn on a head: pure functions of the head's place and size.

A head is a circle of radius r about (x, y); y points down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from harness.data.synthesis.shapes import Shape, capsule, cut, ellipse, polygon, union, within

Parts: TypeAlias = Callable[[float, float, float], tuple[Shape, ...]]

SIDES: Final = (-1.0, 1.0)


def _long(x: float, y: float, r: float) -> tuple[Shape, ...]:
    corners = [(-r * 1.1, y), (r * 1.1, y), (r * 1.25, y + r * 2.6), (-r * 1.25, y + r * 2.6)]
    return ellipse(x, y, r * 1.14, r * 1.15), polygon(corners, r * 0.08)


def _bob(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    upper = [(-r * 1.08, y - r * 0.4), (r * 1.08, y - r * 0.4)]
    return (polygon([*upper, (r * 1.16, y + r * 0.85), (-r * 1.16, y + r * 0.85)], r * 0.1),)


def _twins(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    return tuple(
        capsule((s * r, y - r * 0.5), (s * r * 1.75, y + r * 1.5), r * 0.42, r * 0.2) for s in SIDES
    )


def _pony(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    return (capsule((r * 0.6, y - r * 0.8), (r * 1.7, y + r * 1.3), r * 0.34, r * 0.16),)


def _bun(x: float, y: float, r: float) -> tuple[Shape, ...]:
    return (ellipse(x, y - r * 1.22, r * 0.5, r * 0.45),)


def _curly(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    places = [(-1.0, 0.1), (-0.95, -0.5), (-0.5, -0.95), (0.0, -1.1), (0.5, -0.95),
              (0.95, -0.5), (1.0, 0.1), (-0.95, 0.6), (0.95, 0.6)]  # fmt: skip
    return tuple(ellipse(a * r, y + b * r, r * 0.44, r * 0.42) for a, b in places)


def _spiky(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    tips = [(-1.45, -0.1), (-1.25, -0.9), (-0.6, -1.45), (0.1, -1.6), (0.75, -1.4),
            (1.3, -0.85), (1.45, 0.0)]  # fmt: skip
    return tuple(
        polygon(
            [
                (a * 0.6 * r - 0.3 * r, y + b * 0.55 * r),
                (a * r, y + b * r),
                (a * 0.6 * r + 0.3 * r, y + b * 0.55 * r),
            ],
            r * 0.05,
        )
        for a, b in tips
    )


def _mohawk(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    points = [(-r * 0.28, y - r * 0.6), (-r * 0.4, y - r * 1.5), (0.0, y - r * 1.3),
              (r * 0.4, y - r * 1.55), (r * 0.28, y - r * 0.6)]  # fmt: skip
    return (polygon(points, r * 0.06),)


BEHIND: Final[dict[str, Parts]] = {
    "long": _long,
    "bob": _bob,
    "twins": _twins,
    "pony": _pony,
    "bun": _bun,
    "curly": _curly,
    "spiky": _spiky,
    "mohawk": _mohawk,
}
"""Style -> the hair behind a head; the other styles have none."""


def hair_before(style: str, x: float, y: float, r: float) -> Shape | None:
    """Return the hair that covers a head from the front; None of a bald one."""
    if style == "bald":
        return None
    if style == "mohawk":
        return ellipse(x, y - r * 0.78, r * 0.26, r * 0.4)
    return cut(ellipse(x, y - r * 0.06, r * 1.03, r * 1.02), _forehead(style, x, y, r))


def _forehead(style: str, x: float, y: float, r: float) -> Shape:
    if style in ("bob", "long"):
        return ellipse(x, y + r * 0.75, r * 0.86, r * 1.05)
    if style in ("twins", "pony", "bun"):
        return ellipse(x + r * 0.25, y + r * 0.55, r * 1.0, r * 1.0)
    if style != "spiky":
        return ellipse(x, y + r * 0.62, r * 1.12, r * 1.0)
    return polygon([(-r * 1.2, y + r * 1.4), (-r * 0.9, y - r * 0.2), (-r * 0.45, y - r * 0.02),
                    (-r * 0.2, y - r * 0.4), (r * 0.25, y), (r * 0.5, y - r * 0.4),
                    (r * 0.95, y - r * 0.1), (r * 1.2, y + r * 1.4)])  # fmt: skip


def _horns(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    return tuple(
        polygon(
            [
                (s * r * 0.35, y - r * 0.8),
                (s * r * 0.95, y - r * 1.55),
                (s * r * 0.85, y - r * 0.5),
            ],
            r * 0.05,
        )
        for s in SIDES
    )


def _ears(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    return tuple(
        polygon(
            [
                (s * r * 0.2, y - r * 0.85),
                (s * r * 0.75, y - r * 1.45),
                (s * r * 0.98, y - r * 0.4),
            ],
            r * 0.08,
        )
        for s in SIDES
    )


def _hat(x: float, y: float, r: float) -> tuple[Shape, ...]:
    top = [(-r * 0.8, y - r * 0.6), (-r * 0.62, y - r * 1.4), (r * 0.62, y - r * 1.4),
           (r * 0.8, y - r * 0.6)]  # fmt: skip
    return ellipse(x, y - r * 0.62, r * 1.45, r * 0.24), polygon(top, r * 0.08)


def _crown(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    return (
        polygon([(-r * 0.7, y - r * 0.68), (-r * 0.8, y - r * 1.35), (-r * 0.35, y - r * 1.0),
                 (0.0, y - r * 1.45), (r * 0.35, y - r), (r * 0.8, y - r * 1.35),
                 (r * 0.7, y - r * 0.68)]),
    )  # fmt: skip


def _bow(x: float, y: float, r: float) -> tuple[Shape, ...]:
    del x
    return tuple(
        polygon(
            [
                (r * 0.55, y - r * 0.85),
                (r * 0.55 + s * r * 0.6, y - r * 1.3),
                (r * 0.55 + s * r * 0.6, y - r * 0.45),
            ],
            r * 0.06,
        )
        for s in SIDES
    )


def _headphones(x: float, y: float, r: float) -> tuple[Shape, ...]:
    band = cut(ellipse(x, y, r * 1.22, r * 1.22), ellipse(x, y, r * 1.08, r * 1.08))
    upper = polygon([(-r * 2, y - r * 2), (r * 2, y - r * 2), (r * 2, y), (-r * 2, y)])
    cups = (ellipse(s * r * 1.08, y + r * 0.1, r * 0.26, r * 0.36) for s in SIDES)
    return within(band, upper), *cups


_WORN: Final[dict[str, Parts]] = {
    "horns": _horns,
    "ears": _ears,
    "hat": _hat,
    "crown": _crown,
    "bow": _bow,
    "headphones": _headphones,
}


def worn_on_head(worn: str, x: float, y: float, r: float) -> Shape:
    """Return the shape of something worn on a head."""
    return union(*_WORN[worn](x, y, r))
