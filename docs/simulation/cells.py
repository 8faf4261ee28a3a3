"""The cells of the simulation: what is drawn in each."""

from __future__ import annotations

from dataclasses import dataclass, field

from docs.simulation.population import Population

SPEAKERS = (12, 40, 196)

NONTARGETS = 6_000
"""At most so many nontarget trials are listed; 12 speakers have about 2,640."""

PRIORS = (0.01, 0.05)
"""Every `p_target` of which the population's minDCF is computed."""

UNEVENNESS = {"equal": 0.0, "unequal": 0.6, "extreme": 1.0}
"""Standard deviation of the logarithm of a speaker's number of test utterances."""


@dataclass(frozen=True)
class Cell:
    """One row of a table.

    Attributes:
        name: by which it is asked for.
        speakers: S.
        counts: of utterances a speaker, a key of `UNEVENNESS`.
        priors: `p_target` of each minDCF.
        population: what is drawn from.
        noise: for each entry, by what its noise is greater than the population's; the two last
            entries are compared.
        seeds: how many trainings each entry has.
    """

    name: str
    speakers: int
    counts: str = "equal"
    priors: tuple[float, ...] = (0.01,)
    population: Population = field(default_factory=Population)
    noise: tuple[float, ...] = (1.0, 1.0)
    seeds: tuple[int, ...] = (1, 1)

    @property
    def unevenness(self) -> float:
        """How the numbers of utterances differ between speakers."""
        return UNEVENNESS[self.counts]

    @property
    def has_seeds(self) -> bool:
        """True where trainings differ, and the two entries' seeds are in the comparison."""
        return self.population.seeds > 0


def _sampled(speakers: int, counts: str) -> Cell:
    # With 12 speakers one false alarm costs about 0.04 at p_target 0.01: 0.05 is looked at as well.
    priors = PRIORS if speakers < 20 else (0.01,)
    return Cell(f"{speakers}-{counts}", speakers, counts, priors)


VARYING = Population(seeds=0.1)
"""Trainings that spread the error rate more than drawing 40 other speakers changes a difference."""

CELLS = (
    *(_sampled(speakers, counts) for speakers in SPEAKERS for counts in ("equal", "unequal")),
    _sampled(40, "extreme"),
    Cell("seeds-3-3", 40, population=VARYING, seeds=(3, 3)),
    Cell("seeds-2-1", 40, population=VARYING, seeds=(2, 1)),
    Cell("seeds-beside-better", 40, population=VARYING, seeds=(3, 3, 3), noise=(0.6, 1.0, 1.0)),
    Cell("seeds-beside-worse", 40, population=VARYING, seeds=(3, 3, 3), noise=(1.8, 1.0, 1.0)),
)
