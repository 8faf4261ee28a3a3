"""A population of speakers and of systems: embeddings whose cosines are the scores.

An utterance's embedding is its speaker's vector, plus its session's, plus noise. The noise is
larger for some speakers than for others, so target scores differ between speakers in mean and in
spread; two speakers' vectors are more or less alike, so the nontarget scores of a pair differ
together. Systems share a part of all this: the same speakers are hard for both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from docs.simulation.lists import TrialList

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Population:
    """What speakers and systems are drawn from; a speaker's vector has variance 1 a dimension.

    Attributes:
        dimensions: of an embedding; the fewer, the more alike are two speakers.
        session: standard deviation of a session's vector.
        noise: that of an utterance's noise, for the median speaker.
        hardness: that of the logarithm of a speaker's noise.
        shared: which part of every variance all systems have in common.
        seeds: standard deviation, over trainings, of the logarithm of a system's noise.
    """

    dimensions: int = 24
    session: float = 0.4
    noise: float = 0.7
    hardness: float = 0.3
    shared: float = 0.7
    seeds: float = 0.0


def scores(
    rng: np.random.Generator, population: Population, trials: TrialList, noise: NDArray[np.float64]
) -> Floats:
    """Scores a trial list by K systems.

    Args:
        rng: draws speakers and systems anew.
        population: what they are drawn from.
        trials: of S speakers and U utterances.
        noise: `[K]`, by what each system's noise is greater than the population's.

    Returns:
        `[K, N]`, cosines.
    """
    embeddings = _embeddings(rng, population, trials, noise)
    embeddings /= np.linalg.norm(embeddings, axis=-1, keepdims=True)
    chosen = embeddings[:, trials.enrol], embeddings[:, trials.test]
    cosines: Floats = np.einsum("knd,knd->kn", *chosen)
    return cosines


def _embeddings(
    rng: np.random.Generator, population: Population, trials: TrialList, noise: NDArray[np.float64]
) -> Floats:
    """Draws `[K, U, D]`."""

    def draw(units: int, dimensions: int) -> Floats:
        return _shared(rng, population.shared, (len(noise), units, dimensions))

    speakers, size = len(trials.counts), population.dimensions
    seeds = np.exp(population.seeds * rng.standard_normal(len(noise)))
    hardness = np.exp(population.hardness * draw(speakers, 1))
    spread = hardness * (population.noise * noise * seeds).astype(np.float32)[:, None, None]
    vectors = draw(speakers, size)[:, trials.speaker]
    vectors += np.float32(population.session) * draw(trials.sessions, size)[:, trials.session]
    vectors += spread[:, trials.speaker] * draw(len(trials.speaker), size)
    return vectors


def _shared(rng: np.random.Generator, share: float, shape: tuple[int, int, int]) -> Floats:
    """Standard normals `[K, units, D]` of which a share of the variance is the same for all K."""
    common = rng.standard_normal(shape[1:], dtype=np.float32)
    own = rng.standard_normal(shape, dtype=np.float32)
    return np.float32(share**0.5) * common + np.float32((1 - share) ** 0.5) * own
