"""Claims about a loss: Student's t over pairs, against SciPy, and what too few pairs allow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from harness.health.claims import Facts, judge_accuracy, judge_claims

RNG = np.random.default_rng(3)


def trainings(fact: str, values: list[float]) -> Facts:
    return {(seed, 0): {fact: value} for seed, value in enumerate(values)}


def test_the_p_value_is_that_of_a_paired_t_test() -> None:
    ours, theirs = RNG.normal(0.8, 0.02, 5), RNG.normal(0.7, 0.02, 5)
    found = judge_claims(
        {"ghm": trainings("balance", ours.tolist())}, trainings("balance", theirs.tolist())
    )
    (balance,) = [each for each in found if each.fact == "balance"]
    reference = ttest_rel(ours, theirs)
    interval = reference.confidence_interval(0.95)
    assert balance.p == pytest.approx(reference.pvalue)
    assert (balance.low, balance.high) == pytest.approx((interval.low, interval.high))
    assert (balance.verdict, balance.pairs) == ("holds", 5)


def test_spreads_are_compared_as_ratios_and_a_larger_one_is_the_contrary() -> None:
    theirs = [0.010, 0.012, 0.011, 0.013]
    ours = [3 * each for each in theirs]
    ours[0] *= 1.01
    fact = "loss_spread"
    found = judge_claims({"ghm": trainings(fact, ours)}, trainings(fact, theirs))
    (spread,) = [each for each in found if each.fact == fact]
    assert spread.verdict == "contrary"
    assert spread.low < 3 < spread.high
    reference = ttest_rel(np.log(ours), np.log(theirs))
    assert spread.p == pytest.approx(reference.pvalue)


def test_losses_are_corrected_together() -> None:
    theirs = [0.50, 0.52, 0.51]
    near = [0.53, 0.545, 0.542]
    alone = judge_claims({"a": trainings("balance", near)}, trainings("balance", theirs))[0]
    both = judge_claims(
        {"a": trainings("balance", near), "b": trainings("balance", [0.5, 0.53, 0.5])},
        trainings("balance", theirs),
    )
    assert both[0].p == pytest.approx(2 * alone.p)
    assert [each.loss for each in both if each.fact == "balance"] == ["a", "b"]


def test_pairs_are_of_equal_seed_and_fold_and_two_are_too_few() -> None:
    theirs = {(0, 1): {"balance": 0.5}, (0, 2): {"balance": 0.6}, (1, 1): {"balance": 0.4}}
    ours = {(0, 1): {"balance": 0.7}, (0, 2): {"balance": 0.8}, (2, 1): {"balance": 0.9}}
    found = judge_claims({"ghm": ours}, theirs)[0]
    assert (found.verdict, found.pairs) == ("not known", 2)


@pytest.mark.parametrize(
    ("value", "p", "pairs", "verdict"),
    [
        (0.9, 0.01, 3, "holds"),
        (0.7, 0.01, 3, "contrary"),
        (0.9, 0.2, 3, "cannot tell"),
        (0.9, 0.01, 2, "not known"),
        (0.9, None, 3, "not known"),
    ],
)
def test_accuracy_is_judged_by_the_tables_own_test(
    value: float, p: float | None, pairs: int, verdict: str
) -> None:
    assert judge_accuracy("ghm", value, 0.8, p, pairs).verdict == verdict
