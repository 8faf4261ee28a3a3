"""Who is drawn in ``open-characters``, and by whom: 26 characters, and artists with styles.

A character is a combination of hair, clothes, skin, build and one thing worn. The styles of each
are shared with other characters, so that no single one of them tells who it is. An artist changes
all of them in a way that is the artist's own: colours, proportions, lines, shading, eyes, paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from harness.data.synthesis.arithmetic import Draws
from harness.data.synthesis.shapes import Colour


@dataclass(frozen=True)
class Character:
    """What stays of a character whoever draws it.

    Attributes:
        name: the label.
        skin, hair_colour, main, second: names of colours, the last two of the clothes.
        hair: one of the styles of hair.
        worn: something worn on head or neck.
        outfit: kind of the clothes.
        build: height and width against the usual.
    """

    name: str
    skin: str
    hair: str
    hair_colour: str
    worn: str
    outfit: str
    main: str
    second: str
    build: tuple[float, float]


COLOURS: Final[dict[str, Colour]] = {
    "pale": (250.0, 224.0, 205.0), "tan": (224.0, 172.0, 132.0),
    "brown skin": (156.0, 102.0, 70.0), "dark": (98.0, 64.0, 48.0),
    "black": (46.0, 42.0, 54.0), "brown": (122.0, 78.0, 48.0), "blond": (240.0, 208.0, 106.0),
    "red": (204.0, 62.0, 52.0), "blue": (64.0, 104.0, 196.0), "pink": (240.0, 146.0, 178.0),
    "green": (74.0, 156.0, 94.0), "white": (240.0, 240.0, 246.0), "grey": (132.0, 136.0, 148.0),
    "yellow": (246.0, 204.0, 70.0), "purple": (132.0, 84.0, 170.0), "orange": (238.0, 140.0, 58.0),
    "teal": (58.0, 160.0, 168.0),
}  # fmt: skip

_TALL, _USUAL, _SMALL, _STOUT = (1.1, 0.94), (1.0, 1.0), (0.88, 1.0), (0.96, 1.24)

_CAST: Final = """
aki    pale        bob      black   glasses     dress     red     white   usual
bram   tan         short    brown   none        overalls  blue    yellow  stout
cleo   brown skin  long     black   crown       robe      white   yellow  tall
dara   dark        curly    black   headphones  jumper    orange  teal    usual
enzo   pale        spiky    blond   scarf       trousers  grey    red     tall
fumi   pale        twins    pink    bow         dress     purple  white   small
gus    tan         bald     brown   glasses     coat      brown   orange  stout
hana   pale        bun      red     none        robe      green   pink    usual
iris   brown skin  pony     purple  none        trousers  teal    white   tall
jun    tan         short    blue    headphones  jumper    white   blue    usual
kira   pale        long     white   horns       coat      black   red     tall
lou    dark        spiky    white   none        trousers  yellow  purple  usual
mira   tan         twins    green   ears        overalls  pink    green   small
nils   pale        bob      blond   hat         coat      blue    yellow  usual
orla   brown skin  curly    red     bow         dress     green   yellow  stout
pax    dark        bald     black   crown       robe      red     yellow  tall
quin   pale        pony     black   scarf       jumper    black   white   small
remy   tan         mohawk   green   glasses     coat      grey    green   tall
suki   pale        bun      black   ears        dress     blue    pink    small
taro   tan         spiky    black   horns       robe      orange  black   usual
uma    brown skin  bob      pink    headphones  trousers  purple  yellow  usual
vito   tan         short    black   hat         overalls  red     blue    stout
wren   dark        long     blue    none        jumper    teal    orange  usual
xeno   pale        mohawk   purple  horns       trousers  black   green   tall
yuri   pale        curly    blond   hat         robe      purple  white   usual
zia    brown skin  twins    orange  glasses     overalls  yellow  teal    small
"""

_BUILDS: Final = {"tall": _TALL, "usual": _USUAL, "small": _SMALL, "stout": _STOUT}


def _read(line: str) -> Character:
    """Read a line of the cast; a skin may be of two words."""
    words = line.replace("brown skin", "brown_skin").split()
    name, skin, hair, colour, worn, outfit, main, second, build = words
    skin = skin.replace("_", " ")
    return Character(name, skin, hair, colour, worn, outfit, main, second, _BUILDS[build])


CHARACTERS: Final[tuple[Character, ...]] = tuple(map(_read, _CAST.strip().splitlines()))

OUTFITS: Final = tuple(sorted({each.outfit for each in CHARACTERS}))

BACKGROUNDS: Final = ("plain", "sky", "stripes", "dots", "room", "hills", "scribble", "rays")

SHADINGS: Final = ("flat", "side", "two tones", "soft")

TEXTURES: Final = ("none", "none", "grain", "hatching", "screen", "wash")


@dataclass(frozen=True)
class Artist:
    """How somebody draws.

    Attributes:
        name: such as ``artist007``.
        head: radius of a head, as a share of a figure's height.
        limbs: thickness of arms and legs against the usual.
        line: width of outlines, in units of a figure's height; 0 for none.
        ink: colour of lines.
        wobble: how far lines stray.
        saturation: of colours against the usual; 0 draws in greys.
        brightness: as a factor.
        tint, tinted: a colour that all others lean to, and how far.
        shift: colour name -> what this artist adds to it.
        eyes: kind of eyes.
        eye_size: against the usual.
        shading, texture: kinds of them.
        backgrounds: the kinds that the artist likes.
        paper: colour of the paper.
    """

    name: str
    head: float
    limbs: float
    line: float
    ink: Colour
    wobble: float
    saturation: float
    brightness: float
    tint: Colour
    tinted: float
    shift: dict[str, Colour]
    eyes: str
    eye_size: float
    shading: str
    texture: str
    backgrounds: tuple[str, ...]
    paper: Colour

    def colour(self, name: str) -> Colour:
        """Return a colour as this artist mixes it."""
        red, green, blue = (
            level + step for level, step in zip(COLOURS[name], self.shift[name], strict=True)
        )
        return self.mixed((red, green, blue))

    def mixed(self, colour: Colour) -> Colour:
        """Return any colour with this artist's saturation, brightness and tint."""
        grey = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        red, green, blue = (
            (1.0 - self.tinted) * self.brightness * (grey + self.saturation * (level - grey))
            + self.tinted * tint
            for level, tint in zip(colour, self.tint, strict=True)
        )
        return red, green, blue


def pick(draws: Draws, choices: tuple[str, ...]) -> str:
    """Draw one of some words."""
    return choices[int(draws.uniform(0.0, len(choices)))]


def any_colour(draws: Draws, low: float = 0.0, high: float = 255.0) -> Colour:
    """Draw a colour of three independent levels."""
    red, green, blue = draws.uniforms(low, high, 3).tolist()
    return red, green, blue


@lru_cache(maxsize=256)
def artist(name: str) -> Artist:
    """Return an artist, made from the name alone."""
    draws = Draws(f"open-characters/{name}")
    manner = draws.uniform(0.0, 1.0)
    inks: tuple[Colour, ...] = ((20.0, 18.0, 24.0), (58.0, 36.0, 28.0), (30.0, 40.0, 84.0))
    return Artist(
        name=name,
        head=draws.uniform(0.13, 0.23),
        limbs=draws.uniform(0.75, 1.35),
        line=draws.uniform(0.006, 0.017) if draws.uniform(0.0, 1.0) < 0.75 else 0.0,
        ink=inks[int(draws.uniform(0.0, len(inks)))],
        wobble=draws.uniform(0.0, 0.012),
        # Some draw in near-greys, where only forms tell who it is.
        saturation=draws.uniform(0.05, 0.3) if manner < 0.05 else draws.uniform(0.55, 1.3),
        brightness=draws.uniform(0.78, 1.08),
        tint=any_colour(draws),
        tinted=draws.uniform(0.0, 0.08),
        shift={
            each: (shift[0], shift[1], shift[2])
            for each in COLOURS
            if (shift := (5.0 * draws.bells(3)).tolist())
        },
        eyes=pick(draws, ("dots", "ovals", "large", "large", "slits", "rings")),
        eye_size=draws.uniform(0.75, 1.3),
        shading=pick(draws, SHADINGS),
        texture=pick(draws, TEXTURES),
        backgrounds=tuple(pick(draws, BACKGROUNDS) for _ in range(3)),
        paper=any_colour(draws, 150.0, 255.0),
    )
