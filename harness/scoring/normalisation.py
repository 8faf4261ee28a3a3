"""Score normalisation: each score relative to the scores of its two sides on a cohort.

The cohort is made of speakers of the training set, one embedding each: disjoint from the speakers
of the trials, so that no speaker of a trial is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import (
    MetricError,
    check_finite,
    check_same_length,
    check_vector,
    usable_scores,
)
from harness.scoring.cosine import lengths, scale_rows, unit_length
from harness.scoring.preparation import (
    Floats,
    average_by_model,
    check_same_size,
    usable_embeddings,
    usable_rows,
)

LEAST_DEVIATION = 1e-6
"""Cosines of float32 are known to some 1e-7: a smaller spread than this is rounding."""
SCORES_AT_ONCE = 1 << 21
TRIALS_AT_ONCE = 1 << 18

Rows = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class CohortStatistics:
    """Statistics of one side's cosines with the cohort.

    Attributes:
        mean: `[R]`, the mean of each embedding's cohort scores.
        std: `[R]`, their population standard deviation.

    Raises:
        MetricError: lengths differ, NaN or infinite values, or a deviation below LEAST_DEVIATION.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def __post_init__(self) -> None:
        check_vector(self.std, "cohort deviations")
        check_same_length(mean=self.mean, std=self.std)
        check_finite(self.mean, "cohort means")
        check_finite(self.std, "cohort deviations")
        flat = np.flatnonzero(self.std < LEAST_DEVIATION)
        if flat.size:
            raise MetricError(
                f"{flat.size} of {self.std.size} embeddings score the same on the whole cohort, "
                f"the first is row {flat[0]}; give a cohort of different speakers, or a larger top"
            )

    def standard(self, scores: Floats, rows: Rows) -> NDArray[np.float64]:
        """Return scores `[N]` as deviations from the cohort mean of their rows `[N]`."""
        return np.asarray((scores - self.mean[rows]) / self.std[rows])


def speaker_means(embeddings: ArrayLike, speakers: ArrayLike) -> NDArray[np.float32]:
    """Compute the mean embedding of every speaker: the cohort.

    Args:
        embeddings: `[rows, size]`, of the training set.
        speakers: `[rows]`, the name or code of each row's speaker.

    Returns:
        `[S, size]`, float32, in the order of `np.unique(speakers)`.

    Raises:
        MetricError: lengths differ, or NaN or infinite values.

    >>> speaker_means([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]], ["b", "b", "a"])
    array([[5., 5.],
           [2., 1.]], dtype=float32)
    """
    return average_by_model(embeddings, speakers, np.unique(np.asarray(speakers)))


def cohort_statistics(
    embeddings: ArrayLike, cohort: ArrayLike, *, top: int | None = 300
) -> CohortStatistics:
    """Compute mean and deviation of every embedding's highest cosines with the cohort.

    Once for each embedding and never for each trial; beside the result it holds the cohort once
    more and some 40 MiB.

    Args:
        embeddings: `[R, size]`, all enrol or all test embeddings.
        cohort: `[C, size]`, for example `speaker_means` of the training set.
        top: the number of highest cosines that count; None for the whole cohort.

    Raises:
        MetricError: sizes differ, fewer than 2 in the cohort, `top` below 2 or larger than the
            cohort, cosines that do not vary, or as `lengths`.

    >>> cohort_statistics([[1.0, 0.0]], [[1.0, 0.0], [3.0, 4.0], [0.0, 1.0]], top=2).mean.round(6)
    array([0.8])
    """
    values = usable_embeddings(embeddings, "embeddings")
    unit = unit_length(cohort, "cohort")
    check_same_size(values, unit, "embeddings and cohort")
    kept = _usable_top(top, len(unit))
    norms = lengths(values, "embeddings")
    mean, std = np.empty(len(values)), np.empty(len(values))
    step = max(1, SCORES_AT_ONCE // max(unit.shape))
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        scores = scale_rows(values[rows], norms[rows]) @ unit.T
        scores.partition(len(unit) - kept, axis=1)
        best = scores[:, len(unit) - kept :]
        mean[rows] = best.mean(axis=1, dtype=np.float64)
        std[rows] = best.std(axis=1, dtype=np.float64)
    return CohortStatistics(mean, std)


def as_norm(
    scores: ArrayLike,
    enrol: CohortStatistics,
    test: CohortStatistics,
    enrol_rows: Rows,
    test_rows: Rows,
) -> Floats:
    """Normalise scores by both sides' cohort statistics.

    ((s - enrol mean) / enrol deviation + (s - test mean) / test deviation) / 2. With statistics of
    each side's own highest cohort scores this is adaptive s-norm, AS-norm1 of Matejka et al.,
    "Analysis of score normalization in multilingual speaker recognition", Interspeech 2017; with
    those of the whole cohort (`top=None`) it is s-norm: Kenny, "Bayesian speaker verification with
    heavy-tailed priors", Odyssey 2010.

    Args:
        scores: `[trials]`, cosines.
        enrol: of the enrol embeddings.
        test: of the test embeddings.
        enrol_rows: `[trials]`, each trial's row in `enrol`.
        test_rows: `[trials]`, each trial's row in `test`.

    Returns:
        `[trials]`, of the scores' dtype.

    Raises:
        MetricError: no trials, NaN or infinite scores, lengths differ, or a row that is not there.

    >>> side = CohortStatistics(np.array([0.1]), np.array([0.2]))
    >>> as_norm([0.5], side, side, [0], [0])
    array([2.])
    """
    values = usable_scores(scores, "scores")
    left = usable_rows(enrol_rows, len(enrol.mean), "enrol rows")
    right = usable_rows(test_rows, len(test.mean), "test rows")
    check_same_length(scores=values, enrol_rows=left, test_rows=right)
    normalised = np.empty_like(values)
    for start in range(0, len(values), TRIALS_AT_ONCE):
        some = slice(start, start + TRIALS_AT_ONCE)
        both = enrol.standard(values[some], left[some]) + test.standard(values[some], right[some])
        normalised[some] = both / 2
    return normalised


def _usable_top(top: int | None, cohort: int) -> int:
    if cohort < 2:
        raise MetricError(f"cohort: {cohort} embedding has no spread; give at least 2 speakers")
    if top is None:
        return cohort
    if not 2 <= top <= cohort:
        raise MetricError(
            f"top is {top} and the cohort has {cohort} embeddings; give 2 to {cohort}, or None "
            "for all"
        )
    return top
