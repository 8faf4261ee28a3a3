"""The regression's optimum against SciPy's, against its own conditions, and where it has none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from harness.metrics.validation import MetricError
from harness.scoring import regression
from harness.scoring.regression import Affine, fit_llr, usable_columns


def trials(columns: int = 2, count: int = 600, seed: int = 0):
    """Overlapping sides, one target in four, columns of different use and scale."""
    rng = np.random.default_rng(seed)
    is_target = np.arange(count) % 4 == 0
    scales = 10.0 ** np.arange(columns)
    made = [scale * (rng.normal(size=count) + is_target) + 5 for scale in scales]
    return made, is_target


def cross_entropy(llrs, is_target, p_target: float) -> float:
    """The training objective, a trial at a time."""
    shift = math.log(p_target / (1 - p_target))
    missed = [np.logaddexp(0, -llr - shift) for llr in llrs[is_target]]
    accepted = [np.logaddexp(0, llr + shift) for llr in llrs[~is_target]]
    return p_target * math.fsum(missed) / len(missed) + (1 - p_target) * math.fsum(accepted) / len(
        accepted
    )


@pytest.mark.parametrize("p_target", [0.01, 0.5, 0.9])
@pytest.mark.parametrize("columns", [1, 3])
def test_no_other_map_has_less_cross_entropy(columns, p_target):
    made, is_target = trials(columns)
    fitted = fit_llr(made, is_target, p_target)
    least = cross_entropy(fitted.apply(made), is_target, p_target)
    scales = np.array([np.std(column) for column in made])

    def objective(values):
        llrs = sum(w * (c - 5) / s for w, c, s in zip(values, made, scales, strict=False))
        return cross_entropy(llrs + values[-1], is_target, p_target)

    found = minimize(objective, np.zeros(columns + 1), method="BFGS", options={"gtol": 1e-7})
    assert least <= found.fun + 1e-12
    np.testing.assert_allclose(fitted.weights, found.x[:-1] / scales, rtol=1e-3)


@pytest.mark.parametrize("p_target", [0.01, 0.5, 0.9])
def test_every_slope_is_zero_at_the_optimum(p_target):
    made, is_target = trials()
    llrs = fit_llr(made, is_target, p_target).apply(made)
    posterior = 1 / (1 + np.exp(-(llrs + math.log(p_target / (1 - p_target)))))
    sides = p_target / is_target.sum(), (1 - p_target) / (~is_target).sum()
    pull = np.where(is_target, sides[0] * (posterior - 1), sides[1] * posterior)
    assert abs(pull.sum()) < 1e-12
    for column in made:
        assert abs(pull @ (column - column.mean())) / column.std() < 1e-8


def test_copies_of_one_side_change_nothing():
    made, is_target = trials()
    once = fit_llr(made, is_target, 0.1)
    copied = [np.r_[column, np.tile(column[is_target], 3)] for column in made]
    labels = np.r_[is_target, np.ones(3 * is_target.sum(), dtype=bool)]
    again = fit_llr(copied, labels, 0.1)
    np.testing.assert_allclose(again.weights, once.weights, rtol=1e-9)
    assert again.offset == pytest.approx(once.offset, rel=1e-9)


def test_the_same_trials_give_the_same_map_to_the_last_bit():
    """Whatever was fitted in between, and however their scores lie in memory."""
    made, is_target = trials()
    once = fit_llr(made, is_target, 0.5)
    assert fit_llr(*trials(seed=1), 0.5) != once
    spread = [np.repeat(column, 2)[::2] for column in made]
    assert fit_llr(spread, is_target, 0.5) == once
    assert all(map(np.array_equal, [*made, *spread], trials()[0] * 2))


@pytest.mark.parametrize("p_target", [0.001, 0.5])
def test_sides_without_overlap_give_finite_ratios(p_target):
    is_target = np.array([True, True, False, False, False])
    column = np.array([2.0, 1.5, 1.0, -3.0, 0.0])
    llrs = fit_llr([column], is_target, p_target).apply([column])
    odds = llrs + math.log(p_target / (1 - p_target))
    assert 5 < odds[is_target].min() < 40
    assert -40 < odds[~is_target].max() < -5


def test_the_ridge_moves_ordinary_weights_by_less_than_a_millionth(monkeypatch):
    made, is_target = trials()
    usual = fit_llr(made, is_target, 0.5)
    monkeypatch.setattr(regression, "RIDGE", 1e-13)
    np.testing.assert_allclose(usual.weights, fit_llr(made, is_target, 0.5).weights, rtol=1e-6)


def test_no_convergence_is_an_error(monkeypatch):
    made, is_target = trials()
    monkeypatch.setattr(regression, "MOST_STEPS", 2)
    monkeypatch.setattr(regression, "LAST_STEPS", 0)
    with pytest.raises(MetricError, match="600 trials on 2 columns did not converge"):
        fit_llr(made, is_target, 0.5)


@pytest.mark.parametrize(
    ("columns", "labels", "p_target", "message"),
    [
        ([[1.0, 2.0]], [True, True], 0.5, "2 targets and 0 nontargets"),
        ([[1.0, 2.0]], [True, False], 0.0, "p_target is 0.0"),
        ([[1.0, 2.0]], [True, False, True], 0.5, "lengths differ"),
        ([[1.0, 2.0]], [1, 0], 0.5, "is_target: dtype int64, want bool"),
        ([[1.0, 2.0], [3.0, 3.0]], [True, False], 0.5, "column 1 of .* has one value, 3.0"),
    ],
)
def test_what_cannot_be_fitted_is_refused(columns, labels, p_target, message):
    arrays = [np.array(column) for column in columns]
    with pytest.raises(MetricError, match=message):
        fit_llr(arrays, np.array(labels), p_target)


@pytest.mark.parametrize(
    ("scores", "qualities", "message"),
    [
        ([], None, "there is no system"),
        ([[1.0, 2.0], [1.0]], None, "lengths differ"),
        ([[1.0, np.nan]], None, "scores 0: 1 of 2 are NaN"),
        ([[1.0, 2.0]], [[1.0, np.inf]], "qualities 0: 1 of 2 are NaN"),
        ([[1.0, 2.0]], [1.0, 2.0], "qualities 0: shape"),
    ],
)
def test_columns_must_fit_each_other(scores, qualities, message):
    with pytest.raises(MetricError, match=message):
        usable_columns(scores, qualities)


def test_a_map_wants_the_columns_of_its_fit():
    with pytest.raises(MetricError, match=r"1 columns .*, fitted on 2"):
        Affine((1.0, 2.0), 0.0).apply([np.ones(3)])


@pytest.mark.parametrize("gap", [1e-3, 0.1, 1.0])
@pytest.mark.parametrize("p_target", [0.01, 0.5])
def test_sides_without_an_error_between_them_are_fitted(gap: float, p_target: float) -> None:
    rng = np.random.default_rng(0)
    for targets, nontargets in rng.integers(2, 200, (40, 2)):
        scores = np.r_[0.5 + gap + rng.random(targets), 0.5 - rng.random(nontargets)]
        is_target = np.arange(len(scores)) < targets
        llrs = fit_llr([scores], is_target, p_target).apply([scores])
        # How sure the ratios are is the ridge's doing; that they part the sides is the trials'.
        assert np.isfinite(llrs).all()
        assert llrs[is_target].min() > llrs[~is_target].max()
        assert llrs[is_target].max() > 0 > llrs[~is_target].min()
