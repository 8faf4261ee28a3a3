"""The whole chain from an identifier to samples, and the public interface of ``open-26666``."""

import numpy as np
from numpy.typing import NDArray

from harness.data.synthesis.arithmetic import gain, generator, normal, white
from harness.data.synthesis.catalogue import CORPUS, SAMPLE_RATE, trials, utterance, utterances
from harness.data.synthesis.frame_filter import at_samples, cut, overlap_add, spectra
from harness.data.synthesis.prosody import speak, tracks
from harness.data.synthesis.recording import record, session_of
from harness.data.synthesis.vocal_tract import articulate, frication, glottal_source
from harness.data.synthesis.voice import voice_of

__all__ = ["SAMPLE_RATE", "synthesise", "trials", "utterances"]

_FULL_SCALE = 32_767


def synthesise(utterance_id: str) -> NDArray[np.int16]:
    """Return the samples [samples] of an utterance at 16 kHz, the same bytes each time.

    Raises:
        KeyError: If the corpus has no such utterance.
    """
    entry = utterance(utterance_id)
    samples = round(entry.seconds * SAMPLE_RATE)
    rng = generator(f"{CORPUS}/utterance/{utterance_id}")
    voice, session = voice_of(entry.speaker), session_of(entry.session)
    mood = normal(rng, 3)
    rate = voice.rate * session.rate * gain(0.5 * float(mood[0]))
    said = speak(rng, voice, rate, samples / SAMPLE_RATE)
    moving = tracks(rng, voice, said, session.pitch + 0.5 * float(mood[1]), samples)
    effort = session.effort * gain(1.0 * float(mood[2]))
    # Speech at the lips: the two sources, each through its filter.
    source = glottal_source(rng, voice, moving, effort, samples)
    total = articulate(voice, moving, spectra(cut(source)))
    hiss = white(rng, samples) * at_samples(moving.frication, samples)
    heard = np.flatnonzero(moving.frication > 0.0)
    total[heard] += spectra(cut(hiss)[heard]) * frication(voice, moving.colour[heard])
    signal = record(rng, session, overlap_add(total, samples))
    # The only rounding in the chain.
    return np.rint(signal * _FULL_SCALE).clip(-_FULL_SCALE, _FULL_SCALE).astype(np.int16)
