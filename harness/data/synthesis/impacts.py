"""The bundled corpus ``open-impacts``: synthetic strikes on objects of six materials.

Modal synthesis: an object is a set of resonances between 500 and 3000 Hz, each a sine that dies
away exponentially (K. van den Doel and D. K. Pai, "The sounds of physical shapes", Presence
7(4), 1998), and how fast it does is the mark of the material: a mode of frequency f decays as
exp(-pi f tan(phi) t), where tan(phi) is the internal friction (R. L. Klatzky, D. K. Pai and
E. P. Krotkov, "Perception of material from contact sounds", Presence 9(4), 2000). The figures of
``_RECIPES`` are this corpus's own: they keep the order of materials by friction, and neighbours
overlap. Some objects have the sound of another material than their own and some strikes are
muffled by a hand, which gives the tail of very hard examples that losses such as GHM-C address.

Every object and every strike has its own random stream, named after it: any sound can be made
alone, in any order, and has the same bytes everywhere (see ``arithmetic``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.synthesis.arithmetic import (
    PI,
    Array,
    Draws,
    cosine_sine,
    exponential,
    ringing,
    smooth,
)
from harness.data.synthesis.catalogue import Split
from harness.data.synthesis.impact_settings import (
    HARD_SHARE,
    MATERIALS,
    ORIGINAL,
    ImpactSettings,
)

SAMPLE_RATE: Final = 16_000
SAMPLES: Final = 16_000
LOWEST_HZ: Final = 500.0

# Objects of each material, in the order of MATERIALS. The training set falls geometrically by
# 10 from the first class to the last; validation and test are milder, so that the rare classes
# have enough objects to be measured.
_OBJECTS: Final[dict[Split, tuple[int, ...]]] = {
    "train": (118, 74, 47, 30, 19, 12),
    "validation": (18, 13, 10, 8, 6, 5),
    "test": (36, 26, 20, 16, 12, 10),
}
# Strikes of each object; `quick` takes the first ones of `full`.
_STRIKES: Final[dict[str, dict[Split, int]]] = {
    "quick": {"train": 4, "validation": 4, "test": 5},
    "full": {"train": 16, "validation": 8, "test": 12},
}

# The two make up the HARD_SHARE of the corpus as it is; another share is divided as they are.
_MISLEADING_SHARE: Final = 0.08
_MUFFLED_SHARE: Final = 0.06
# Beyond this rate exp(-decay t) would sink below the normal float64 within the second, where
# arithmetic is slow; the ear and the int16 hear no difference.
_FASTEST_DECAY: Final = 600.0


@dataclass(frozen=True)
class _Recipe:
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


_RECIPES: Final[dict[str, _Recipe]] = {
    "plastic": _Recipe(8.0, 0.30, 0.30, (2, 3), 560.0, 0.25, 0.006, 0.00070),
    "wood": _Recipe(22.0, 0.30, 0.20, (3, 6), 700.0, 0.40, 0.010, 0.00045),
    "stone": _Recipe(50.0, 0.28, 0.10, (6, 10), 1000.0, 0.90, 0.045, 0.00022),
    "ceramic": _Recipe(105.0, 0.28, 0.05, (5, 8), 1150.0, 0.30, 0.015, 0.00020),
    "glass": _Recipe(220.0, 0.28, 0.10, (3, 5), 1400.0, 0.10, 0.005, 0.00016),
    "metal": _Recipe(520.0, 0.35, 0.00, (8, 13), 700.0, 0.20, 0.008, 0.00020),
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


def _exp(x: float) -> float:
    return float(exponential(np.array([x]))[0])


@lru_cache(maxsize=1)
def _catalogue() -> tuple[tuple[Split, str], ...]:
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


def _mode_frequencies(draws: Draws, recipe: _Recipe, size: float, highest_hz: float) -> Array:
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


def _mode_decays(draws: Draws, recipe: _Recipe, frequencies: Array) -> Array:
    """Compute the decay rates pi f tan(phi) of the modes, by the object's own friction.

    Returns:
        Amplitude decay rates in 1/s, [M].
    """
    ring = recipe.ring * _exp(recipe.spread * draws.bell())
    # (f / f_1)**slope, by a chord of the power law: slopes are small and no logarithm is needed.
    steeper = 1.0 + recipe.slope * (frequencies / frequencies[0] - 1.0)
    uneven = exponential(0.15 * draws.bells(frequencies.size))
    support = draws.uniform(0.5, 3.0)  # What the object lies on takes energy from every mode.
    decays = np.minimum(support + frequencies / ring * steeper * uneven, _FASTEST_DECAY)
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
    if not 0 <= number < len(_catalogue()):
        raise KeyError(f"open-impacts has no object {number}")
    split, material = _catalogue()[number]
    draws = Draws(f"open-impacts/object/{number:04d}")
    sounds_like = _sounding_material(draws, material, settings)
    recipe = _RECIPES[sounds_like]
    size = _exp(0.2 * draws.bell())
    frequencies = _mode_frequencies(draws, recipe, size, settings.resonance_hz)
    decays = _mode_decays(draws, recipe, frequencies)
    strengths = exponential(0.5 * draws.bells(frequencies.size))
    shapes = 1.0 + np.floor(draws.uniforms(0.0, 5.0, frequencies.size))
    return ImpactObject(
        f"object-{number:04d}", material, sounds_like, split, size,
        frequencies, decays, strengths, shapes,
    )  # fmt: skip


def _pulse_gains(frequencies: Array, contact_s: float) -> Array:
    """Compute how strongly a raised-cosine push of a given length drives each mode.

    The pulse (1 - cos(2 pi t / T)) / T, 0 <= t <= T, is the contact force of K. van den Doel,
    P. G. Kry and D. K. Pai, "FoleyAutomatic", SIGGRAPH 2001; the magnitude of its Fourier
    transform is |sin(pi f T) / (pi f T (1 - (f T)**2))|, which is 1 at 0 and 1/2 at f T = 1.

    Args:
        frequencies: Hz, [M].
        contact_s: T in seconds; a hard striker has a short contact.

    Returns:
        float64 [M].
    """
    cycles = frequencies * contact_s
    _, sine = cosine_sine(0.5 * cycles)
    removable = np.abs(cycles - 1.0) < 1e-6
    safe = np.where(removable, 2.0, cycles)
    gains = np.abs(sine / (PI * safe * (1.0 - safe * safe)))
    # The zeros of the spectrum are filled a little: no real push is so regular.
    return np.asarray(np.where(removable, 0.5, gains) + 0.01, dtype=np.float64)


@dataclass(frozen=True)
class Blow:
    """One strike of an object, as far as it can be told without its sound.

    Attributes:
        contact_s: length of the push in seconds; a hard striker has a short contact.
        force: peak of the sound at one metre, 1 being full scale.
        start_s: seconds of silence before it.
        position: where the object is struck, as a share of its length.
        muffled: True if a hand damps the object.
        hand: decay rate that such a hand adds to every mode, in 1/s.
        distance: from the object to the microphone, in metres.
    """

    contact_s: float
    force: float
    start_s: float
    position: float
    muffled: bool
    hand: float
    distance: float


def _draw_blow(draws: Draws, recipe: _Recipe, place: str, settings: ImpactSettings) -> Blow:
    """Draw a strike: the first numbers of its stream, and its distance from one of its own."""
    contact_s = recipe.pulse_s * _exp(draws.uniform(-0.5, 0.5))  # From hard to soft strikers.
    force = 0.75 * _exp(draws.uniform(-1.4, 0.0))
    start_s = draws.uniform(0.01, 0.06)
    position = draws.uniform(0.08, 0.5)
    muffled = draws.uniform(0.0, 1.0) < _MUFFLED_SHARE * (settings.hard / HARD_SHARE)
    hand, distance = draws.uniform(20.0, 80.0), 1.0
    if settings.distance > 1.0:
        distance = Draws(f"open-impacts/distance/{place}").uniform(1.0, settings.distance)
    return Blow(contact_s, force, start_s, position, muffled, hand, distance)


def _modes_struck(thing: ImpactObject, blow: Blow) -> Array:
    """Ring the modes of an object that is struck.

    Returns:
        float64 [SAMPLES], peak 1.
    """
    _, shape = cosine_sine(0.5 * thing.shapes * blow.position)
    pulse = _pulse_gains(thing.frequencies, blow.contact_s)
    gains = thing.strengths * (np.abs(shape) + 0.05) * pulse
    decays = np.minimum(thing.decays + (blow.hand if blow.muffled else 0.0), _FASTEST_DECAY)
    tone = ringing(thing.frequencies, decays, gains, SAMPLE_RATE, SAMPLES)
    return np.asarray(tone / np.max(np.abs(tone)), dtype=np.float64)


def _contact_noise(draws: Draws, contact_s: float, rustle_s: float) -> Array:
    """Make the short rustle of the surfaces meeting: duller and longer for a soft striker.

    Returns:
        float64 [n], n under 1,000, peak 1.
    """
    length = int((rustle_s * draws.uniform(0.6, 1.4) + 4.0 * contact_s) * SAMPLE_RATE)
    fade = 1.0 - np.arange(length) / length
    width = 1 + int(0.5 * contact_s * SAMPLE_RATE)
    burst = smooth(draws.bells(length), width) * fade * fade
    return np.asarray(burst / np.max(np.abs(burst)), dtype=np.float64)


def _in_room(draws: Draws, dry: Array, distance: float, room_s: float | None) -> Array:
    """Add a sparse random reverberation.

    Single echoes of random sign stand for the dense tail (M. Karjalainen and H. Jarvelainen,
    "Reverberation modeling using velvet noise", AES 30th conference, 2007); their gains fall by
    60 dB over the room's reverberation time. The direct sound falls with the distance and the
    reverberation does not, so that echoes are as many times stronger against it.

    Args:
        draws: the strike's random numbers.
        dry: float64 [N].
        distance: in metres.
        room_s: reverberation time in seconds; None draws it.

    Returns:
        float64 [N], the direct sound as it was.
    """
    drawn = draws.uniform(0.08, 0.35)
    seconds = drawn if room_s is None else room_s
    level = draws.uniform(0.01, 0.08) * distance
    places = draws.uniforms(0.003, 0.6 * seconds, 24)
    signs = np.where(draws.uniforms(-1.0, 1.0, 24) < 0.0, -1.0, 1.0)
    gains = level * signs * exponential(-6.907755278982137 * places / seconds)
    wet = dry.copy()
    for place, gain in zip(places, gains, strict=True):
        delay = int(place * SAMPLE_RATE)
        wet[delay:] += gain * dry[:-delay]
    return wet


def _background(draws: Draws) -> Array:
    """Make a steady noise that is stronger at low frequencies, from -75 to -57 dB.

    Returns:
        float64 [SAMPLES], 1 being full scale.
    """
    white = draws.bells(SAMPLES)
    colour = draws.uniform(0.3, 1.0)
    coloured = (1.0 - colour) * white + 3.0 * colour * smooth(white, 16)
    level = _exp(draws.uniform(-8.6, -6.6))
    return np.asarray(level * coloured, dtype=np.float64)


def _strike(thing: ImpactObject, place: str, settings: ImpactSettings) -> Array:
    """Strike an object once.

    Args:
        thing: the object.
        place: number of the object and of the strike, as ``0012/03``.
        settings: of the corpus.

    Returns:
        float64 [SAMPLES] within -1 .. 1.
    """
    recipe, draws = _RECIPES[thing.sounds_like], Draws(f"open-impacts/strike/{place}")
    blow = _draw_blow(draws, recipe, place, settings)
    start = int(blow.start_s * SAMPLE_RATE)
    body = _modes_struck(thing, blow)
    noise = _contact_noise(draws, blow.contact_s, recipe.rustle_s)
    rough = recipe.contact * _exp(0.4 * draws.bell())
    body[: noise.size] += rough * noise
    dry = np.concatenate([np.zeros(start), body[: SAMPLES - start]])
    wet = _in_room(draws, dry, blow.distance, settings.room_s)
    level = blow.force / blow.distance
    return np.asarray(level * wet / np.max(np.abs(wet)) + _background(draws), dtype=np.float64)


def synthesise(sound_id: str, settings: ImpactSettings = ORIGINAL) -> NDArray[np.int16]:
    """Make one sound of the corpus.

    Args:
        sound_id: an id of ``sounds``, such as ``impact-0012-03`` (object 12, strike 3).
        settings: of the corpus.

    Returns:
        int16 [16000]: one second at 16 kHz, mono.

    Raises:
        KeyError: if the corpus has no such sound.
    """
    thing, place = _struck(sound_id, settings)
    signal = _strike(thing, place, settings)
    return np.rint(np.clip(signal, -1.0, 1.0) * 32767.0).astype(np.int16)


def blow(sound_id: str, settings: ImpactSettings = ORIGINAL) -> tuple[ImpactObject, Blow]:
    """Return what is struck for one sound of the corpus, and how.

    Raises:
        KeyError: if the corpus has no such sound.
    """
    thing, place = _struck(sound_id, settings)
    draws = Draws(f"open-impacts/strike/{place}")
    return thing, _draw_blow(draws, _RECIPES[thing.sounds_like], place, settings)


def difficulty(thing: ImpactObject, struck: Blow) -> str:
    """Return why a strike is hard to classify.

    Returns:
        ``misleading`` if its object sounds like another material, else ``muffled`` if a hand
        damps it, else ``plain``.
    """
    if thing.sounds_like != thing.material:
        return "misleading"
    return "muffled" if struck.muffled else "plain"


def _struck(sound_id: str, settings: ImpactSettings) -> tuple[ImpactObject, str]:
    """Return the object of a sound, and the place of its random numbers.

    Raises:
        KeyError: if the corpus has no such sound.
    """
    prefix, _, rest = sound_id.partition("-")
    number, _, strike = rest.partition("-")
    if prefix != "impact" or not (number.isdecimal() and strike.isdecimal()):
        raise KeyError(f"open-impacts has no sound {sound_id!r}")
    thing = impact_object(int(number), settings)
    in_range = int(strike) < _STRIKES["full"][thing.split]
    spelled = sound_id == _sound_id(int(number), int(strike))
    if not (in_range and spelled and thing.material in settings.materials):
        raise KeyError(f"open-impacts has no sound {sound_id!r}")
    return thing, f"{number}/{strike}"


def _sound_id(number: int, strike: int) -> str:
    return f"impact-{number:04d}-{strike:02d}"


def sounds(profile: Profile, settings: ImpactSettings = ORIGINAL) -> pd.DataFrame:
    """List the sounds of the corpus.

    Args:
        profile: ``full`` for all 6,720 sounds, ``quick`` for 2,040 of them: the first strikes
            of every object.
        settings: of the corpus; fewer materials have fewer sounds.

    Returns:
        One row a sound: id, object, material, split (train, validation or test), seconds.
    """
    rows = [
        (_sound_id(number, strike), f"object-{number:04d}", material, split, 1.0)
        for number, (split, material) in enumerate(_catalogue())
        if material in settings.materials
        for strike in range(_STRIKES[profile][split])
    ]
    return pd.DataFrame(rows, columns=["id", "object", "material", "split", "seconds"])
