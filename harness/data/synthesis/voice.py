"""What is fixed for a speaker: anatomy and habits."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.data.synthesis.layout import CORPUS, Gender, gender_of
from harness.data.synthesis.phones import VOWELS
from harness.data.synthesis.portable import Array, factor, gain, semitones
from harness.data.synthesis.seeds import between, generator, normal

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
