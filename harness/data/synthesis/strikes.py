"""One strike of an object of ``open-impacts``: the blow, what rings, the room and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.data.synthesis.arithmetic import (
    PI,
    Array,
    Draws,
    cosine_sine,
    exponential,
    exponential_of,
    ringing,
    smooth,
)
from harness.data.synthesis.impact_settings import HARD_SHARE, ImpactSettings
from harness.data.synthesis.struck_objects import (
    FASTEST_DECAY,
    RECIPES,
    ImpactObject,
    Material,
)

SAMPLE_RATE: Final = 16_000
SAMPLES: Final = 16_000

_MUFFLED_SHARE: Final = 0.06


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


def _draw_blow(draws: Draws, recipe: Material, place: str, settings: ImpactSettings) -> Blow:
    """Draw a strike: the first numbers of its stream, and its distance from one of its own."""
    contact_s = recipe.pulse_s * exponential_of(
        draws.uniform(-0.5, 0.5)
    )  # From hard to soft strikers.
    force = 0.75 * exponential_of(draws.uniform(-1.4, 0.0))
    start_s = draws.uniform(0.01, 0.06)
    position = draws.uniform(0.08, 0.5)
    muffled = draws.uniform(0.0, 1.0) < _MUFFLED_SHARE * (settings.hard / HARD_SHARE)
    hand, distance = draws.uniform(20.0, 80.0), 1.0
    if settings.distance > 1.0:
        distance = Draws(f"open-impacts/distance/{place}").uniform(1.0, settings.distance)
    return Blow(contact_s, force, start_s, position, muffled, hand, distance)


def blow_on(thing: ImpactObject, place: str, settings: ImpactSettings) -> Blow:
    """Return how an object is struck at a place, as `strike` strikes it."""
    draws = Draws(f"open-impacts/strike/{place}")
    return _draw_blow(draws, RECIPES[thing.sounds_like], place, settings)


def _modes_struck(thing: ImpactObject, blow: Blow) -> Array:
    """Ring the modes of an object that is struck.

    Returns:
        float64 [SAMPLES], peak 1.
    """
    _, shape = cosine_sine(0.5 * thing.shapes * blow.position)
    pulse = _pulse_gains(thing.frequencies, blow.contact_s)
    gains = thing.strengths * (np.abs(shape) + 0.05) * pulse
    decays = np.minimum(thing.decays + (blow.hand if blow.muffled else 0.0), FASTEST_DECAY)
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
    level = exponential_of(draws.uniform(-8.6, -6.6))
    return np.asarray(level * coloured, dtype=np.float64)


def strike(thing: ImpactObject, place: str, settings: ImpactSettings) -> Array:
    """Strike an object once.

    Args:
        thing: the object.
        place: number of the object and of the strike, as ``0012/03``.
        settings: of the corpus.

    Returns:
        float64 [SAMPLES] within -1 .. 1.
    """
    recipe, draws = RECIPES[thing.sounds_like], Draws(f"open-impacts/strike/{place}")
    blow = _draw_blow(draws, recipe, place, settings)
    start = int(blow.start_s * SAMPLE_RATE)
    body = _modes_struck(thing, blow)
    noise = _contact_noise(draws, blow.contact_s, recipe.rustle_s)
    rough = recipe.contact * exponential_of(0.4 * draws.bell())
    body[: noise.size] += rough * noise
    dry = np.concatenate([np.zeros(start), body[: SAMPLES - start]])
    wet = _in_room(draws, dry, blow.distance, settings.room_s)
    level = blow.force / blow.distance
    return np.asarray(level * wet / np.max(np.abs(wet)) + _background(draws), dtype=np.float64)
