"""The whole chain from an identifier to samples, and the public interface of the corpus."""

import numpy as np
from numpy.typing import NDArray

from harness.data.synthesis.frames import at_samples, cut, overlapped, spectra
from harness.data.synthesis.glottis import glottal_source
from harness.data.synthesis.layout import CORPUS, SAMPLE_RATE, utterance, utterances
from harness.data.synthesis.portable import Array, gain
from harness.data.synthesis.prosody import Tracks, tracks
from harness.data.synthesis.seeds import generator, normal, white
from harness.data.synthesis.session import Session, recorded, session_of
from harness.data.synthesis.syllables import spoken
from harness.data.synthesis.tract import articulated, frication
from harness.data.synthesis.trials import trials
from harness.data.synthesis.voice import Voice, voice_of

__all__ = ["SAMPLE_RATE", "synthesise", "trials", "utterances"]

_FULL_SCALE = 32_767


def synthesise(utterance_id: str) -> NDArray[np.int16]:
    """Return the samples [samples] of an utterance at 16 kHz, the same bytes each time.

    Raises:
        KeyError: If the corpus has no such utterance.
    """
    entry = utterance(utterance_id)
    rng = generator(f"{CORPUS}/utterance/{utterance_id}")
    voice, session = voice_of(entry.speaker), session_of(entry.session)
    dry = _speech(rng, voice, session, round(entry.seconds * SAMPLE_RATE))
    return _quantised(recorded(rng, session, dry))


def _speech(rng: np.random.Generator, voice: Voice, session: Session, samples: int) -> Array:
    """Return speech [samples] at the lips."""
    mood = normal(rng, 3)
    rate = voice.rate * session.rate * gain(0.5 * float(mood[0]))
    said = spoken(rng, voice, rate, samples / SAMPLE_RATE)
    moving = tracks(rng, voice, said, session.pitch + 0.5 * float(mood[1]), samples)
    effort = session.effort * gain(1.0 * float(mood[2]))
    return _filtered(rng, voice, moving, effort, samples)


def _filtered(
    rng: np.random.Generator, voice: Voice, moving: Tracks, effort: float, samples: int
) -> Array:
    """Return the sources [samples], each through its filter."""
    source = glottal_source(rng, voice, moving, effort, samples)
    total = articulated(voice, moving, spectra(cut(source)))
    hiss = white(rng, samples) * at_samples(moving.frication, samples)
    heard = np.flatnonzero(moving.frication > 0.0)
    total[heard] += spectra(cut(hiss)[heard]) * frication(voice, moving.colour[heard])
    return overlapped(total, samples)


def _quantised(signal: Array) -> NDArray[np.int16]:
    """Return a signal of full scale 1 as int16; the only rounding in the chain."""
    return np.rint(signal * _FULL_SCALE).clip(-_FULL_SCALE, _FULL_SCALE).astype(np.int16)
