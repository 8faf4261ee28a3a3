"""What a loss is said to do, held against cross-entropy over trainings that differ in it alone.

Four claims are made of gradient harmonising: it balances gradients, steadies training, attends to
hard examples, and improves accuracy. Each is a difference between pairs of trainings of equal seed
and fold, tested by Student's t over the pairs (accuracy: over the test's units, as tables rank),
with Holm's correction over the losses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from harness.metrics.comparison import holm, two_sided_p

FEWEST = 3
"""Pairs of trainings without which nothing can be concluded."""

LEVEL = 0.05

Claim = Literal["balance", "steadiness", "attention", "accuracy"]
Verdict = Literal["holds", "contrary", "cannot tell", "not known"]

Training = tuple[int | None, int]
"""Seed, and fold from 1; fold 0 where a dataset is judged as a whole."""

Facts = Mapping[Training, Mapping[str, float]]
"""Training -> its facts: those of `harness.series.loss_evidence`."""


@dataclass(frozen=True)
class ClaimQuestion:
    """One thing that a claim is judged by.

    Attributes:
        claim: which.
        fact: the number of a training that is compared.
        higher: True if the claim is that it rises.
        ratio: True if it is compared as a ratio: its size differs from loss to loss.
    """

    claim: Claim
    fact: str
    higher: bool
    ratio: bool = False


QUESTIONS = (
    ClaimQuestion("balance", "balance", higher=True),
    ClaimQuestion("steadiness", "loss_spread", higher=False, ratio=True),
    ClaimQuestion("steadiness", "accuracy_spread", higher=False, ratio=True),
    ClaimQuestion("attention", "hardest_weight", higher=True),
    ClaimQuestion("attention", "hard_accuracy", higher=True),
)


@dataclass(frozen=True)
class Judged:
    """One question about one loss, answered.

    Attributes:
        claim, fact: which.
        loss: its name.
        verdict: `holds`, or the `contrary` does, both at 5 %; it `cannot tell`; or it is `not
            known`, as too few trainings, or none, say anything of it.
        value, baseline: the means over the pairs, of the loss and of cross-entropy; NaN if unknown.
        low, high: the 95 % interval of their difference (of their ratio, where `ratio`).
        ratio: True if they are compared as a ratio.
        p: two-sided, after Holm's correction over the losses; NaN if unknown.
        pairs: trainings of equal seed and fold.
    """

    claim: Claim
    fact: str
    loss: str
    verdict: Verdict
    value: float = math.nan
    baseline: float = math.nan
    low: float = math.nan
    high: float = math.nan
    ratio: bool = False
    p: float = math.nan
    pairs: int = 0


def judge_claims(losses: Mapping[str, Facts], baseline: Facts) -> list[Judged]:
    """Judge every question but that of accuracy, of each loss.

    Args:
        losses: name -> its trainings.
        baseline: those of cross-entropy, under the same recipe on the same data.

    Returns:
        Questions in their order, the losses of each in theirs.
    """
    return [
        each
        for question in QUESTIONS
        for each in _corrected(
            [_compare(question, name, own, baseline) for name, own in losses.items()]
        )
    ]


def judge_accuracy(
    loss: str, value: float, baseline: float, p: float | None, pairs: int, *, higher: bool = True
) -> Judged:
    """Judge the claim of accuracy by a paired test over the test's units.

    Args:
        loss: its name.
        value, baseline: the metric under the loss and under cross-entropy.
        p: two-sided, corrected over the table's entries; None if they could not be compared.
        pairs: trainings of each.
        higher: direction of the metric.
    """
    if p is None or pairs < FEWEST:
        return Judged("accuracy", "accuracy", loss, "not known", value, baseline, pairs=pairs)
    verdict = _verdict(p, (value > baseline) == higher)
    return Judged("accuracy", "accuracy", loss, verdict, value, baseline, p=p, pairs=pairs)


def _compare(question: ClaimQuestion, name: str, own: Facts, baseline: Facts) -> Judged:
    """Compare the trainings that both have; the p value is not corrected yet."""
    fact, ratio = question.fact, question.ratio
    both = [key for key in own if fact in own[key] and fact in baseline.get(key, {})]
    ours = np.array([own[key][fact] for key in both], dtype=np.float64)
    theirs = np.array([baseline[key][fact] for key in both], dtype=np.float64)
    unknown = Judged(question.claim, fact, name, "not known", ratio=ratio, pairs=len(both))
    if len(both) < FEWEST or (ratio and not (np.all(ours > 0) and np.all(theirs > 0))):
        return unknown
    gaps = np.log(ours / theirs) if ratio else ours - theirs
    mean, error = float(gaps.mean()), float(gaps.std(ddof=1)) / math.sqrt(len(gaps))
    reach = float(stdtrit(len(gaps) - 1, 1 - LEVEL / 2)) * error
    ends = mean - reach, mean + reach
    low, high = (math.exp(end) for end in ends) if ratio else ends
    p = float(two_sided_p(np.array([mean]), np.array([error]), len(gaps) - 1)[0])
    verdict = _verdict(p, (mean > 0) == question.higher)
    means = float(ours.mean()), float(theirs.mean())
    return Judged(question.claim, fact, name, verdict, *means, low, high, ratio, p, len(both))


def _corrected(found: Sequence[Judged]) -> list[Judged]:
    """Correct the p values of one question over the losses."""
    known = [each for each in found if not math.isnan(each.p)]
    adjusted = iter(holm([each.p for each in known]).tolist())
    return [each if math.isnan(each.p) else _with_p(each, next(adjusted)) for each in found]


def _with_p(judged: Judged, p: float) -> Judged:
    return replace(judged, p=p, verdict=judged.verdict if p < LEVEL else "cannot tell")


def _verdict(p: float, as_claimed: bool) -> Verdict:
    if not p < LEVEL:
        return "cannot tell"
    return "holds" if as_claimed else "contrary"
