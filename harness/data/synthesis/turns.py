"""The synthesiser of `open-dialogue`: turns whose text, audio and video share one thing, the act.

Each act has a place in a space of its own; each dialogue and each turn has another one that has
nothing to do with it. A modality sees both through a fixed mixture of its own and a
bend, with noise of its own. What modalities agree on is the act: k-means sees the louder rest as
well, which views that mask a modality do not share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.synthesis.arithmetic import generator, normal

Array: TypeAlias = NDArray[np.float64]

CORPUS = "open-dialogue"

ACTS = ("acknowledge", "agree", "answer", "apologise", "ask", "disagree", "greet", "state")
"""Acts, in the order of their frequency if they are uneven; the last ones are the rarest."""

SIZES = {"text": 32, "audio": 24, "video": 24}
"""Length of each modality's vector."""

TURNS: dict[Profile, dict[str, int]] = {
    "quick": {"train": 1600, "validation": 480, "test": 800},
    "full": {"train": 4800, "validation": 960, "test": 1600},
}

LOUDNESS = 2.2
"""Of what has nothing to do with the act, over the act."""

IN_DIALOGUE = 8
"""Turns of a dialogue."""

ACT, NUISANCE, GRID = 6, 8, 2.0**10
"""Dimensions of the space of acts, of that of a modality's own nuisance, and steps of a value."""


@dataclass(frozen=True)
class Recording:
    """How turns are recorded.

    Attributes:
        imbalance: turns of the most frequent act over those of the rarest.
        noise: standard deviation of each modality's own noise, over that of what it says.
    """

    imbalance: float = 1.0
    noise: float = 0.5

    @property
    def name(self) -> str:
        """Of the random streams: the same turns for the same numbers."""
        return f"{CORPUS}/{self.imbalance:g}/{self.noise:g}"


def act_counts(turns: int, imbalance: float) -> NDArray[np.int64]:
    """Return turns of each act: a geometric series from the most frequent to the rarest.

    The rarest has one turn at least, so that few turns may fall short of the imbalance.

    >>> act_counts(800, 1.0)
    array([100, 100, 100, 100, 100, 100, 100, 100])
    """
    steps = np.arange(len(ACTS)) / (len(ACTS) - 1)
    shares = np.array([float(imbalance) ** -step for step in steps])
    rounded = np.rint(turns * shares / shares.sum()).astype(np.int64)
    counts: NDArray[np.int64] = np.maximum(1, rounded)
    counts[0] += turns - counts.sum()
    return counts


def turns(profile: Profile, recording: Recording) -> pd.DataFrame:
    """Return the turns of a profile: `id`, `unit` (dialogue), `label`, `split` and `tokens`."""
    rows = []
    for split, count in TURNS[profile].items():
        rng = generator(f"{recording.name}/{profile}/{split}")
        acts = np.repeat(np.arange(len(ACTS)), act_counts(count, recording.imbalance))
        acts = acts[np.argsort(rng.random(count), kind="stable")]
        lengths = 3 + (rng.random(count) * 18).astype(np.int64)
        for place, (act, length) in enumerate(zip(acts.tolist(), lengths.tolist(), strict=True)):
            dialogue = f"{split}-{place // IN_DIALOGUE:04d}"
            name = f"{dialogue}-{place % IN_DIALOGUE}"
            rows.append((name, dialogue, ACTS[act], split, f"{length}"))
    return pd.DataFrame(rows, columns=["id", "unit", "label", "split", "tokens"])


def vectors(name: str, label: str, recording: Recording) -> NDArray[np.float32]:
    """Return one turn's text, audio and video side by side, `[1, 80]`."""
    rng = generator(f"{recording.name}/{name}")
    act = _acts()[ACTS.index(label)] + 0.35 * normal(rng, ACT)
    parts = []
    for modality, size in SIZES.items():
        of_act, of_rest = _mixtures(modality)
        rest = normal(generator(f"{CORPUS}/{name.rpartition('-')[0]}/{modality}"), NUISANCE)
        rest = 0.5 * rest + 0.85 * normal(rng, NUISANCE)
        said = _times(act, of_act) + LOUDNESS * _times(rest, of_rest)
        bent = said / np.sqrt(1 + 0.1 * said * said)
        parts.append(bent + recording.noise * normal(rng, size))
    whole = np.rint(np.concatenate(parts) * GRID) / GRID
    return np.asarray(whole[None], dtype=np.float32)


@lru_cache(maxsize=1)
def _acts() -> Array:
    """Return the place of each act, `[acts, ACT]`, all as far from the middle."""
    places = normal(generator(f"{CORPUS}/acts"), len(ACTS), ACT)
    places = places - places.mean(axis=0)
    return np.asarray(2.4 * places / np.sqrt((places * places).sum(axis=1, keepdims=True)))


@lru_cache(maxsize=8)
def _mixtures(modality: str) -> tuple[Array, Array]:
    rng, size = generator(f"{CORPUS}/{modality}"), SIZES[modality]
    return (
        normal(rng, ACT, size) / ACT**0.5,
        normal(rng, NUISANCE, size) / NUISANCE**0.5,
    )


def _times(point: Array, matrix: Array) -> Array:
    """Return a point times a matrix, summed in one order on every processor."""
    total = np.zeros(matrix.shape[1])
    for value, row in zip(point.tolist(), matrix, strict=True):
        total = total + value * row
    return total
