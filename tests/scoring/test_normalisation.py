"""AS-norm and s-norm against a loop over trials with a full sort, and their laws."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from harness.metrics.validation import MetricError
from harness.scoring import normalisation
from harness.scoring.cosine import cosine_of_trials
from harness.scoring.normalisation import (
    CohortStatistics,
    as_norm,
    cohort_statistics,
    speaker_means,
)


def normal(rows: int, size: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, size)).astype(np.float32)


ENROL, TEST, COHORT = normal(5), normal(12, seed=1), normal(40, seed=2)
ROWS, OTHERS = np.random.default_rng(3).integers(0, (5, 12), (60, 2)).T


def slow_cosine(left, right) -> float:
    left, right = left.astype(float), right.astype(float)
    return math.fsum(left * right) / (math.hypot(*left) * math.hypot(*right))


def slow_as_norm(top: int) -> list[float]:
    """Everything anew at every trial."""
    normalised = []
    for row, other in zip(ROWS, OTHERS, strict=True):
        score = slow_cosine(ENROL[row], TEST[other])
        sides = []
        for embedding in (ENROL[row], TEST[other]):
            best = sorted((slow_cosine(embedding, one) for one in COHORT), reverse=True)[:top]
            sides.append((score - statistics.fmean(best)) / statistics.pstdev(best))
        normalised.append(0.5 * (sides[0] + sides[1]))
    return normalised


def fast_as_norm(top: int | None, scale: float = 1.0) -> np.ndarray:
    enrol, test, cohort = (part * np.float32(scale) for part in (ENROL, TEST, COHORT))
    scores = cosine_of_trials(enrol, test, ROWS, OTHERS)
    left, right = (cohort_statistics(side, cohort, top=top) for side in (enrol, test))
    return as_norm(scores, left, right, ROWS, OTHERS)


@pytest.mark.parametrize("top", [2, 10, 39, 40])
@pytest.mark.parametrize("at_once", [1, 130, 1 << 21])
def test_agrees_with_a_loop_and_a_full_sort(top, at_once, monkeypatch):
    monkeypatch.setattr(normalisation, "SCORES_AT_ONCE", at_once)
    monkeypatch.setattr(normalisation, "TRIALS_AT_ONCE", 7)
    # At top = 2 deviations are small, and float32's rounding of a cosine is large beside them.
    np.testing.assert_allclose(
        fast_as_norm(top), slow_as_norm(top), rtol=1e-3 if top == 2 else 1e-5
    )


def test_s_norm_is_as_norm_with_the_whole_cohort():
    np.testing.assert_array_equal(fast_as_norm(None), fast_as_norm(len(COHORT)))


@pytest.mark.parametrize("scale", [1e-6, 0.3, 1e6])
def test_scale_of_the_embeddings_is_of_no_matter(scale):
    np.testing.assert_allclose(fast_as_norm(10, scale), fast_as_norm(10), rtol=1e-4, atol=1e-4)


def test_scores_mapped_with_their_cohort_stay_as_they_are():
    rng = np.random.default_rng(0)
    scores, mean, std = rng.normal(size=20), rng.normal(size=4), rng.uniform(1, 2, 4)
    rows = rng.integers(0, 4, 20)
    plain, mapped = CohortStatistics(mean, std), CohortStatistics(3 * mean + 2, 3 * std)
    np.testing.assert_allclose(
        as_norm(3 * scores + 2, mapped, mapped, rows, rows),
        as_norm(scores, plain, plain, rows, rows),
        atol=1e-12,
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_scores_keep_their_dtype(kind):
    side = CohortStatistics(np.zeros(1), np.ones(1))
    assert as_norm(np.ones(2, dtype=kind), side, side, [0, 0], [0, 0]).dtype == kind


def test_the_cohort_is_the_mean_of_each_speaker():
    means = speaker_means([[1.0], [2.0], [3.0], [5.0]], ["zoe", "ann", "zoe", "ann"])
    np.testing.assert_array_equal(means, [[3.5], [2.0]])


@pytest.mark.parametrize(
    ("top", "cohort", "message"),
    [
        (41, COHORT, "top is 41 and the cohort has 40"),
        (1, COHORT, "top is 1 "),
        (300, COHORT, "give 2 to 40, or None"),
        (None, COHORT[:1], "cohort: 1 embedding has no spread"),
        (None, COHORT[:, :3], "sizes 8 and 3 differ"),
        (None, np.repeat(COHORT[:1], 9, axis=0), "5 of 5 embeddings score the same"),
        (None, np.zeros((3, 8)), "cohort: 3 of 3 have length 0"),
    ],
)
def test_cohorts_that_tell_nothing_are_refused(top, cohort, message):
    with pytest.raises(MetricError, match=message):
        cohort_statistics(ENROL, cohort, top=top)


def test_trials_must_fit_their_statistics():
    side = CohortStatistics(np.zeros(2), np.ones(2))
    with pytest.raises(MetricError, match="test rows: 1 of 1 are outside 0 to 1"):
        as_norm([0.5], side, side, [0], [2])
    with pytest.raises(MetricError, match="lengths differ"):
        as_norm([0.5, 0.5], side, side, [0], [1])
    with pytest.raises(MetricError, match="scores: 1 of 1 are NaN"):
        as_norm([np.nan], side, side, [0], [1])


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([0.0, 0.0], [1.0, 0.0], "1 of 2 embeddings score the same.*row 1"),
        ([0.0], [1.0, 1.0], "lengths differ"),
        ([np.nan], [1.0], "cohort means: 1 of 1"),
        ([0.0], [np.nan], "cohort deviations: 1 of 1"),
    ],
)
def test_statistics_that_cannot_be_are_refused(mean, std, message):
    with pytest.raises(MetricError, match=message):
        CohortStatistics(np.array(mean), np.array(std))
