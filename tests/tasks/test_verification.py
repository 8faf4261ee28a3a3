"""Verification against computations of another kind."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from harness.data.trials import Trials
from harness.metrics.errors import MetricError
from harness.tasks.task import Side
from harness.tasks.verification import Verification, cosine_scores

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
    trials = Trials(enrol, test, target, np.where(target, "target", "nontarget"))
    return Side(outputs.astype(np.float32), items, (), trials)


def _trials(judged: Side) -> Trials:
    assert judged.trials is not None
    return judged.trials


def plain_scores(judged: Side) -> list[float]:
    """One trial at a time, in double precision."""
    pairs = zip(_trials(judged).enrol, _trials(judged).test, strict=True)
    sides = ((judged.outputs[a].astype(float), judged.outputs[b].astype(float)) for a, b in pairs)
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
    found = task.evaluate(side(seed + 100), test).metrics
    scores, target = plain_scores(test), _trials(test).target
    assert found["eer"].value == pytest.approx(plain_eer(scores, target), abs=1e-6)
    assert found["min_dcf"].value == pytest.approx(plain_min_dcf(scores, target, p_target))
    assert 0.02 < found["eer"].value < 0.48


def test_scores_equal_plain_ones() -> None:
    judged = side(3)
    found = cosine_scores(judged.outputs, _trials(judged))
    np.testing.assert_allclose(found, plain_scores(judged), atol=1e-6)


def test_the_threshold_comes_from_validation() -> None:
    task, validation, test = Verification(resamples=50), side(1, spread=0.7), side(2, spread=1.5)
    threshold = task.validate(validation)["threshold"]
    assert threshold != task.validate(test)["threshold"]
    found = task.evaluate(validation, test)
    scores, target = found.scores["scores"], _trials(test).target
    metrics = found.metrics
    assert metrics["miss_at_threshold"].value == (scores[target] < threshold).mean()
    assert metrics["false_alarm_at_threshold"].value == (scores[~target] >= threshold).mean()
    other = task.evaluate(side(9), test).metrics
    assert other["eer"] == metrics["eer"]
    assert other["miss_at_threshold"] != metrics["miss_at_threshold"]


def test_each_speaker_left_out_by_hand() -> None:
    test = side(4)
    left = Verification(resamples=50).evaluate(side(5), test).left_one_out["eer"]
    scores, trials = np.array(plain_scores(test)), _trials(test)
    unit = test.items["unit"].to_numpy()
    assert list(left) == sorted(set(unit))
    for speaker, value in left.items():
        kept = (unit[trials.enrol] != speaker) & (unit[trials.test] != speaker)
        wanted = plain_eer(list(scores[kept]), trials.target[kept])
        assert value == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embeddings_that_are_no_numbers_are_refused(value: float) -> None:
    test = side(6)
    test.outputs[3, 2] = value
    with pytest.raises(MetricError, match=r"are NaN or infinite, the first at position"):
        Verification().validate(test)


def test_an_embedding_of_nothing_but_zeros_is_refused() -> None:
    test = side(6)
    test.outputs[3] = 0
    with pytest.raises(MetricError, match="are NaN or infinite"):
        Verification().validate(test)
