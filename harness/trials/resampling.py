"""Draws of a trial list's speakers, shared by all systems that were scored on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_draws
from harness.trials.columns import Codes
from harness.trials.trials import TrialList
from harness.trials.units import NoSpeakers, Speakers

FEWEST_SPEAKERS = 2
FEWEST_TRIALS = 2
"""Of either side: with less there is no spread to see."""


@dataclass(frozen=True, eq=False)
class Resampling:
    """One set of draws.

    Attributes:
        speakers: of both sides of every trial.
        draws: `[R, S]`, how often each speaker was drawn.
        redrawn: how many draws held no target or no nontarget trial and were drawn again.
        seed: of the draws.
    """

    speakers: Speakers
    draws: NDArray[np.int64]
    redrawn: int
    seed: int

    @property
    def units(self) -> int:
        """S, how many speakers were resampled."""
        return int(self.draws.shape[1])

    def trials(
        self, scores: NDArray[np.floating[Any]], is_target: NDArray[np.bool_]
    ) -> ScoredTrials:
        """A system's scores with the speakers of both sides."""
        return ScoredTrials(scores, is_target, self.speakers.enrol, self.speakers.test)


def resampled(
    trials: TrialList, speakers: Speakers | NoSpeakers, *, resamples: int, seed: int
) -> Resampling | NoSpeakers:
    """Draws the speakers of a trial list, or says why no interval can be given.

    Args:
        trials: the list.
        speakers: who speaks in it.
        resamples: how many draws.
        seed: of the draws.
    """
    if isinstance(speakers, NoSpeakers):
        return speakers
    if speakers.count < FEWEST_SPEAKERS:
        return NoSpeakers("all trials are of one speaker; an interval needs at least 2")
    targets = int(np.count_nonzero(trials.is_target))
    fewest = min(targets, len(trials.is_target) - targets)
    if fewest < FEWEST_TRIALS:
        return NoSpeakers(f"{fewest} trial on one side; an interval needs at least 2 on each")
    speakers = _numbered_by_name(trials, speakers)
    # The draws depend on labels and speakers alone, so any scores will do.
    unscored = np.zeros(len(trials.is_target), dtype=np.float32)
    listed = ScoredTrials(unscored, trials.is_target, speakers.enrol, speakers.test)
    draws, redrawn = speaker_draws(listed, resamples=resamples, seed=seed)
    return Resampling(speakers, draws, redrawn, seed)


def _numbered_by_name(trials: TrialList, speakers: Speakers) -> Speakers:
    """The same speakers, numbered in the order of the first of each one's names.

    Draws go by number, and numbers by how a file was read; so one list has one set of draws,
    whatever its order and format, and whichever file tells the same speakers.
    """
    enrol = _by_name(len(trials.enrol_names), trials.enrol, speakers.enrol)
    test = _by_name(len(trials.test_names), trials.test, speakers.test)
    speaker_of = dict(zip(trials.enrol_names, enrol, strict=True))
    speaker_of |= zip(trials.test_names, test, strict=True)
    ordered = list(dict.fromkeys(speaker_of[name] for name in sorted(speaker_of)))
    number = np.empty(speakers.count, dtype=np.int32)
    number[ordered] = np.arange(len(ordered))
    return replace(speakers, enrol=number[speakers.enrol], test=number[speakers.test])


def _by_name(count: int, names: Codes, speakers: Codes) -> list[int]:
    """The speaker of each of `count` names, from those of the trials."""
    found = np.empty(count, dtype=np.int32)
    found[names] = speakers
    return found.tolist()
