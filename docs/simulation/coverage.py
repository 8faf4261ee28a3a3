"""One data set of a coverage cell: which intervals hold the truth, and which tests are wrong."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from docs.simulation.cells import NONTARGETS, Cell
from docs.simulation.lists import TrialList, draw_list
from docs.simulation.population import scores
from harness.metrics.comparison import compare_replicates
from harness.metrics.detection import eer, min_dcf
from harness.metrics.intervals import Interval, half_trial, logit_interval
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.significance import ComparedEntry, p_values
from harness.metrics.speakers import SpeakerReplicates, left_one_out, speaker_replicates

RESAMPLES = 200
"""Draws an interval. The board draws 1,000; the standard deviation of 200 errs by 5 %, which costs
about 0.1 points of coverage, and saves four fifths of the time."""

TRIAL_RESAMPLES = 64
"""Draws of trials, for the interval that is too narrow by far more than that."""

ALPHA = 0.05


def judge(
    cell: Cell, rng: np.random.Generator, truth: Mapping[str, float], seed: int
) -> dict[str, float]:
    """Draws one data set and two systems that are equal in the population.

    Args:
        cell: what is drawn.
        rng: draws it.
        truth: the population's metrics.
        seed: of the speakers' draws.

    Returns:
        1 or 0 for each interval that holds the truth (`hold_`), and for each test that calls the
        two systems different (`call_`); and the first system's estimates.
    """
    listed = draw_list(rng, cell.speakers, unevenness=cell.unevenness, nontargets=NONTARGETS)
    both = [_trials(listed, values) for values in scores(rng, cell.population, listed, np.ones(2))]
    found: dict[str, float] = {}
    for prior in cell.priors:
        found |= _at(both, prior, truth, seed)
    return found | _of_trials(both[0], truth["eer"], rng)


def _trials(listed: TrialList, values: NDArray[np.float32]) -> ScoredTrials:
    speaker = listed.speaker
    return ScoredTrials(values, listed.is_target, speaker[listed.enrol], speaker[listed.test])


def _at(
    both: list[ScoredTrials], prior: float, truth: Mapping[str, float], seed: int
) -> dict[str, float]:
    """EER and one minDCF: intervals of the first system, paired tests of both."""
    point, name = OperatingPoint(p_target=prior), f"min_dcf_{prior}"
    drawn = [speaker_replicates(each, point, resamples=RESAMPLES, seed=seed) for each in both]
    left = [left_one_out(each, point) for each in both]
    values = [_metrics(each, point) for each in both]
    found = {}
    for index, metric in enumerate(("eer", name)):
        estimates = [each[index] for each in values]
        replicates = [_replicates(each)[index] for each in drawn]
        floor = half_trial(both[0].fewest)
        interval = logit_interval(estimates[0], replicates[0], drawn[0].units, floor=floor)
        percentiles = Interval(*np.quantile(replicates[0], [ALPHA / 2, 1 - ALPHA / 2]))
        found[f"mean_{metric}"] = estimates[0]
        found[f"hold_speakers_{metric}"] = _holds(interval, truth[metric])
        found[f"hold_percentile_{metric}"] = _holds(percentiles, truth[metric])
        found[f"call_jackknife_{metric}"] = _jackknife(estimates, [each[index] for each in left])
        paired = compare_replicates(
            estimates[0], replicates[0], estimates[1], replicates[1], drawn[0].units
        )
        found[f"call_bootstrap_{metric}"] = float(paired.p < ALPHA)
    return found


def _of_trials(trials: ScoredTrials, truth: float, rng: np.random.Generator) -> dict[str, float]:
    """The EER's intervals that take trials for independent: resampled trials, and a binomial."""
    targets, nontargets = trials.scores[trials.is_target], trials.scores[~trials.is_target]
    value = eer(targets, nontargets).value
    replicates = [
        eer(rng.choice(targets, len(targets)), rng.choice(nontargets, len(nontargets))).value
        for _ in range(TRIAL_RESAMPLES)
    ]
    units = trials.fewest
    resampled = logit_interval(value, replicates, units, floor=half_trial(units))
    exact = binomtest(round(value * units), units).proportion_ci(1 - ALPHA, method="exact")
    return {
        "hold_trials_eer": _holds(resampled, truth),
        "hold_binomial_eer": float(exact.low <= truth <= exact.high),
    }


def _metrics(trials: ScoredTrials, point: OperatingPoint) -> tuple[float, float]:
    sides = trials.scores[trials.is_target], trials.scores[~trials.is_target]
    return eer(*sides).value, min_dcf(*sides, point).value


def _replicates(
    drawn: SpeakerReplicates,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return drawn.eer, drawn.min_dcf


def _jackknife(estimates: list[float], left: list[NDArray[np.float64]]) -> float:
    """The board's own test of two entries."""
    units = [str(unit) for unit in range(len(left[0]))]
    pairs = enumerate(zip(estimates, left, strict=True))
    entries = [ComparedEntry(str(index), value, units, values) for index, (value, values) in pairs]
    return float(p_values(entries)[0, 1] < ALPHA)


def _holds(interval: Interval, truth: float) -> float:
    return float(interval.low <= truth <= interval.high)
