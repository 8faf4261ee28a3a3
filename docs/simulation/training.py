"""One data set of a cell with seeds: which tests call two equal entries different."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from docs.simulation.cells import NONTARGETS, Cell
from docs.simulation.lists import draw_list
from docs.simulation.population import scores
from harness.metrics.comparison import two_sided_p
from harness.metrics.detection import eer
from harness.metrics.intervals import jackknife_error
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.seed_spread import Scale, combine_errors, pool_spread, seed_variance
from harness.metrics.speakers import left_one_out

Floats = NDArray[np.float64]

ALPHA = 0.05


def judge(cell: Cell, rng: np.random.Generator) -> dict[str, float]:
    """Draws one data set and trainings of every entry; the two last are equal in the population.

    Returns:
        1 or 0 for each test that calls the two different: without the spread of seeds, and with it
        pooled as logits and as it is; and the mean over their seeds.
    """
    listed = draw_list(rng, cell.speakers, unevenness=cell.unevenness, nontargets=NONTARGETS)
    noise = np.repeat(cell.noise, cell.seeds)
    values, left = [], []
    for trained in scores(rng, cell.population, listed, noise):
        speaker = listed.speaker
        trials = ScoredTrials(
            trained, listed.is_target, speaker[listed.enrol], speaker[listed.test]
        )
        values.append(eer(trained[trials.is_target], trained[~trials.is_target]).value)
        left.append(left_one_out(trials, OperatingPoint())[0])
    ends = np.cumsum(cell.seeds)[:-1]
    seeds = [part.tolist() for part in np.split(np.array(values), ends)]
    without = [part.mean(axis=0) for part in np.split(np.array(left), ends)]
    return _calls(seeds, jackknife_error(without[-2] - without[-1]), cell.speakers - 1)


def _calls(seeds: list[list[float]], error: float, freedom: int) -> dict[str, float]:
    first, second = float(np.mean(seeds[-2])), float(np.mean(seeds[-1]))
    differences, errors = np.array([first - second]), np.array([error])
    alone = two_sided_p(differences, errors, freedom)[0]
    return {
        "mean_eer": first,
        "mean_squared_test_error": error**2,
        "mean_squared_seeds": _variance(seeds, "logit")[0],
        "call_without_seeds": float(alone < ALPHA),
        "call_logit": float(_p(seeds, "logit", differences, errors, freedom) < ALPHA),
        "call_plain": float(_p(seeds, "plain", differences, errors, freedom) < ALPHA),
    }


def _p(
    seeds: list[list[float]], scale: Scale, differences: Floats, errors: Floats, freedom: int
) -> float:
    """One comparison as `harness.metrics.significance` makes it, before Holm's correction."""
    variance, seed_freedom = _variance(seeds, scale)
    joined, degrees = combine_errors(errors, freedom, [variance], seed_freedom)
    return float(two_sided_p(differences, joined, degrees)[0])


def _variance(seeds: list[list[float]], scale: Scale) -> tuple[float, int]:
    """The variance of the two last entries' difference over seeds, and its degrees of freedom."""
    spread = pool_spread(seeds, scale)
    if spread is None:
        raise ValueError("no entry of this cell has two seeds; give one of them several")
    parts = [seed_variance(float(np.mean(each)), len(each), spread) for each in seeds[-2:]]
    return sum(parts), spread.freedom
