"""The objects of ``open-impacts``: resonances of six materials.

An object is a set of resonances between 500 and 3000 Hz, each a sine that dies away exponentially
(K. van den Doel and D. K. Pai, "The sounds of physical shapes", Presence 7(4), 1998), and how fast
it does is the mark of the material: a mode of frequency f decays as exp(-pi f tan(phi) t), where
tan(phi) is the internal friction (R. L. Klatzky, D. K. Pai and E. P. Krotkov, "Perception of
material from contact sounds", Presence 9(4), 2000). The figures of ``RECIPES`` are this corpus's
own: they keep the order of materials by friction, and neighbours overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from harness.data.synthesis.arithmetic import Array, Draws, exponential, exponential_of
from harness.data.synthesis.catalogue import Split
from harness.data.synthesis.impact_settings import (
    HARD_SHARE,
    MATERIALS,
    ORIGINAL,
    ImpactSettings,
)

LOWEST_HZ: Final = 500.0

# Objects of each material, in the order of MATERIALS. The training set falls geometrically by
# 10 from the first class to the last; validation and test are milder, so that the rare classes
# have enough objects to be measured.
_OBJECTS: Final[dict[Split, tuple[int, ...]]] = {
    "train": (118, 74, 47, 30, 19, 12),
    "validation": (18, 13, 10, 8, 6, 5),
    "test": (36, 26, 20, 16, 12, 10),
}

# With the share of muffled strikes it makes up the HARD_SHARE of the corpus as it is; another
# share is divided as they are.
_MISLEADING_SHARE: Final = 0.08
# Beyond this rate exp(-decay t) would sink below the normal float64 within the second, where
# arithmetic is slow; the ear and the int16 hear no difference.
FASTEST_DECAY: Final = 600.0


@dataclass(frozen=True)
class Material:
    """The figures that the objects of a material have in common.

    Attributes:
        ring: median of 1 / (pi tan(phi)): the cycles a mode rings before it falls to 1/e.
        spread: standard deviation of ln(ring) between objects.
        slope: how much faster than in proportion to frequency high modes decay (exponent).
        modes: smallest and largest number of modes.
        base_hz: lowest mode of a middle-sized object, in Hz (stiff and light rings high).
        contact: level of the contact noise against the ringing.
        rustle_s: typical length of the contact noise in seconds: rough surfaces rustle longer.
        pulse_s: typical length of the push of a strike in seconds: soft surfaces give way longer.
    """

    ring: float
    spread: float
    slope: float
    modes: tuple[int, int]
    base_hz: float
    contact: float
    rustle_s: float
    pulse_s: float


RECIPES: Final[dict[str, Material]] = {
    "plastic": Material(8.0, 0.30, 0.30, (2, 3), 560.0, 0.25, 0.006, 0.00070),
    "wood": Material(22.0, 0.30, 0.20, (3, 6), 700.0, 0.40, 0.010, 0.00045),
    "stone": Material(50.0, 0.28, 0.10, (6, 10), 1000.0, 0.90, 0.045, 0.00022),
    "ceramic": Material(105.0, 0.28, 0.05, (5, 8), 1150.0, 0.30, 0.015, 0.00020),
    "glass": Material(220.0, 0.28, 0.10, (3, 5), 1400.0, 0.10, 0.005, 0.00016),
    "metal": Material(520.0, 0.35, 0.00, (8, 13), 700.0, 0.20, 0.008, 0.00020),
}


@dataclass(frozen=True)
class ImpactObject:
    """A thing that can be struck.

    Attributes:
        name: such as ``object-0012``.
        material: the label, one of MATERIALS.
        sounds_like: the material whose recipe it rings by; another than ``material`` for the
            misleading objects.
        split: the split that all its sounds belong to.
        size: against a middle-sized object.
        frequencies: modes in Hz, ascending, within 500-3000, [M].
        decays: amplitude decay rates of the modes in 1/s, [M].
        strengths: gains of the modes when struck where they move most, [M].
        shapes: half-waves of each mode along the line of striking, [M].
    """

    name: str
    material: str
    sounds_like: str
    split: Split
    size: float
    frequencies: Array
    decays: Array
    strengths: Array
    shapes: Array


@lru_cache(maxsize=1)
def object_catalogue() -> tuple[tuple[Split, str], ...]:
    """List the split and the material of every object, by object number."""
    return tuple(
        (split, material)
        for split, counts in _OBJECTS.items()
        for material, count in zip(MATERIALS, counts, strict=True)
        for _ in range(count)
    )


def _sounding_material(draws: Draws, material: str, settings: ImpactSettings) -> str:
    """Choose whose sound an object has: mostly its own material's, seldom any other's."""
    misleads = draws.uniform(0.0, 1.0) < _MISLEADING_SHARE * (settings.hard / HARD_SHARE)
    others = [other for other in settings.materials if other != material] or [material]
    other = others[int(draws.uniform(0.0, len(others)))]
    return other if misleads else material


def _mode_frequencies(draws: Draws, recipe: Material, size: float, highest_hz: float) -> Array:
    """Place the modes inharmonically between the object's lowest and at most a frequency.

    Returns:
        Hz, ascending, [M].
    """
    fewest, most = recipe.modes
    count = fewest + int(draws.uniform(0.0, most - fewest + 1))
    lowest = min(max(recipe.base_hz / size, LOWEST_HZ), 0.6 * highest_hz)
    highest = draws.uniform(0.8 * highest_hz, highest_hz)
    # Uneven gaps, none nearly closed, make the series inharmonic and the modes distinct.
    places = np.cumsum(draws.uniforms(0.3, 1.7, count))
    rise = (places - places[0]) / (places[-1] - places[0])
    placed = np.minimum(lowest + (highest - lowest) * rise, highest_hz)
    return np.asarray(placed, dtype=np.float64)


def _mode_decays(draws: Draws, recipe: Material, frequencies: Array) -> Array:
    """Compute the decay rates pi f tan(phi) of the modes, by the object's own friction.

    Returns:
        Amplitude decay rates in 1/s, [M].
    """
    ring = recipe.ring * exponential_of(recipe.spread * draws.bell())
    # (f / f_1)**slope, by a chord of the power law: slopes are small and no logarithm is needed.
    steeper = 1.0 + recipe.slope * (frequencies / frequencies[0] - 1.0)
    uneven = exponential(0.15 * draws.bells(frequencies.size))
    support = draws.uniform(0.5, 3.0)  # What the object lies on takes energy from every mode.
    decays = np.minimum(support + frequencies / ring * steeper * uneven, FASTEST_DECAY)
    return np.asarray(decays, dtype=np.float64)


@lru_cache(maxsize=64)
def impact_object(number: int, settings: ImpactSettings = ORIGINAL) -> ImpactObject:
    """Make the object of a number, 0-479.

    Args:
        number: its place in the corpus.
        settings: of the corpus.

    Returns:
        The object; its arrays are shared between calls and must not be changed.

    Raises:
        KeyError: if there is no such object.
    """
    if not 0 <= number < len(object_catalogue()):
        raise KeyError(f"open-impacts has no object {number}")
    split, material = object_catalogue()[number]
    draws = Draws(f"open-impacts/object/{number:04d}")
    sounds_like = _sounding_material(draws, material, settings)
    recipe = RECIPES[sounds_like]
    size = exponential_of(0.2 * draws.bell())
    frequencies = _mode_frequencies(draws, recipe, size, settings.resonance_hz)
    decays = _mode_decays(draws, recipe, frequencies)
    strengths = exponential(0.5 * draws.bells(frequencies.size))
    shapes = 1.0 + np.floor(draws.uniforms(0.0, 5.0, frequencies.size))
    return ImpactObject(
        f"object-{number:04d}", material, sounds_like, split, size,
        frequencies, decays, strengths, shapes,
    )  # fmt: skip
