"""judge() against scikit-learn, brute force, plain formulas and physically repeated trials."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import t as student
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_curve

from harness.metrics.operating_point import OperatingPoint
from harness.metrics.validation import MetricError
from harness.trials.system_report import MetricEstimate, SystemReport, judge
from harness.trials.trial_speakers import Resampling, Speakers

POINTS = [OperatingPoint(), OperatingPoint(0.05, c_miss=1, c_fa=2), OperatingPoint(0.5, 10, 1)]
SPEAKERS = 6


def listed(seed: int, decimals: int = 16, gain: float = 1.5):
    """Every speaker's two models against every speaker's three utterances."""
    rng = np.random.default_rng(seed)
    enrol, test = (side.ravel() for side in np.mgrid[: 2 * SPEAKERS, : 3 * SPEAKERS])
    enrol, test = (enrol // 2).astype(np.int32), (test // 3).astype(np.int32)
    is_target = enrol == test
    scores = rng.normal(0, 1, len(enrol)) + gain * is_target + rng.normal(0, 0.3, SPEAKERS)[test]
    return np.round(scores, decimals), is_target, Speakers(enrol, test, SPEAKERS, "utt2spk")


def resampling(speakers: Speakers, resamples: int = 40) -> Resampling:
    rng = np.random.default_rng(3)
    draws = rng.multinomial(SPEAKERS, np.full(SPEAKERS, 1 / SPEAKERS), size=resamples)
    return Resampling(speakers, draws[(draws > 0).sum(axis=1) > 1], 0, 3)


def plain_eer(scores, is_target) -> float:
    """Where miss and false-alarm rates, joined by straight lines, are one."""
    false_alarms, hits, _ = roc_curve(is_target, scores, drop_intermediate=False)
    return float(
        brentq(
            lambda rate: 1 - np.interp(rate, *_ends(false_alarms, hits)) - rate, 0, 1, xtol=1e-14
        )
    )


def _ends(false_alarms, hits):
    """Vertical steps of a ROC made very steep, so that it is a function of the false-alarm rate."""
    return false_alarms + 1e-13 * np.arange(len(hits)), hits


def rates_at(scores, is_target, threshold: float) -> tuple[float, float]:
    targets, nontargets = scores[is_target].tolist(), scores[~is_target].tolist()
    misses = sum(score < threshold for score in targets)
    false_alarms = sum(score >= threshold for score in nontargets)
    return misses / len(targets), false_alarms / len(nontargets)


def cost_at(scores, is_target, point: OperatingPoint, threshold: float) -> float:
    miss, false_alarm = rates_at(scores, is_target, threshold)
    priced = point.c_miss * point.p_target, point.c_fa * (1 - point.p_target)
    return (priced[0] * miss + priced[1] * false_alarm) / min(priced)


def plain_min_dcf(scores, is_target, point: OperatingPoint) -> float:
    candidates = [*np.unique(scores).tolist(), math.inf]
    return min(cost_at(scores, is_target, point, threshold) for threshold in candidates)


def plain_cllr(llrs, is_target) -> float:
    missed = [math.log2(1 + math.exp(-llr)) for llr in llrs[is_target].tolist()]
    accepted = [math.log2(1 + math.exp(llr)) for llr in llrs[~is_target].tolist()]
    return (sum(missed) / len(missed) + sum(accepted) / len(accepted)) / 2


def isotonic_cllr(scores, is_target) -> float:
    """Cllr of the posteriors that a rising regression finds at a prior of one half."""
    weights = np.where(is_target, 0.5 / is_target.sum(), 0.5 / (~is_target).sum())
    fitted = IsotonicRegression().fit(scores, is_target, sample_weight=weights).predict(scores)
    return -float(np.sum(weights * np.log2(np.where(is_target, fitted, 1 - fitted))))


@pytest.mark.parametrize("decimals", [16, 1, 0])
@pytest.mark.parametrize("seed", range(3))
def test_every_metric_is_that_of_its_definition(seed, decimals):
    scores, is_target, _ = listed(seed, decimals)
    report = judge("a", scores, is_target, POINTS, None)
    assert (report.name, report.targets, report.nontargets) == ("a", 36, 180)
    assert report.eer.value == pytest.approx(plain_eer(scores, is_target), abs=1e-9)
    assert report.cllr == pytest.approx(plain_cllr(scores, is_target), abs=1e-12)
    assert report.min_cllr == pytest.approx(isotonic_cllr(scores, is_target), abs=1e-9)
    for cost, point in zip(report.costs, POINTS, strict=True):
        assert cost.point == point
        least = plain_min_dcf(scores, is_target, point)
        assert cost.least.value == pytest.approx(least, abs=1e-12)
        assert cost_at(scores, is_target, point, cost.threshold) == pytest.approx(least, abs=1e-12)
        bayes = math.log(point.c_fa * (1 - point.p_target) / (point.c_miss * point.p_target))
        assert cost.actual == pytest.approx(cost_at(scores, is_target, point, bayes), abs=1e-12)
        assert cost.actual >= cost.least.value - 1e-12


@pytest.mark.parametrize("decimals", [16, 1])
def test_the_threshold_is_where_the_rates_are_nearest(decimals):
    scores, is_target, _ = listed(5, decimals)
    report = judge("a", scores, is_target, POINTS, None)
    gaps = {}
    for threshold in np.unique(scores).tolist():
        miss, false_alarm = rates_at(scores, is_target, threshold)
        gaps[threshold] = abs(miss - false_alarm)
    assert gaps[report.threshold] == pytest.approx(min(gaps.values()), abs=1e-12)


@pytest.mark.parametrize("decimals", [16, 1])
def test_the_curve_is_counted(decimals):
    scores, is_target, _ = listed(6, decimals)
    curve = judge("a", scores, is_target, POINTS, None).curve
    assert curve.thresholds.tolist() == [*np.unique(scores).tolist(), math.inf]
    rates = [rates_at(scores, is_target, threshold) for threshold in curve.thresholds.tolist()]
    drawn = zip(curve.miss_rates.tolist(), curve.false_alarm_rates.tolist(), strict=True)
    assert list(drawn) == rates


def interval(value: float, replicates: list[float], floor: float) -> tuple[float, float]:
    """logit(value) plus or minus t times the spread of the logits, by plain sums."""

    def logit(rate: float) -> float:
        inside = min(max(rate, floor), 1 - floor)
        return math.log(inside / (1 - inside))

    logits = [logit(rate) for rate in replicates]
    mean = sum(logits) / len(logits)
    spread = math.sqrt(sum((each - mean) ** 2 for each in logits) / (len(logits) - 1))
    reach = student.ppf(0.975, SPEAKERS - 1) * spread
    low, high = (1 / (1 + math.exp(-logit(value) + sign * reach)) for sign in (1, -1))
    return min(low, value), max(high, value)


def repeated(scores, is_target, speakers: Speakers, draw: list[int]):
    """The trials of drawn speakers, each as often as the speakers of both its sides."""
    times = [
        draw[enrol] if enrol == test else draw[enrol] * draw[test]
        for enrol, test in zip(speakers.enrol.tolist(), speakers.test.tolist(), strict=True)
    ]
    return np.repeat(scores, times), np.repeat(is_target, times)


def held(estimate: MetricEstimate) -> tuple[float | None, float | None]:
    return estimate.low, estimate.high


# With a gain of 3.5 some draws hold no error, and the floor of the logit counts.
@pytest.mark.parametrize(("decimals", "gain"), [(16, 1.5), (1, 1.5), (16, 3.5)])
def test_intervals_are_those_of_trials_repeated_for_the_drawn_speakers(decimals, gain):
    scores, is_target, speakers = listed(7, decimals, gain)
    sample = resampling(speakers)
    report = judge("a", scores, is_target, POINTS, sample)
    lists = [repeated(scores, is_target, speakers, draw) for draw in sample.draws.tolist()]
    eers = [plain_eer(*one) for one in lists]
    floor = 0.5 / is_target.sum()
    assert (min(eers) < 1e-9 < max(eers)) == (gain == 3.5)
    assert report.eer.replicates == pytest.approx(eers, abs=1e-9)
    assert held(report.eer) == pytest.approx(interval(report.eer.value, eers, floor), abs=1e-8)
    for cost in report.costs:
        found = [plain_min_dcf(*one, cost.point) for one in lists]
        assert cost.least.replicates == pytest.approx(found, abs=1e-12)
        wanted = interval(cost.least.value, found, floor)
        assert held(cost.least) == pytest.approx(wanted, abs=1e-9)


def values(report: SystemReport) -> list[float]:
    numbers = [report.eer.value, report.threshold, report.cllr, report.min_cllr]
    return numbers + [n for c in report.costs for n in (c.least.value, c.threshold, c.actual)]


def test_the_interval_changes_no_value():
    scores, is_target, speakers = listed(8)
    without = judge("a", scores, is_target, POINTS, None)
    assert values(judge("a", scores, is_target, POINTS, resampling(speakers))) == values(without)
    for estimate in (without.eer, *(cost.least for cost in without.costs)):
        assert held(estimate) == (None, None)
        assert estimate.replicates.size == 0


def test_the_order_of_trials_is_of_no_matter():
    scores, is_target, speakers = listed(9, 1)
    order = np.random.default_rng(0).permutation(len(scores))
    shuffled = Speakers(speakers.enrol[order], speakers.test[order], SPEAKERS, "utt2spk")
    there = judge("a", scores, is_target, POINTS, resampling(speakers))
    back = judge("a", scores[order], is_target[order], POINTS, resampling(shuffled))
    assert values(there) == values(back)
    assert held(there.eer) == held(back.eer)
    assert [held(cost.least) for cost in there.costs] == [held(cost.least) for cost in back.costs]


def test_perfect_scores():
    _, is_target, speakers = listed(0)
    report = judge("a", is_target * 8.0 - 4, is_target, POINTS, resampling(speakers))
    high = 1 - 0.025 ** (1 / SPEAKERS)  # Clopper and Pearson's for no error of six speakers
    assert (report.eer.value, report.threshold, report.min_cllr) == (0, 4, 0)
    assert held(report.eer) == pytest.approx((0, high))
    assert [cost.least.value for cost in report.costs] == [0, 0, 0]
    assert report.cllr == pytest.approx(math.log2(1 + math.exp(-4)))


def test_equal_scores_tell_nothing():
    _, is_target, speakers = listed(0)
    report = judge("a", np.zeros(len(is_target)), is_target, POINTS[:1], resampling(speakers))
    (cost,) = report.costs
    assert (report.eer.value, report.min_cllr) == (0.5, 1)
    assert report.cllr == pytest.approx(1, abs=1e-12)
    assert (cost.least.value, cost.threshold) == (1, math.inf)
    assert report.eer.replicates.tolist() == [0.5] * len(report.eer.replicates)


def test_what_cannot_be_judged_is_refused():
    scores, is_target, _ = listed(0)
    with pytest.raises(MetricError, match="nontarget scores: there are none"):
        judge("a", scores, np.ones_like(is_target), POINTS, None)
    scores[4] = np.nan
    with pytest.raises(MetricError, match="NaN"):
        judge("a", scores, is_target, POINTS, None)
