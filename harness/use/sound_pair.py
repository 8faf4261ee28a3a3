"""Two sounds compared by a network: score, probability, decision, and warnings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import expit, logit

from harness.data.corpus import SAMPLE_RATE, Samples
from harness.scoring.calibration import Calibration
from harness.scoring.cosine import cosine_of_trials
from harness.use.given_items import GivenItems
from harness.use.model_facts import Decision, verification_of
from harness.use.networks import Network
from harness.use.sound_facts import SoundFacts, read_sound
from harness.use.sound_warnings import SoundWarning, warnings_of

WINDOW = 2.0
"""Seconds of the windows in which one sound is searched for two speakers."""

MOST_WINDOWS = 12
"""Windows of a sound, evenly spaced if it is longer."""


class ComparedSound(BaseModel):
    """One side of a comparison.

    Attributes:
        file: the file.
        facts: measured.
        warnings: what makes the decision less sure.
        parts: score between the two least alike groups of its windows; None of a short sound.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    facts: SoundFacts
    warnings: tuple[SoundWarning, ...]
    parts: float | None


class Comparison(BaseModel):
    """Two sounds compared.

    Attributes:
        score: cosine of the embeddings.
        llr: natural-log likelihood ratio of one speaker against two; None without a calibration.
        probability: of one speaker, at `prior`; None without a calibration.
        prior: of one speaker before anything was heard.
        same: the score is at the threshold of validation or above.
        decision: the threshold, and what it did on test.
        sounds: both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: float
    llr: float | None
    probability: float | None
    prior: float
    same: bool
    decision: Decision
    sounds: tuple[ComparedSound, ComparedSound]


def compare(network: Network, files: tuple[Path, Path], prior: float = 0.5) -> Comparison:
    """Compare two sounds.

    Args:
        network: one that is judged by plain cosines.
        files: of any rate and number of channels.
        prior: probability that both are of one speaker, before anything is heard.

    Raises:
        RequestError: a file cannot be read, is silent throughout, or too short for the network;
            or the network compares nothing.
    """
    decision = verification_of(network.facts)
    read = [read_sound(path) for path in files]
    windows = [_windows(samples) for samples, _ in read]
    contents = [*(samples for samples, _ in read), *windows[0], *windows[1]]
    names = [*map(str, files), *(str(files[0]) for _ in windows[0])]
    names += [str(files[1]) for _ in windows[1]]
    embeddings = network.outputs(GivenItems(names, contents))
    parts = np.split(embeddings[2:], [len(windows[0])])
    sides = tuple(
        _sound(path, facts, part, network)
        for path, (_, facts), part in zip(files, read, parts, strict=True)
    )
    score = cosine(embeddings[0], embeddings[1])
    llr = _llr(decision, score)
    return Comparison(
        score=score,
        llr=llr,
        probability=None if llr is None else posterior(llr, prior),
        prior=prior,
        same=score >= decision.threshold,
        decision=decision,
        sounds=(sides[0], sides[1]),
    )


def cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the cosine of two embeddings, as trials are scored."""
    one = np.zeros(1, dtype=np.int64)
    return float(cosine_of_trials(first[None], second[None], one, one)[0])


def posterior(llr: float, prior: float) -> float:
    """Return the probability of a target by Bayes' rule.

    >>> posterior(0.0, 0.25)
    0.25
    """
    return float(expit(llr + logit(prior)))


def two_groups(embeddings: NDArray[np.float32]) -> float | None:
    """Return the cosine between the least alike groups of a sound's windows.

    The two windows that are least alike each gather those that are nearer to it; the score is
    that of the groups' means. None of fewer than two windows.

    Args:
        embeddings: `[windows, size]`.
    """
    if len(embeddings) < 2:
        return None
    directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    alike = directions @ directions.T
    first, second = np.unravel_index(alike.argmin(), alike.shape)
    if first == second:
        return 1.0
    near_first = alike[first] >= alike[second]
    return cosine(directions[near_first].mean(axis=0), directions[~near_first].mean(axis=0))


def _sound(
    path: Path, facts: SoundFacts, windows: NDArray[np.float32], network: Network
) -> ComparedSound:
    decision, warnings = verification_of(network.facts), warnings_of(facts, network.facts.sounds)
    parts = two_groups(windows)
    if parts is not None and parts < decision.threshold:
        text = (
            f"parts of it score {parts:.3f} against each other, below the threshold of "
            f"{decision.threshold:.3f}: perhaps two speakers"
        )
        warnings.append(SoundWarning(rule="speakers", text=text))
    return ComparedSound(file=str(path), facts=facts, warnings=tuple(warnings), parts=parts)


def _windows(samples: Samples) -> list[Samples]:
    """Return evenly spaced windows that do not overlap; none of a sound shorter than two."""
    length = round(WINDOW * SAMPLE_RATE)
    count = len(samples) // length
    if count < 2:
        return []
    spare = len(samples) - length
    count = min(count, MOST_WINDOWS)
    starts = np.linspace(0, spare, count).astype(int)
    return [samples[start : start + length] for start in starts]


def _llr(decision: Decision, score: float) -> float | None:
    if decision.calibration is None:
        return None
    return float(Calibration(*decision.calibration).apply([score])[0])
