"""Speaker bootstrap and leave-one-out against trials repeated and removed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.metrics.detection import eer, min_dcf
from harness.metrics.intervals import draw_units, half_trial, logit_interval
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import left_one_out, speaker_replicates
from harness.metrics.validation import MetricError

POINT = OperatingPoint(0.05)


def synthetic(
    seed: int, *, speakers: int, trials: int, same: float = 0.1, decimals: int = 16
) -> ScoredTrials:
    rng = np.random.default_rng(seed)
    enrol = rng.integers(0, speakers, trials)
    test = np.where(rng.random(trials) < same, enrol, rng.integers(0, speakers, trials))
    is_target = enrol == test
    spread = np.where(is_target, 0.16, 0.11)
    scores = rng.normal(np.where(is_target, 0.4, 0.12), spread)
    return ScoredTrials(np.round(scores, decimals), is_target, enrol, test)


def metrics(trials: ScoredTrials, times: NDArray[np.int64]) -> tuple[float, float]:
    """EER and minDCF with each trial repeated `times` times."""
    scores, labels = np.repeat(trials.scores, times), np.repeat(trials.is_target, times)
    sides = scores[labels], scores[~labels]
    return eer(*sides).value, min_dcf(*sides, POINT).value


@pytest.mark.parametrize("decimals", [16, 1])
def test_replicates_equal_repeated_trials(decimals: int) -> None:
    trials = synthetic(0, speakers=12, trials=600, decimals=decimals)
    got = speaker_replicates(trials, POINT, resamples=40, seed=9)
    draws = draw_units(np.random.default_rng(9), 12, 40)
    wanted = []
    for row in draws:
        enrol, test = row[trials.enrol_speaker], row[trials.test_speaker]
        wanted.append(metrics(trials, np.where(trials.is_target, enrol, enrol * test)))
    assert np.stack([got.eer, got.min_dcf], axis=1) == pytest.approx(np.array(wanted), abs=1e-12)
    assert (got.units, got.redrawn) == (12, 0)


@pytest.mark.parametrize("decimals", [16, 1])
def test_left_one_out_equals_removed_trials(decimals: int) -> None:
    trials = synthetic(1, speakers=15, trials=900, decimals=decimals)
    eers, costs = left_one_out(trials, POINT)
    for speaker, got in enumerate(zip(eers, costs, strict=True)):
        kept = (trials.enrol_speaker != speaker) & (trials.test_speaker != speaker)
        assert got == pytest.approx(metrics(trials, kept.astype(int)), abs=1e-12)


def test_codes_need_not_be_consecutive() -> None:
    trials = synthetic(2, speakers=10, trials=400)
    far = ScoredTrials(
        trials.scores,
        trials.is_target,
        trials.enrol_speaker * 1000 - 7,
        trials.test_speaker * 1000 - 7,
    )
    assert far.speakers.tolist() == (trials.speakers * 1000 - 7).tolist()
    for first, second in zip(left_one_out(trials, POINT), left_one_out(far, POINT), strict=True):
        assert np.array_equal(first, second)
    draws = [speaker_replicates(each, POINT, resamples=20, seed=0) for each in (trials, far)]
    assert np.array_equal(draws[0].eer, draws[1].eer)


def test_order_of_trials_is_of_no_matter_and_the_seed_is() -> None:
    trials = synthetic(3, speakers=10, trials=400, decimals=1)
    mixed = np.random.default_rng(0).permutation(400)
    shuffled = ScoredTrials(
        trials.scores[mixed],
        trials.is_target[mixed],
        trials.enrol_speaker[mixed],
        trials.test_speaker[mixed],
    )
    one = speaker_replicates(trials, POINT, resamples=20, seed=4)
    two = speaker_replicates(shuffled, POINT, resamples=20, seed=4)
    other = speaker_replicates(trials, POINT, resamples=20, seed=5)
    assert np.array_equal(one.eer, two.eer)
    assert np.array_equal(one.min_dcf, two.min_dcf)
    assert not np.array_equal(one.eer, other.eer)


def one_sided() -> ScoredTrials:
    """Speakers 0 to 3 are enrolled; 4 and 5 appear as impostors only, on the test side."""
    enrol = np.repeat(np.arange(4), 6)
    test = np.tile(np.arange(6), 4)
    scores = np.where(enrol == test, 0.6, 0.3) + 0.4 * np.random.default_rng(1).random(24)
    return ScoredTrials(scores, enrol == test, enrol, test)


def test_speakers_with_only_nontarget_trials_count() -> None:
    trials = one_sided()
    assert trials.speakers.tolist() == [0, 1, 2, 3, 4, 5]
    assert trials.fewest == 4
    replicates = speaker_replicates(trials, POINT, resamples=100, seed=0)
    assert replicates.units == 6
    assert np.isfinite(replicates.eer).all()
    kept = (trials.test_speaker != 5).astype(int)
    assert left_one_out(trials, POINT)[0][5] == pytest.approx(metrics(trials, kept)[0], abs=1e-12)


def test_degenerate_draws_are_redrawn_and_counted() -> None:
    trials = ScoredTrials(
        scores=np.array([0.9, 0.1, 0.2]),
        is_target=np.array([True, False, False]),
        enrol_speaker=np.array([0, 0, 1]),
        test_speaker=np.array([0, 1, 0]),
    )
    replicates = speaker_replicates(trials, POINT, resamples=200, seed=0)
    # Half of all draws of two speakers hold one of them alone, so about 200 draws are repeated.
    assert 120 < replicates.redrawn < 320
    assert np.array_equal(replicates.eer, np.zeros(200))


def test_leaving_out_the_only_target_speaker_is_said() -> None:
    trials = ScoredTrials(
        scores=np.array([0.9, 0.1, 0.2]),
        is_target=np.array([True, False, False]),
        enrol_speaker=np.array([7, 7, 8]),
        test_speaker=np.array([7, 8, 9]),
    )
    with pytest.raises(MetricError, match="without speaker 7 no target trial is left"):
        left_one_out(trials, POINT)


def test_leaving_out_the_only_nontarget_speaker_is_said() -> None:
    trials = ScoredTrials(
        scores=np.array([0.9, 0.8, 0.2]),
        is_target=np.array([True, True, False]),
        enrol_speaker=np.array([7, 8, 7]),
        test_speaker=np.array([7, 8, 8]),
    )
    with pytest.raises(MetricError, match="without speaker 7 no nontarget trial is left"):
        left_one_out(trials, POINT)


SCORES, LABELS = np.array([0.9, 0.1]), np.array([True, False])


def test_refuses_contradicting_labels() -> None:
    with pytest.raises(MetricError, match=r"1 of 2 trials.*position 1"):
        ScoredTrials(SCORES, LABELS, np.array([0, 0]), np.array([0, 0]))
    with pytest.raises(MetricError, match="2 of 2 trials"):
        ScoredTrials(SCORES, LABELS, np.array([0, 1]), np.array([1, 1]))


def test_refuses_wrong_arrays() -> None:
    with pytest.raises(MetricError, match="lengths differ"):
        ScoredTrials(SCORES, LABELS, np.array([0]), np.array([0, 1]))
    with pytest.raises(MetricError, match="give integer codes"):
        ScoredTrials(SCORES, LABELS, np.array([0.0, 0.0]), np.array([0, 1]))
    trials = ScoredTrials(np.array([np.nan, 0.1]), LABELS, np.array([0, 0]), np.array([0, 1]))
    for function in (left_one_out, lambda *given: speaker_replicates(*given, seed=0)):
        with pytest.raises(MetricError, match="target scores: 1 of 1 are NaN"):
            function(trials, POINT)


def test_an_interval_from_end_to_end() -> None:
    trials = synthetic(6, speakers=40, trials=4000)
    labels = trials.is_target
    value = eer(trials.scores[labels], trials.scores[~labels]).value
    replicates = speaker_replicates(trials, POINT, resamples=300, seed=0)
    interval = logit_interval(
        value, replicates.eer, replicates.units, floor=half_trial(trials.fewest)
    )
    assert 0 < interval.low < value < interval.high < 0.5
