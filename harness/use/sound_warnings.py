"""Stated rules by which a sound is warned of, by itself and against the training's sounds."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from harness.data.corpus import SAMPLE_RATE
from harness.use.sound_facts import SoundFacts
from harness.use.training_sounds import TrainingSounds

LEAST_SPEECH = 1.0
"""Seconds of speech: below, errors rise steeply with every system."""

SILENT = -60.0
"""dBFS of the loud frames: some 30 steps of 16 bits."""

LEAST_RANGE = 20.0
"""dB between loud frames and quiet ones, where 99 % of training is not known to have had less; of
150 utterances of speechocean762 the least had 25."""

MOST_CLIPPED = 0.001
"""Share of samples; of 150 utterances of speechocean762 none had any."""

LEAST_HIGH = -50.0
"""dB of energy above 5 kHz; of sound that was recorded at 8 kHz it is below -55."""

CHANNELS_ALIKE = 0.9
"""Correlation of channels, below which their mean is another sound than each."""

LEVEL_APART = 6.0
"""dB beyond the training's levels."""

_NOISY = "{:.0f} dB between its loud and its quiet frames, below {:.0f}"


class SoundWarning(BaseModel):
    """Why a decision on a sound is less sure than its score says.

    Attributes:
        rule: short, silent, noisy, clipped, narrow-band, channels, duration, loudness, speakers.
        text: with the measured number and the rule's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    text: str


def warnings_of(facts: SoundFacts, training: TrainingSounds | None) -> list[SoundWarning]:
    """Return what is unusual about a sound.

    Args:
        facts: of the sound.
        training: the training's sounds; None if nothing is known of them.
    """
    least_range = training.range_db.low if training else LEAST_RANGE
    found = [*_by_itself(facts)]
    if facts.range_db < least_range:
        found.append(("noisy", _NOISY.format(facts.range_db, least_range)))
    if training is not None:
        found += _against(facts, training)
    return [SoundWarning(rule=rule, text=text) for rule, text in found]


def _by_itself(facts: SoundFacts) -> Iterator[tuple[str, str]]:
    if facts.level_db < SILENT:
        yield "silent", f"speech at {facts.level_db:.0f} dBFS, below {SILENT:.0f}"
    if facts.speech_seconds < LEAST_SPEECH:
        yield "short", f"{facts.speech_seconds:.2f} s of speech, below {LEAST_SPEECH:g} s"
    if facts.clipped > MOST_CLIPPED:
        yield (
            "clipped",
            f"{100 * facts.clipped:.1f} % of the samples stay at the peak, above "
            f"{100 * MOST_CLIPPED:g} %",
        )
    if facts.rate < SAMPLE_RATE:
        yield (
            "narrow-band",
            f"{facts.rate} Hz: nothing above {facts.rate // 2} Hz, where {SAMPLE_RATE} Hz are "
            "trained on",
        )
    elif facts.high_db < LEAST_HIGH and facts.speech_seconds > 0:
        yield (
            "narrow-band",
            f"energy above 5 kHz is {facts.high_db:.0f} dB of all of it, below {LEAST_HIGH:.0f}: "
            "recorded at a lower rate, or by telephone",
        )
    if facts.channels_alike < CHANNELS_ALIKE:
        yield (
            "channels",
            f"{facts.channels} channels that differ (correlation {facts.channels_alike:.2f}, below "
            f"{CHANNELS_ALIKE:g}), of which the mean is taken: perhaps a speaker on each",
        )


def _against(facts: SoundFacts, training: TrainingSounds) -> Iterator[tuple[str, str]]:
    lengths, levels = training.seconds, training.level_db
    if not lengths.low <= facts.seconds <= lengths.high:
        yield (
            "duration",
            f"lasts {facts.seconds:.2f} s; training had {lengths.low:.2f} to {lengths.high:.2f} s",
        )
    if not levels.low - LEVEL_APART <= facts.level_db <= levels.high + LEVEL_APART:
        yield (
            "loudness",
            f"speech at {facts.level_db:.0f} dBFS; training had {levels.low:.0f} to "
            f"{levels.high:.0f}, and {LEVEL_APART:g} dB are allowed",
        )
