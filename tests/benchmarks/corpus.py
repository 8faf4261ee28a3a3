"""An evaluation of the size of CN-Celeb's: 196 enrolment models, each against 17,777 utterances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODELS = 196
UTTERANCES = 17_777
TRIALS = MODELS * UTTERANCES
COHORT = 2_793
SIZE = 512
NOISE = 2.15
"""How far an utterance lies from its speaker; by trial, so that the EER is about 7 %."""
GENRES = ("drama", "entertainment", "interview", "live", "play", "singing", "speech", "vlog")

Floats = NDArray[np.floating[Any]]

TRIAL_FILE, SCORE_FILE = "trials.lst", "cosine.score"


def write_embeddings(folder: Path) -> None:
    """Writes `enrol`, `test` and `cohort` embeddings, and the `speaker` of each test utterance.

    The values of an embedding grow smaller along it, as principal components do; speakers differ in
    how much they vary.
    """
    rng = np.random.default_rng(20261120)
    spread = 1 / np.sqrt(1 + np.arange(SIZE) / 64)
    centres = rng.normal(size=(MODELS, SIZE)) * spread
    noise = NOISE * rng.uniform(0.7, 1.3, MODELS)
    speaker = rng.integers(0, MODELS, UTTERANCES)
    arrays: dict[str, NDArray[Any]] = {
        "enrol": _around(centres, noise, spread, rng),
        "test": _around(centres[speaker], noise[speaker], spread, rng),
        "cohort": (rng.normal(size=(COHORT, SIZE)) * spread).astype(np.float32),
        "speaker": speaker,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def _around(
    centres: Floats, noise: Floats, spread: Floats, rng: np.random.Generator
) -> NDArray[np.float32]:
    offsets = rng.normal(size=centres.shape) * spread * noise[:, None]
    return np.asarray(centres + offsets, dtype=np.float32)


def write_files(folder: Path) -> None:
    """Writes a trial list and its score file, in the same order, by enrolment model."""
    rng = np.random.default_rng(20261120)
    speaker = rng.integers(0, MODELS, UTTERANCES).tolist()
    tests = [_utterance(*item) for item in enumerate(speaker)]
    with (folder / TRIAL_FILE).open("w") as trials, (folder / SCORE_FILE).open("w") as scores:
        for model in range(MODELS):
            values = rng.normal(0.12, 0.11, UTTERANCES).tolist()
            pairs = [f"{_name(model)}-enroll {test}" for test in tests]
            trials.writelines(
                f"{pair} {int(who == model)}\n" for pair, who in zip(pairs, speaker, strict=True)
            )
            scores.writelines(
                f"{pair} {value:.5f}\n" for pair, value in zip(pairs, values, strict=True)
            )


def _name(speaker: int) -> str:
    return f"id{800 + speaker:05d}"


def _utterance(number: int, speaker: int) -> str:
    session, part = divmod(number, 1000)
    return f"test/{_name(speaker)}-{GENRES[number % len(GENRES)]}-{session:02d}-{part:03d}.wav"
