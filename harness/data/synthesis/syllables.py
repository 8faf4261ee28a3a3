"""What is said: a random string of syllables, phrases and pauses, with timed segments."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from harness.data.synthesis.phones import CODAS, CONSONANTS, SILENCE, VOWELS, Segment
from harness.data.synthesis.seeds import between
from harness.data.synthesis.voice import Voice

_ONSET = 0.88
_DIPHTHONG = 0.35
_SHORTEST_PHRASE, _LONGEST_PHRASE = 3, 9
_SHORTEST_TAIL = 0.06


class Spoken(NamedTuple):
    """A segment in its place.

    Attributes:
        segment: What is articulated.
        seconds: How long.
        syllable: Number of the syllable in the utterance; -1 in a pause.
        phrase: Number of the phrase in the utterance.
        place: Place of the syllable in its phrase, from 0 (first) to 1 (last).
    """

    segment: Segment
    seconds: float
    syllable: int
    phrase: int
    place: float


def spoken(rng: np.random.Generator, voice: Voice, rate: float, seconds: float) -> list[Spoken]:
    """Return segments that fill a time exactly, with a pause at both ends.

    Args:
        rng: Random generator of the utterance.
        voice: The speaker.
        rate: Speech rate of this utterance, relative to the usual.
        seconds: Total time.
    """
    said = [_pause(between(rng, 0.05, 0.2), 0)]
    left = seconds - said[0].seconds
    for item in _endless(rng, voice, rate):
        length = sum(part.seconds for part in item)
        if length > left - _SHORTEST_TAIL:
            break
        said.extend(item)
        left -= length
    return [*said, _pause(left, said[-1].phrase)]


def _pause(seconds: float, phrase: int) -> Spoken:
    return Spoken(SILENCE, seconds, -1, phrase, 0.0)


def _endless(rng: np.random.Generator, voice: Voice, rate: float) -> Iterator[list[Spoken]]:
    """Yield syllables and pauses without end."""
    syllable = phrase = 0
    while True:
        count = int(rng.integers(_SHORTEST_PHRASE, _LONGEST_PHRASE + 1))
        for number in range(count):
            place = number / (count - 1)
            segments = _syllable(rng, voice)
            times = [_time(rng, part, rate, number == count - 1) for part in segments]
            pairs = zip(segments, times, strict=True)
            yield [Spoken(part, time, syllable, phrase, place) for part, time in pairs]
            syllable += 1
        yield [_pause(between(rng, 0.12, 0.40) / rate, phrase)]
        phrase += 1


def _syllable(rng: np.random.Generator, voice: Voice) -> list[Segment]:
    """Return the segments of a syllable: usually a consonant, a vowel, at times a consonant."""
    onset = CONSONANTS[int(rng.integers(len(CONSONANTS)))] if rng.random() < _ONSET else ()
    nucleus = _nucleus(rng)
    closed = rng.random() < voice.coda
    coda = CONSONANTS[CODAS[int(rng.integers(len(CODAS)))]] if closed else ()
    return [*onset, *nucleus, *coda]


def _nucleus(rng: np.random.Generator) -> list[Segment]:
    """Return a vowel, or two shorter ones: a diphthong."""
    vowels = [VOWELS[int(place)] for place in rng.integers(len(VOWELS), size=2)]
    if rng.random() > _DIPHTHONG:
        return vowels[:1]
    return [vowel._replace(milliseconds=0.65 * vowel.milliseconds) for vowel in vowels]


def _time(rng: np.random.Generator, segment: Segment, rate: float, last: bool) -> float:
    """Return a duration in seconds; vowels vary most and are long at the end of a phrase."""
    vowel = segment.habit >= 0
    stretch = between(rng, 0.6, 1.5) if vowel else between(rng, 0.8, 1.25)
    return segment.milliseconds / 1_000.0 * stretch / rate * (1.4 if vowel and last else 1.0)
