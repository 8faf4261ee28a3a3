"""How it is said: pitch and articulation as tracks with one value a frame."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthesis.frames import HOP, frame_count, smoothed
from harness.data.synthesis.layout import SAMPLE_RATE
from harness.data.synthesis.phones import Segment
from harness.data.synthesis.portable import Array, IntArray, semitones
from harness.data.synthesis.seeds import normal
from harness.data.synthesis.syllables import Spoken
from harness.data.synthesis.voice import Voice

_PITCH_REACH = 7
_ACCENT = 3.5
_DRIFT = 1.5
_ARTICULATION_REACH = 5.0
_LOUDNESS_FALL = 0.35
_LEAST_PITCH, _MOST_PITCH = 55.0, 480.0


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
    place = _places(said, frame_count(samples))
    pitch, loudness = _pitch(rng, voice, said, interval), _loudness(rng, said)
    voicing, aspiration, frication, nasality = _amplitudes(said, loudness)[place].T
    return Tracks(
        pitch=_moving_pitch(rng, pitch[place]),
        formants=smoothed(_targets(rng, voice, said)[place], _reach(voice)),
        voicing=smoothed(voicing, 1),
        aspiration=smoothed(aspiration, 1),
        frication=frication,
        colour=_colours(said)[place],
        nasality=smoothed(nasality, 2),
    )


def _places(said: list[Spoken], frames: int) -> IntArray:
    """Return which segment each frame lies in [frames]."""
    ends = np.cumsum([part.seconds for part in said])
    times = np.arange(frames) * (HOP / SAMPLE_RATE)
    return np.searchsorted(ends, times, side="right").clip(0, len(said) - 1).astype(np.int64)


def _reach(voice: Voice) -> int:
    """Return the frames over which a speaker's articulation moves from target to target."""
    return max(2, round(_ARTICULATION_REACH / voice.clarity))


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
    drift = smoothed(_DRIFT * normal(rng, len(targets)), _PITCH_REACH)
    pitch = smoothed(targets, _PITCH_REACH) * semitones(drift)
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


def _colours(said: list[Spoken]) -> IntArray:
    return np.array([part.segment.colour for part in said], dtype=np.int64)


def _targets(rng: np.random.Generator, voice: Voice, said: list[Spoken]) -> Array:
    """Return formant targets [segments, 3] in Hz, consonants drawn to the vowel that is near."""
    own = np.array([_own(voice, part.segment) for part in said])
    own *= semitones(0.5 * normal(rng, len(said), 3))
    firm = np.array([part.segment.firmness for part in said])[:, np.newaxis]
    drawn = firm * own + (1.0 - firm) * own[_near_vowels(said)]
    return np.asarray(drawn, dtype=np.float64)


def _own(voice: Voice, segment: Segment) -> Array:
    """Return the formants [3] in Hz at which this speaker aims."""
    factors = voice.formants[segment.habit] if segment.habit >= 0 else voice.scale
    return np.asarray(np.array(segment.formants) * factors, dtype=np.float64)


def _near_vowels(said: list[Spoken]) -> IntArray:
    """Return for each segment the place of the next vowel [segments], or of the last."""
    vowels = np.flatnonzero([part.segment.habit >= 0 for part in said])
    nearest = np.searchsorted(vowels, np.arange(len(said))).clip(0, len(vowels) - 1)
    return np.asarray(vowels[nearest], dtype=np.int64)
