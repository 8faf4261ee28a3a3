"""Verification against computations of another kind."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from harness.errors import ConfigError
from harness.metrics.validation import MetricError
from harness.scoring.calibration import Calibration
from harness.tasks.task import Judgement, Lists, Side
from harness.tasks.verification import Verification
from harness.trials.index import TrialIndex

SPEAKERS, ITEMS, SIZE = 6, 5, 16


def side(seed: int, spread: float = 1.0) -> Side:
    """Random embeddings around a centre a speaker, with all pairs as trials."""
    generator = np.random.Generator(np.random.PCG64(seed))
    unit = np.repeat(np.arange(SPEAKERS), ITEMS)
    centres = generator.normal(size=(SPEAKERS, SIZE))
    outputs = centres[unit] + spread * generator.normal(size=(len(unit), SIZE))
    enrol, test = np.array(list(itertools.combinations(range(len(unit)), 2))).T
    target = unit[enrol] == unit[test]
    items = pd.DataFrame({"unit": [f"s{number}" for number in unit]})
    trials = TrialIndex(enrol, test, target, np.where(target, "target", "nontarget"))
    return Side(outputs.astype(np.float32), Lists(items, (), trials))


def _trials(side: Side) -> TrialIndex:
    assert side.lists.trials is not None
    return side.lists.trials


def judged(task: Verification, validation: Side, test: Side) -> Judgement:
    return task.judge(test.lists, task.score(validation, test, None))


def plain_scores(side: Side) -> list[float]:
    """One trial at a time, in double precision."""
    pairs = zip(_trials(side).enrol, _trials(side).test, strict=True)
    sides = ((side.outputs[a].astype(float), side.outputs[b].astype(float)) for a, b in pairs)
    return [float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))) for a, b in sides]


def plain_eer(scores: list[float], target: np.ndarray) -> float:
    false_alarm, hit, _ = roc_curve(target, scores, drop_intermediate=False)
    line = interp1d(false_alarm, hit)
    return float(brentq(lambda rate: 1 - rate - line(rate), 0, 1))


def plain_min_dcf(scores: list[float], target: np.ndarray, p_target: float) -> float:
    values = np.array(scores)
    costs = [
        p_target * (values[target] < limit).mean()
        + (1 - p_target) * (values[~target] >= limit).mean()
        for limit in [*values, np.inf]
    ]
    return float(min(costs) / min(p_target, 1 - p_target))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("p_target", [0.01, 0.3])
def test_metrics_equal_plain_ones(seed: int, p_target: float) -> None:
    task, test = Verification(p_target=p_target, resamples=50), side(seed)
    found = judged(task, side(seed + 100), test).metrics
    scores, target = plain_scores(test), _trials(test).target
    assert found["eer"].value == pytest.approx(plain_eer(scores, target), abs=1e-6)
    assert found["min_dcf"].value == pytest.approx(plain_min_dcf(scores, target, p_target))
    assert 0.02 < found["eer"].value < 0.48


def test_scores_equal_plain_ones() -> None:
    test = side(3)
    found = Verification().score(side(4), test, None)["scores"]
    np.testing.assert_allclose(found, plain_scores(test), atol=1e-6)


def test_the_threshold_comes_from_validation() -> None:
    task, validation, test = Verification(resamples=50), side(1, spread=0.7), side(2, spread=1.5)
    threshold = task.validate(validation)["threshold"]
    assert threshold != task.validate(test)["threshold"]
    kept = task.score(validation, test, None)
    scores, target = kept["scores"], _trials(test).target
    metrics = task.judge(test.lists, kept).metrics
    assert metrics["miss_at_threshold"].value == (scores[target] < threshold).mean()
    assert metrics["false_alarm_at_threshold"].value == (scores[~target] >= threshold).mean()
    other = judged(task, side(9), test).metrics
    assert other["eer"] == metrics["eer"]
    assert other["miss_at_threshold"] != metrics["miss_at_threshold"]


def test_each_speaker_left_out_by_hand() -> None:
    test = side(4)
    left = judged(Verification(resamples=50), side(5), test).left_one_out["eer"]
    scores, trials = np.array(plain_scores(test)), _trials(test)
    unit = test.lists.items["unit"].to_numpy()
    assert list(left) == sorted(set(unit))
    for speaker, value in left.items():
        kept = (unit[trials.enrol] != speaker) & (unit[trials.test] != speaker)
        wanted = plain_eer(list(scores[kept]), trials.target[kept])
        assert value == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embeddings_that_are_no_numbers_are_refused(value: float) -> None:
    test = side(6)
    test.outputs[3, 2] = value
    with pytest.raises(MetricError, match=r"NaN or infinite"):
        Verification().validate(test)


def test_an_embedding_of_nothing_but_zeros_is_refused() -> None:
    test = side(6)
    test.outputs[3] = 0
    with pytest.raises(MetricError, match="length 0"):
        Verification().validate(test)


def test_what_validation_decides_is_judged_on_test() -> None:
    task, validation, test = Verification(p_target=0.3, resamples=50), side(1), side(2)
    kept = task.score(validation, test, None)
    metrics = task.judge(test.lists, kept).metrics
    llrs = Calibration(*kept["calibration"]).apply(kept["scores"])
    target, limit = _trials(test).target, np.log(0.7 / 0.3)
    cost = 0.3 * (llrs[target] < limit).mean() + 0.7 * (llrs[~target] >= limit).mean()
    assert metrics["act_dcf"].value == pytest.approx(cost / 0.3)
    assert metrics["act_dcf"].value >= metrics["min_dcf"].value
    bits = np.log2(1 + np.exp(-llrs[target])).mean() + np.log2(1 + np.exp(llrs[~target])).mean()
    assert metrics["cllr"].value == pytest.approx(bits / 2)
    assert 0 < metrics["min_cllr"].value <= metrics["cllr"].value


def standard(score: float, cohort: np.ndarray) -> float:
    return float((score - cohort.mean()) / cohort.std())


@pytest.mark.parametrize("scoring", ["as-norm", "s-norm"])
@pytest.mark.parametrize("subtract", [False, True])
def test_normalised_scores_equal_plain_ones(scoring: str, subtract: bool) -> None:
    test, training = side(1), side(7)
    task = Verification(scoring=scoring, cohort_top=3, subtract_mean=subtract)  # type: ignore[arg-type]
    assert task.scores_with_training
    found = task.score(side(2), test, training)["scores"]
    centre = training.outputs.mean(0) if subtract else 0.0
    outputs, trained = test.outputs - centre, training.outputs - centre
    names = training.lists.items["unit"].to_numpy()
    cohort = np.stack([trained[names == name].mean(0) for name in np.unique(names)])
    unit = outputs / np.linalg.norm(outputs, axis=1, keepdims=True)
    unit_cohort = cohort / np.linalg.norm(cohort, axis=1, keepdims=True)
    nearest = np.sort(unit @ unit_cohort.T)[:, -3 if scoring == "as-norm" else 0 :]
    pairs = zip(_trials(test).enrol, _trials(test).test, strict=True)
    wanted = [
        (standard(unit[a] @ unit[b], nearest[a]) + standard(unit[a] @ unit[b], nearest[b])) / 2
        for a, b in pairs
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_how_trials_are_scored_belongs_to_the_protocol() -> None:
    plain = Verification().parameters()
    assert not Verification().scores_with_training
    for other in (
        Verification(scoring="as-norm"),
        Verification(scoring="as-norm", cohort_top=9),
        Verification(scoring="s-norm"),
        Verification(subtract_mean=True),
    ):
        assert other.parameters() != plain
    with pytest.raises(ConfigError, match="give one of cosine, as-norm, s-norm"):
        Verification(scoring="plda")  # type: ignore[arg-type]
