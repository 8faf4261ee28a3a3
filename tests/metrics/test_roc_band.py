"""A band around a ROC, held against a loop over draws and trials."""

import numpy as np

from harness.metrics.roc_band import miss_band
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_draws


def some_trials(speakers=12, each=4, seed=3):
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(speakers), each)
    one, other = np.triu_indices(len(who), k=1)
    target = who[one] == who[other]
    scores = np.round(rng.normal(target * 1.5, 1.0), 2)
    return ScoredTrials(scores, target, who[one], who[other])


def slow_band(trials, false_alarms, resamples, seed):
    """Weigh every trial, one draw after the other, at every threshold that there is."""
    draws, _ = speaker_draws(trials, resamples=resamples, seed=seed)
    thresholds = [*np.unique(trials.scores), np.inf]
    found = []
    for draw in draws:
        weight = dict(zip(trials.speakers.tolist(), draw.tolist(), strict=True))
        one = np.array([weight[i] for i in trials.enrol_speaker])
        other = np.array([weight[i] for i in trials.test_speaker])
        weights = np.where(trials.is_target, one, one * other).astype(float)
        miss, false = [], []
        for threshold in thresholds:
            below = trials.scores < threshold
            for rates, side, wrong in (
                (miss, trials.is_target, below),
                (false, ~trials.is_target, ~below),
            ):
                rates.append(weights[side & wrong].sum() / weights[side].sum())
        found.append(np.interp(false_alarms, false[::-1], miss[::-1]))
    return np.quantile(found, [0.025, 0.975], axis=0)


def test_band_is_that_of_a_loop_over_draws():
    trials, at = some_trials(each=3), np.linspace(0.02, 0.9, 9)
    assert len(np.unique(trials.scores)) < 400  # no point is thinned away
    low, high = miss_band(trials, at, resamples=20, seed=5)
    slow = slow_band(trials, at, 20, 5)
    np.testing.assert_allclose([low, high], slow, atol=1e-12)
    assert (high - low).max() > 0.02
