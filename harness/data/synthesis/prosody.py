"""The content of an utterance: random syllables as timed segments, pitch and articulation.

Syllables, phrases and pauses are drawn first; they become tracks with one value a frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.data.synthesis.arithmetic import Array, IntArray, between, normal, semitones
from harness.data.synthesis.catalogue import SAMPLE_RATE
from harness.data.synthesis.frame_filter import HOP, frame_count, smooth_track
from harness.data.synthesis.voice import CODAS, CONSONANTS, SILENCE, VOWELS, Segment, Voice

_ONSET = 0.88
_DIPHTHONG = 0.35
_SHORTEST_PHRASE, _LONGEST_PHRASE = 3, 9
_SHORTEST_TAIL = 0.06
_PITCH_REACH = 7
_ACCENT = 3.5
_DRIFT = 1.5
_ARTICULATION_REACH = 5.0
_LOUDNESS_FALL = 0.35
_LEAST_PITCH, _MOST_PITCH = 55.0, 480.0


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


def speak(rng: np.random.Generator, voice: Voice, rate: float, seconds: float) -> list[Spoken]:
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


@dataclass(frozen=True)
class Tracks:
    """The parameters of an utterance, one row a frame.

    Attributes:
        pitch: Fundamental frequency [frames] in Hz.
        formants: F1, F2 and F3 [frames, 3] in Hz.
        voicing: Amplitude of glottal pulses [frames].
        aspiration: Amplitude of noise at the glottis [frames].
        frication: Amplitude of noise at the constriction [frames].
        colour: Spectrum of the frication [frames], a place in ``phones.COLOURS``.
        nasality: Opening of the velum [frames], 0 to 1.
    """

    pitch: Array
    formants: Array
    voicing: Array
    aspiration: Array
    frication: Array
    colour: IntArray
    nasality: Array


def tracks(
    rng: np.random.Generator, voice: Voice, said: list[Spoken], interval: float, samples: int
) -> Tracks:
    """Return the tracks of an utterance.

    Args:
        rng: Random generator of the utterance.
        voice: The speaker.
        said: Timed segments.
        interval: Semitones by which the pitch of this utterance is off the speaker's mean.
        samples: Length of the utterance in samples.
    """
    # The segment that each frame lies in.
    ends = np.cumsum([part.seconds for part in said])
    moments = np.arange(frame_count(samples)) * (HOP / SAMPLE_RATE)
    place = np.searchsorted(ends, moments, side="right").clip(0, len(said) - 1).astype(np.int64)
    pitch, loudness = _pitch(rng, voice, said, interval), _loudness(rng, said)
    voicing, aspiration, frication, nasality = _amplitudes(said, loudness)[place].T
    colours = np.array([part.segment.colour for part in said], dtype=np.int64)
    # The frames over which the speaker's articulation moves from target to target.
    reach = max(2, round(_ARTICULATION_REACH / voice.clarity))
    return Tracks(
        pitch=_moving_pitch(rng, pitch[place]),
        formants=smooth_track(_targets(rng, voice, said)[place], reach),
        voicing=smooth_track(voicing, 1),
        aspiration=smooth_track(aspiration, 1),
        frication=frication,
        colour=colours[place],
        nasality=smooth_track(nasality, 2),
    )


def _pitch(rng: np.random.Generator, voice: Voice, said: list[Spoken], interval: float) -> Array:
    """Return the pitch target of each segment [segments] in Hz: a falling line with accents."""
    place = np.array([part.place for part in said])
    syllable = np.array([part.syllable for part in said])
    count = int(syllable.max()) + 2
    accented = rng.random(count) < voice.melody
    accents = accented * _ACCENT * (1.0 + 0.4 * normal(rng, count)) + 0.5 * normal(rng, count)
    line = interval + voice.decline * (0.5 - place)
    interval_track = line + voice.span * accents[syllable]
    return np.asarray(voice.pitch * semitones(interval_track), dtype=np.float64)


def _moving_pitch(rng: np.random.Generator, targets: Array) -> Array:
    """Return the pitch [frames] in Hz that glides between targets [frames] and never rests."""
    drift = smooth_track(_DRIFT * normal(rng, len(targets)), _PITCH_REACH)
    pitch = smooth_track(targets, _PITCH_REACH) * semitones(drift)
    return np.asarray(pitch.clip(_LEAST_PITCH, _MOST_PITCH), dtype=np.float64)


def _loudness(rng: np.random.Generator, said: list[Spoken]) -> Array:
    """Return the loudness of each segment [segments]: falling in a phrase, uneven by syllable."""
    syllable = np.array([part.syllable for part in said])
    own = 1.0 + 0.18 * normal(rng, int(syllable.max()) + 2).clip(-2.0, 2.0)
    fall = 1.0 - _LOUDNESS_FALL * np.array([part.place for part in said])
    return np.asarray(fall * own[syllable], dtype=np.float64)


def _amplitudes(said: list[Spoken], loudness: Array) -> Array:
    """Return voicing, aspiration, frication and nasality of each segment [segments, 4]."""
    parts = [part.segment for part in said]
    rows = [(p.voicing, p.aspiration, p.frication, p.nasality) for p in parts]
    return np.array(rows) * np.stack([loudness, loudness, loudness, np.ones(len(said))], axis=1)


def _targets(rng: np.random.Generator, voice: Voice, said: list[Spoken]) -> Array:
    """Return formant targets [segments, 3] in Hz, consonants drawn to the vowel that is near."""
    habits = [part.segment.habit for part in said]
    factors = [voice.formants[habit] if habit >= 0 else voice.scale for habit in habits]
    own = np.array(
        [np.array(part.segment.formants) * by for part, by in zip(said, factors, strict=True)]
    )
    own *= semitones(0.5 * normal(rng, len(said), 3))
    firm = np.array([part.segment.firmness for part in said])[:, np.newaxis]
    # The next vowel of each segment, or the last one.
    vowels = np.flatnonzero(np.array(habits) >= 0)
    near = vowels[np.searchsorted(vowels, np.arange(len(said))).clip(0, len(vowels) - 1)]
    return np.asarray(firm * own + (1.0 - firm) * own[near], dtype=np.float64)
