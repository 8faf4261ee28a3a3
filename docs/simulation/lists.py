"""Trial lists: every speaker enrols one utterance, and is tested with all the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]

SESSION = 5
"""Utterances in a session; the last session of a speaker may have fewer."""

MEAN_TESTS = 20
"""Test utterances of a speaker; on average where counts are unequal."""


@dataclass(frozen=True, eq=False)
class TrialList:
    """Which utterances are compared.

    Attributes:
        counts: `[S]`, utterances of each speaker.
        enrol, test: `[N]`, positions of utterances.
    """

    counts: Indices
    enrol: Indices
    test: Indices

    @cached_property
    def speaker(self) -> Indices:
        """`[U]`, the speaker of each utterance."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def session(self) -> Indices:
        """`[U]`, the session of each utterance, numbered over all speakers."""
        within = np.arange(len(self.speaker)) - _first(self.counts)[self.speaker]
        return _first(_sessions(self.counts))[self.speaker] + within // SESSION

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return int(_sessions(self.counts).sum())

    @property
    def is_target(self) -> NDArray[np.bool_]:
        """`[N]`, True where both utterances are of one speaker."""
        return np.equal(self.speaker[self.enrol], self.speaker[self.test])


def draw_list(
    rng: np.random.Generator, speakers: int, *, unevenness: float, nontargets: int
) -> TrialList:
    """Draws how many utterances each speaker has, and which nontarget trials are listed.

    Args:
        rng: draws both.
        speakers: S.
        unevenness: standard deviation of the logarithm of a speaker's number of test utterances,
            which has nothing to do with how hard the speaker is; 0 gives all the same.
        nontargets: how many of all nontarget trials are listed, at random; all where there are
            no more.
    """
    logs = np.log(MEAN_TESTS) - unevenness**2 / 2 + unevenness * rng.standard_normal(speakers)
    tests = np.maximum(1, np.rint(np.exp(logs)).astype(np.intp))
    counts = tests + 1
    first = _first(counts)
    pool = np.setdiff1d(np.arange(counts.sum()), first)
    owner = np.repeat(np.arange(speakers), tests)
    others = speakers * len(pool)
    chosen = rng.permutation(others) if others <= 2 * nontargets else _some(rng, others, nontargets)
    models, tested = chosen // len(pool), chosen % len(pool)
    apart = np.flatnonzero(models != owner[tested])[:nontargets]
    enrol = np.concatenate([first[owner], first[models[apart]]])
    return TrialList(counts, enrol, np.concatenate([pool, pool[tested[apart]]]))


def _some(rng: np.random.Generator, size: int, number: int) -> Indices:
    """Distinct positions, a few more than asked for: some will be target trials."""
    return rng.choice(size, min(size, number + number // 2), replace=False, shuffle=True)


def _first(counts: Indices) -> Indices:
    return np.cumsum(counts) - counts


def _sessions(counts: Indices) -> Indices:
    return -(-counts // SESSION)
