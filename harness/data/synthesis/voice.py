"""The sounds of the invented language, and the voices that make them.

Vowel formants are those of Peterson & Barney (1952), "Control methods used in a study of the
vowels", table II (men). Consonant targets follow Klatt (1980), table III, and the loci of
Delattre, Liberman & Cooper (1955), rounded. A voice is all that is fixed for a speaker: anatomy
and habits.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from harness.data.synthesis.arithmetic import (
    Array,
    between,
    factor,
    gain,
    generator,
    normal,
    semitones,
)
from harness.data.synthesis.catalogue import CORPUS, Gender, gender_of

_Formants = tuple[float, float, float]


class Colour(NamedTuple):
    """A spectrum of frication: one broad peak over a flat floor.

    Attributes:
        centre: Frequency of the peak in Hz.
        width: Bandwidth of the peak in Hz.
        floor: Amplitude of the flat part, relative to the peak.
    """

    centre: float
    width: float
    floor: float


class Segment(NamedTuple):
    """A stretch of speech with one target for each of the articulatory parameters.

    Attributes:
        formants: F1, F2 and F3 in Hz.
        firmness: Share of the target that is kept beside a vowel; the rest is coarticulated.
        voicing: Amplitude of the glottal pulses (1 is a vowel).
        aspiration: Amplitude of noise at the glottis, beside the breathiness of the voice.
        frication: Amplitude of noise at a constriction.
        colour: Place in ``COLOURS`` of the frication.
        nasality: 0 (velum closed) to 1 (open).
        milliseconds: Usual duration.
        habit: Place in the list of vowels, for speakers differ vowel by vowel; -1 otherwise.
    """

    formants: _Formants
    firmness: float
    voicing: float
    aspiration: float
    frication: float
    colour: int
    nasality: float
    milliseconds: float
    habit: int = -1


COLOURS = (
    Colour(1_000.0, 1_200.0, 0.10),  # p b
    Colour(4_200.0, 2_400.0, 0.15),  # t d
    Colour(2_100.0, 1_000.0, 0.10),  # k g
    Colour(7_000.0, 7_000.0, 0.50),  # f v
    Colour(5_800.0, 1_900.0, 0.05),  # s z
    Colour(3_000.0, 1_300.0, 0.08),  # sh
    Colour(1_500.0, 1_500.0, 0.20),  # h, beside the aspiration
)

_VOWEL_FORMANTS: tuple[_Formants, ...] = (
    (270.0, 2_290.0, 3_010.0),  # heed
    (390.0, 1_990.0, 2_550.0),  # hid
    (530.0, 1_840.0, 2_480.0),  # head
    (660.0, 1_720.0, 2_410.0),  # had
    (730.0, 1_090.0, 2_440.0),  # hod
    (570.0, 840.0, 2_410.0),  # hawed
    (440.0, 1_020.0, 2_240.0),  # hood
    (300.0, 870.0, 2_240.0),  # who'd
    (640.0, 1_190.0, 2_390.0),  # hud
    (490.0, 1_350.0, 1_690.0),  # heard
)

VOWELS = tuple(
    Segment(formants, 1.0, 1.0, 0.0, 0.0, 0, 0.0, 130.0, habit)
    for habit, formants in enumerate(_VOWEL_FORMANTS)
)

_LIPS = (250.0, 900.0, 2_200.0)
_TEETH = (250.0, 1_750.0, 2_650.0)
_VELUM = (250.0, 1_900.0, 2_300.0)


def _stop(place: _Formants, colour: int, burst: float) -> tuple[Segment, ...]:
    return (
        Segment(place, 0.6, 0.0, 0.0, 0.0, colour, 0.0, 70.0),
        Segment(place, 0.6, 0.0, 0.2, burst, colour, 0.0, 16.0),
        Segment(place, 0.3, 0.0, 0.35, 0.03, colour, 0.0, 40.0),
    )


def _stop_voiced(place: _Formants, colour: int, burst: float) -> tuple[Segment, ...]:
    return (
        Segment(place, 0.6, 0.12, 0.0, 0.0, colour, 0.0, 60.0),
        Segment(place, 0.6, 0.25, 0.1, burst, colour, 0.0, 12.0),
    )


def _hiss(place: _Formants, colour: int, level: float, voicing: float) -> tuple[Segment, ...]:
    duration = 70.0 if voicing else 110.0
    return (Segment(place, 0.6, voicing, 0.02, level, colour, 0.0, duration),)


def _nasal(place: _Formants) -> tuple[Segment, ...]:
    return (Segment(place, 0.7, 0.5, 0.0, 0.0, 0, 1.0, 75.0),)


def _glide(place: _Formants) -> tuple[Segment, ...]:
    return (Segment(place, 0.8, 0.7, 0.0, 0.0, 0, 0.0, 70.0),)


CONSONANTS: tuple[tuple[Segment, ...], ...] = (
    _stop(_LIPS, 0, 0.20),
    _stop(_TEETH, 1, 0.40),
    _stop(_VELUM, 2, 0.40),
    _stop_voiced(_LIPS, 0, 0.12),
    _stop_voiced(_TEETH, 1, 0.25),
    _stop_voiced(_VELUM, 2, 0.25),
    _hiss(_LIPS, 3, 0.09, 0.0),
    _hiss(_LIPS, 3, 0.06, 0.35),
    _hiss(_TEETH, 4, 0.30, 0.0),
    _hiss(_TEETH, 4, 0.18, 0.35),
    _hiss(_VELUM, 5, 0.32, 0.0),
    (Segment((500.0, 1_500.0, 2_500.0), 0.1, 0.0, 0.45, 0.02, 6, 0.0, 60.0),),
    _nasal(_LIPS),
    _nasal(_TEETH),
    _nasal(_VELUM),
    _glide((310.0, 1_050.0, 2_880.0)),
    _glide((310.0, 1_060.0, 1_380.0)),
    _glide((290.0, 610.0, 2_150.0)),
    _glide((260.0, 2_070.0, 3_020.0)),
)

CODAS = (8, 10, 12, 13, 14, 15, 16, 0, 1, 2)
"""Places in ``CONSONANTS`` of those that may also end a syllable."""

SILENCE = Segment((500.0, 1_500.0, 2_500.0), 0.0, 0.0, 0.0, 0.0, 0, 0.0, 250.0)

# Mean pitch (Hz), tract length relative to the men of the table, open quotient, breath (dB).
_TYPICAL: dict[Gender, tuple[float, float, float, float]] = {
    "f": (200.0, 0.865, 0.66, -26.0),
    "m": (118.0, 1.0, 0.56, -30.0),
}
_LOWEST_UPPER, _HIGHEST_UPPER, _UPPER = 3_500.0, 9_500.0, 7


@dataclass(frozen=True)
class Voice:
    """A speaker.

    Attributes:
        pitch: Mean fundamental frequency in Hz.
        span: Size of pitch movements, relative to the usual.
        decline: Fall of the pitch over a phrase in semitones.
        formants: Factors [vowels, 3] by which F1, F2 and F3 differ from the table of phones.
        scale: Factor of all formants of consonants: the inverse of the tract's length.
        upper: Frequencies [7] of F4 and above in Hz.
        width: Factor of all bandwidths.
        dips: Frequencies [2] in Hz of the zeros of the piriform fossae (Dang & Honda 1997).
        nasal: Frequencies [2] of the nasal pole and zero in Hz.
        tilt: Corner frequency of the spectral tilt of the voice in Hz.
        open_quotient: Share of the period in which the glottis is open.
        breath: Amplitude of the noise of the open glottis.
        jitter: Standard deviation of the period, relative.
        shimmer: Standard deviation of the amplitude of a period, relative.
        rate: Speech rate relative to the usual.
        clarity: Speed at which articulation moves to its targets, relative to the usual.
        sibilance: Factor of the frequencies of frication.
        hiss: Factor of the amplitude of frication.
        melody: Probability that a syllable is accented.
        coda: Probability that a syllable is closed.
    """

    pitch: float
    span: float
    decline: float
    formants: Array
    scale: float
    upper: Array
    width: float
    dips: Array
    nasal: Array
    tilt: float
    open_quotient: float
    breath: float
    jitter: float
    shimmer: float
    rate: float
    clarity: float
    sibilance: float
    hiss: float
    melody: float
    coda: float


@lru_cache(maxsize=512)
def voice_of(speaker: str) -> Voice:
    """Return the voice of a speaker such as ``spk0123``."""
    rng = generator(f"{CORPUS}/speaker/{speaker[3:]}")
    pitch, length, quotient, breath = _TYPICAL[gender_of(speaker)]
    scale = factor(1.0 * _draw(rng)) / length
    return Voice(
        pitch=pitch * factor(2.6 * _draw(rng)),
        span=gain(3.0 * _draw(rng)),
        decline=between(rng, 1.5, 6.0),
        formants=_formants(rng, scale),
        scale=scale,
        upper=_upper(rng, scale),
        width=gain(3.0 * _draw(rng)),
        dips=np.array([4_300.0, 5_400.0]) * scale * semitones(1.2 * normal(rng, 2)),
        nasal=np.array([270.0, 900.0]) * semitones(1.2 * normal(rng, 2)),
        tilt=2_200.0 * factor(7.0 * _draw(rng)),
        open_quotient=quotient + 0.06 * _draw(rng),
        breath=gain(breath + 4.0 * _draw(rng)),
        jitter=0.006 * gain(5.0 * _draw(rng)),
        shimmer=0.04 * gain(4.0 * _draw(rng)),
        rate=gain(1.6 * _draw(rng)),
        clarity=between(rng, 0.7, 1.4),
        sibilance=factor(2.0 * _draw(rng)),
        hiss=gain(2.5 * _draw(rng)),
        melody=between(rng, 0.15, 0.55),
        coda=between(rng, 0.05, 0.5),
    )


def _draw(rng: np.random.Generator) -> float:
    """Return one normal draw within two standard deviations: nobody is a caricature."""
    return float(np.clip(normal(rng, 1)[0], -2.0, 2.0))


def _formants(rng: np.random.Generator, scale: float) -> Array:
    """Return factors [vowels, 3]: the tract, a habit for each formant and one for each vowel."""
    common = 1.0 * normal(rng, 1, 3)
    own = 1.1 * normal(rng, len(VOWELS), 3)
    return scale * semitones(common + own)


def _upper(rng: np.random.Generator, scale: float) -> Array:
    """Return F4 and above [7] in Hz: nearly evenly spaced, the place of each the speaker's own."""
    even = np.linspace(_LOWEST_UPPER, _HIGHEST_UPPER, _UPPER)
    return even * scale * semitones(1.1 * normal(rng, _UPPER))
