"""One figure of ``open-characters``: body, clothes, head, hair and what is worn.

The figure's height is one unit. Its origin is its middle, so the feet are near y = 0.5 and the top
of the head is near -0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.data.synthesis.arithmetic import Draws
from harness.data.synthesis.cast import Artist, Character, pick
from harness.data.synthesis.hair import BEHIND, hair_before, worn_on_head
from harness.data.synthesis.shapes import (
    Canvas,
    Colour,
    Point,
    Shape,
    capsule,
    cut,
    ellipse,
    moved,
    polygon,
    rotation,
    union,
    within,
)

GOES_BARE = 0.12
"""Chance that a character left at home what it wears on head or neck."""

CHANGES = 0.15
"""Chance that a character wears clothes of another kind, in its own colours."""


@dataclass(frozen=True)
class Pose:
    """How a figure stands in one picture.

    Attributes:
        arms, legs: angle of the left and the right one from straight down, in turns.
        bends: by how much the left and the right elbow bend, in turns.
        head_turn: by how much the head leans, in turns.
        look: where the face turns to, from -1 to 1.
        mouth, brows: kinds of them.
        closed: the eyes are.
        bare: nothing is worn on head or neck.
        outfit: kind of the clothes.
    """

    arms: tuple[float, float]
    bends: tuple[float, float]
    legs: tuple[float, float]
    head_turn: float
    look: float
    mouth: str
    brows: str
    closed: bool
    bare: bool
    outfit: str


def draw_pose(draws: Draws, character: Character, outfits: tuple[str, ...]) -> Pose:
    """Draw how a character stands."""
    left, right = draws.uniforms(-0.02, 0.36, 2).tolist()
    bends = draws.uniforms(-0.18, 0.22, 2).tolist()
    legs = draws.uniforms(0.0, 0.07, 2).tolist()
    other = pick(draws, outfits)
    return Pose(
        arms=(left, right),
        bends=(bends[0], bends[1]),
        legs=(legs[0], legs[1]),
        head_turn=0.025 * draws.bell(),
        look=draws.uniform(-1.0, 1.0),
        mouth=pick(draws, ("smile", "smile", "flat", "open", "frown", "cat")),
        brows=pick(draws, ("calm", "calm", "angry", "sad", "raised")),
        closed=draws.uniform(0.0, 1.0) < 0.15,
        bare=draws.uniform(0.0, 1.0) < GOES_BARE,
        outfit=other if draws.uniform(0.0, 1.0) < CHANGES else character.outfit,
    )


class FigurePainter:
    """Paints one character on a canvas in an artist's manner."""

    def __init__(self, canvas: Canvas, who: Character, artist: Artist, pose: Pose) -> None:
        """Take the measures of the figure."""
        self.canvas, self.who, self.artist, self.pose = canvas, who, artist, pose
        tall, wide = who.build
        self.radius = artist.head
        self.face = (self.radius * 0.95, self.radius)
        self.bottom = 0.5 * tall
        self.crown = self.bottom - tall
        self.head: Point = (0.0, self.crown + self.radius)
        self.neck = self.head[1] + self.radius * 0.92
        room = self.bottom - self.neck
        self.hip = self.neck + room * 0.5
        self.shoulder, self.waist = 0.105 * wide, 0.085 * wide
        self.limb = 0.032 * artist.limbs * wide
        self.reach = room * 0.52
        self.skin, self.hair = artist.colour(who.skin), artist.colour(who.hair_colour)
        self.main, self.second = artist.colour(who.main), artist.colour(who.second)

    def paint(self) -> None:
        """Paint the whole figure, what is behind first."""
        self._hair_behind()
        self._legs()
        self._arm(0)
        self._clothes()
        self._arm(1)
        self._fill(capsule((0.0, self.head[1]), (0.0, self.neck + 0.02), 0.03, 0.03), self.skin)
        worn = "none" if self.pose.bare else self.who.worn
        if worn == "scarf":
            self._scarf()
        if worn in ("horns", "ears"):
            self._on_top(worn)
        self._fill(self._tilted(ellipse(*self.head, *self.face)), self.skin)
        self._expression()
        self._hair_before()
        if worn == "glasses":
            self._glasses()
        elif worn in ("hat", "crown", "headphones", "bow"):
            self._on_top(worn)

    def _fill(self, shape: Shape, colour: Colour, *, shaded: bool = True) -> None:
        """Paint a shape with its outline and shade."""
        artist, canvas = self.artist, self.canvas
        if artist.line:
            canvas.paint(shape, artist.ink, grown=artist.line)
        canvas.paint(shape, colour)
        if not shaded or artist.shading == "flat":
            return
        left, top, right, bottom = shape.box
        wide = min(right - left, bottom - top)
        red, green, blue = (0.72 * level for level in colour)
        aside = {"side": (-0.3, 0.0), "two tones": (-0.15, -0.25), "soft": (-0.2, -0.1)}
        far, low = aside[artist.shading]
        shade = cut(shape, moved(shape, far * wide, low * wide))
        canvas.paint(shade, (red, green, blue), 0.4 if artist.shading == "soft" else 0.85)

    def _tilted(self, shape: Shape) -> Shape:
        """Return a shape of the head, turned about the neck by the head's lean."""
        cosine, sine = rotation(self.pose.head_turn)
        about = self.neck
        left, top, right, bottom = shape.box
        corners = [(x, y - about) for x in (left, right) for y in (top, bottom)]
        xs = [x * cosine - y * sine for x, y in corners]
        ys = [x * sine + y * cosine + about for x, y in corners]
        return Shape(
            (min(xs), min(ys), max(xs), max(ys)),
            lambda x, y: shape.distance(
                x * cosine + (y - about) * sine, (y - about) * cosine - x * sine + about
            ),
        )

    def _legs(self) -> None:
        bare = self.pose.outfit in ("dress", "jumper")
        colour = self.skin if bare else self.second
        if self.pose.outfit in ("overalls",):
            colour = self.main
        for side, turn in zip((-1.0, 1.0), self.pose.legs, strict=True):
            cosine, sine = rotation(turn)
            start = (side * self.waist * 0.5, self.hip)
            length = (self.bottom - self.hip) * 0.96
            end = (start[0] + side * sine * length, self.hip + cosine * length)
            self._fill(capsule(start, end, self.limb * 1.25, self.limb), colour)
            foot = ellipse(end[0] + side * 0.012, end[1], self.limb * 1.5, self.limb * 0.9)
            self._fill(foot, self.artist.colour("black" if bare else "brown"), shaded=False)

    def _arm(self, which: int) -> None:
        side = -1.0 if which == 0 else 1.0
        turn, bend = self.pose.arms[which], self.pose.bends[which]
        start = (side * self.shoulder * 0.92, self.neck + 0.04)
        cosine, sine = rotation(turn)
        half = self.reach * 0.5
        elbow = (start[0] + side * sine * half, start[1] + cosine * half)
        cosine, sine = rotation(turn + bend)
        hand = (elbow[0] + side * sine * half, elbow[1] + cosine * half)
        sleeved = self.pose.outfit in ("robe", "coat", "jumper", "trousers")
        upper = self.second if self.pose.outfit == "overalls" else self.main
        wide = self.limb * (1.6 if self.pose.outfit == "robe" else 1.0)
        self._fill(ellipse(*hand, self.limb * 1.05, self.limb * 1.05), self.skin, shaded=False)
        lower = upper if sleeved else self.skin
        self._fill(capsule(elbow, hand, self.limb * 0.9, wide * 0.8), lower, shaded=False)
        self._fill(capsule(start, elbow, self.limb * 1.1, self.limb * 0.95), upper)

    def _torso(self, below: float, flare: float) -> Shape:
        top = self.neck + 0.015
        return polygon(
            [
                (-self.shoulder, top + 0.015),
                (self.shoulder, top + 0.015),
                (self.waist * flare, below),
                (-self.waist * flare, below),
            ],
            rounded=0.014,
        )

    def _clothes(self) -> None:
        drop = self.bottom - self.hip
        kinds: dict[str, Callable[[float, float], None]] = {
            "dress": self._dress,
            "robe": self._robe,
            "coat": self._coat,
            "overalls": self._overalls,
            "jumper": self._jumper,
            "trousers": self._shirt,
        }
        kinds[self.pose.outfit](self.hip, drop)

    def _dress(self, hip: float, drop: float) -> None:
        self._fill(self._torso(hip + drop * 0.45, 2.0), self.main)
        self._fill(self._belt(hip - 0.05, 1.05), self.second, shaded=False)
        collar = ellipse(0.0, self.neck + 0.03, self.shoulder * 0.55, 0.026)
        self._fill(collar, self.second, shaded=False)

    def _robe(self, hip: float, drop: float) -> None:
        robe = self._torso(hip + drop * 0.92, 1.75)
        self._fill(robe, self.main)
        low = hip + drop * 0.9
        stole = polygon([(-0.028, self.neck), (0.028, self.neck), (0.034, low), (-0.034, low)])
        self.canvas.paint(within(stole, robe), self.second)

    def _coat(self, hip: float, drop: float) -> None:
        coat = self._torso(hip + drop * 0.55, 1.45)
        self._fill(coat, self.main)
        shirt = polygon([(-0.05, self.neck), (0.05, self.neck), (0.0, hip - 0.02)])
        self.canvas.paint(within(shirt, coat), self.second)
        self._fill(self._belt(hip, 1.25), self.artist.colour("brown"), shaded=False)

    def _overalls(self, hip: float, drop: float) -> None:
        del drop
        self._fill(self._torso(hip + 0.02, 1.05), self.second)
        wide, top = self.waist, self.neck + 0.1
        corners = [(-wide * 0.7, top), (wide * 0.7, top), (wide, hip + 0.04), (-wide, hip + 0.04)]
        self._fill(polygon(corners, 0.01), self.main)
        for side in (-1.0, 1.0):
            start = (side * self.shoulder * 0.55, self.neck + 0.02)
            end = (side * self.waist * 0.6, self.neck + 0.12)
            self.canvas.paint(capsule(start, end, 0.014, 0.014), self.main)

    def _jumper(self, hip: float, drop: float) -> None:
        jumper = self._torso(hip + drop * 0.12, 1.2)
        self._fill(jumper, self.main)
        step = (hip - self.neck) / 3.4
        for number in range(3):
            y = self.neck + 0.06 + number * step
            band = polygon([(-0.3, y), (0.3, y), (0.3, y + step * 0.5), (-0.3, y + step * 0.5)])
            self.canvas.paint(within(jumper, band), self.second)

    def _shirt(self, hip: float, drop: float) -> None:
        del drop
        self._fill(self._torso(hip + 0.02, 1.0), self.main)
        self._fill(self._belt(hip + 0.01, 1.0), self.artist.colour("black"), shaded=False)

    def _belt(self, y: float, wide: float) -> Shape:
        reach = self.waist * wide + 0.012
        return polygon([(-reach, y - 0.014), (reach, y - 0.014), (reach, y + 0.014),
                        (-reach, y + 0.014)])  # fmt: skip

    def _expression(self) -> None:
        (x, y), radius, pose, artist = self.head, self.radius, self.pose, self.artist
        shift = pose.look * radius * 0.2
        size = radius * 0.2 * artist.eye_size
        apart = radius * 0.42
        self._paint_head(ellipse(x + shift * 1.5, y + radius * 0.3, size * 0.3, size * 0.22),
                         self._darker(self.skin, 0.75))  # fmt: skip
        for side in (-1.0, 1.0):
            self._eye((x + shift + side * apart, y + radius * 0.1), side, size)
        place = (x + shift * 1.1, y + radius * 0.58)
        self._mouth(place, radius * 0.24)

    def _paint_head(self, shape: Shape, colour: Colour) -> None:
        self.canvas.paint(self._tilted(shape), colour)

    def _eye(self, place: Point, side: float, size: float) -> None:
        x, y = place
        ink, eyes = self.artist.ink, self.artist.eyes
        if self.pose.closed or eyes == "slits":
            wide = capsule(
                (x - size, y), (x + size, y - 0.2 * size * side), size * 0.26, size * 0.2
            )
            self._paint_head(wide, ink)
        elif eyes == "dots":
            self._paint_head(ellipse(x, y, size * 0.55, size * 0.6), ink)
        else:
            tall = {"ovals": 1.2, "large": 1.5, "rings": 1.1}[eyes]
            self._paint_head(ellipse(x, y, size, size * tall), ink)
            white = self.artist.colour("white")
            if eyes == "rings":
                self._paint_head(ellipse(x, y, size * 0.75, size * 0.8), white)
                self._paint_head(ellipse(x, y, size * 0.4, size * 0.4), ink)
            else:
                self._paint_head(ellipse(x, y, size * 0.75, size * tall * 0.8), white)
                iris = self._darker(self.hair, 0.8)
                self._paint_head(ellipse(x, y + size * 0.2, size * 0.62, size * tall * 0.62), iris)
                self._paint_head(ellipse(x, y + size * 0.2, size * 0.3, size * tall * 0.35), ink)
                self._paint_head(
                    ellipse(x - size * 0.25, y - size * 0.3, size * 0.22, size * 0.28), white
                )
        tilt = {"calm": 0.0, "angry": 0.5, "sad": -0.5, "raised": 0.0}[self.pose.brows]
        up = y - size * (2.4 if self.pose.brows == "raised" else 1.9)
        inner, outer = up + tilt * size, up - tilt * size
        brow = capsule((x - side * size, inner), (x + side * size, outer), size * 0.2, size * 0.16)
        self._paint_head(brow, self._darker(self.hair, 0.55))

    def _mouth(self, place: Point, wide: float) -> None:
        x, y = place
        ink = self._darker(self.artist.colour("red"), 0.6)
        thin = wide * 0.17
        if self.pose.mouth == "open":
            self._paint_head(ellipse(x, y, wide * 0.6, wide * 0.65), ink)
            return
        bend = {"smile": -0.4, "flat": 0.0, "frown": 0.4, "cat": -0.3}[self.pose.mouth]
        ends = ((x - wide, y + bend * wide), (x + wide, y + bend * wide))
        middle = (x, y - (bend * wide if self.pose.mouth == "cat" else 0.0))
        for end in ends:
            self._paint_head(capsule(end, middle, thin, thin), ink)

    @staticmethod
    def _darker(colour: Colour, by: float) -> Colour:
        return colour[0] * by, colour[1] * by, colour[2] * by

    def _hair_behind(self) -> None:
        parts = BEHIND.get(self.who.hair)
        if parts is not None:
            self._fill(self._tilted(union(*parts(*self.head, self.radius))), self.hair)

    def _hair_before(self) -> None:
        hair = hair_before(self.who.hair, *self.head, self.radius)
        if hair is not None:
            self._fill(self._tilted(hair), self.hair)

    def _scarf(self) -> None:
        y, wide = self.neck + 0.015, self.shoulder
        self._fill(capsule((-wide * 0.6, y), (wide * 0.6, y), 0.03, 0.03), self.second)
        self._fill(capsule((wide * 0.4, y), (wide * 0.6, y + 0.14), 0.022, 0.028), self.second)

    def _glasses(self) -> None:
        (x, y), r = self.head, self.radius
        shift, ink = self.pose.look * r * 0.2, self.artist.ink
        size = r * 0.34
        for side in (-1.0, 1.0):
            lens = ellipse(x + shift + side * r * 0.42, y + r * 0.1, size, size)
            inner = ellipse(x + shift + side * r * 0.42, y + r * 0.1, size * 0.74, size * 0.74)
            self._paint_head(cut(lens, inner), ink)
        bridge = capsule((x + shift - r * 0.12, y + r * 0.08), (x + shift + r * 0.12, y + r * 0.08),
                         r * 0.05, r * 0.05)  # fmt: skip
        self._paint_head(bridge, ink)

    def _on_top(self, worn: str) -> None:
        colours = {
            "horns": self.artist.colour("grey"),
            "ears": self.hair,
            "crown": self.artist.colour("yellow"),
        }
        shape = worn_on_head(worn, *self.head, self.radius)
        self._fill(self._tilted(shape), colours.get(worn, self.second))
