"""Logistic regression from columns of scores to log-likelihood ratios; calibration and fusion.

Minimised is the prior-weighted cross-entropy of Brümmer and du Preez, "Application-independent
evaluation of speaker detection", Computer Speech and Language 20, 2006: with llr = w . x + b,
p / T * sum over targets of log(1 + exp(-llr - logit p)) +
(1 - p) / N * sum over nontargets of log(1 + exp(llr + logit p)), p the prior of a target.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from harness.metrics.errors import MetricError, check_same_length, usable_scores
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.sides import usable_labels

RIDGE = 1e-9
"""Half of it times the squared weights, of columns brought to deviation 1, is added to the
cross-entropy. It moves ordinary weights by some 1e-7 of themselves, and keeps them finite (llrs of
some 20 at the gap) where targets and nontargets can be parted without an error."""
TOLERANCE = 1e-12
"""The largest slope of the cross-entropy that is taken for none."""
MOST_STEPS = 200

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Affine:
    """llr = weights . columns + offset, natural logarithm."""

    weights: tuple[float, ...]
    offset: float

    def apply(self, columns: Sequence[Floats]) -> NDArray[np.float64]:
        """Computes the log-likelihood ratio `[N]` of every trial, from columns of `[N]`.

        Raises:
            MetricError: another count of columns than there are weights.
        """
        if len(columns) != len(self.weights):
            raise MetricError(
                f"{len(columns)} columns of scores and qualities, fitted on {len(self.weights)}; "
                "give the same ones as in the fit, in the same order"
            )
        llrs = np.full(len(columns[0]), self.offset)
        for weight, column in zip(self.weights, columns, strict=True):
            llrs += np.multiply(column, weight, dtype=np.float64)
        return llrs


def usable_columns(scores: Sequence[ArrayLike], qualities: ArrayLike | None) -> list[Floats]:
    """Lists score columns and quality columns, each `[N]`, scores first.

    Args:
        scores: `[K]` columns.
        qualities: `[Q, N]`, or None.

    Raises:
        MetricError: no score column, NaN or infinite values, or lengths differ.
    """
    extra = [] if qualities is None else list(np.asarray(qualities))
    named = {f"scores {place}": column for place, column in enumerate(scores)}
    named |= {f"qualities {place}": column for place, column in enumerate(extra)}
    if not len(scores):
        raise MetricError("scores: there is no system; give one row of scores a system")
    columns = {name: usable_scores(column, name) for name, column in named.items()}
    check_same_length(**columns)
    return list(columns.values())


def fit_llr(columns: Sequence[Floats], is_target: NDArray[np.bool_], p_target: float) -> Affine:
    """Fits the affine map whose output is a natural-log likelihood ratio.

    Deterministic, to rounding the least cross-entropy: Newton's method on a strictly convex
    function. It holds some eight float64 values a trial, and one more for each column.

    Args:
        columns: `[N]` each, checked.
        is_target: `[N]`, boolean.
        p_target: the effective prior that the two sides are weighted to.

    Raises:
        MetricError: a prior out of its range, a side without trials, labels that are not boolean
            or of another length, a column of one value, or no convergence.
    """
    labels = usable_labels(is_target)
    check_same_length(scores=columns[0], is_target=labels)
    # Without costs the Bayes threshold is -logit(p): what turns log posterior odds into llrs.
    from_odds = OperatingPoint(p_target).bayes_threshold
    weights = _trial_weights(labels, p_target)
    design, centres, spreads = _standardised(columns, weights)
    slopes, intercept = _minimise(design, labels, weights)
    scales = slopes / spreads
    offset = intercept - float(scales @ centres) + from_odds
    return Affine(tuple(scales.tolist()), offset)


def _trial_weights(labels: NDArray[np.bool_], p_target: float) -> NDArray[np.float64]:
    targets = int(np.count_nonzero(labels))
    nontargets = len(labels) - targets
    if not (targets and nontargets):
        raise MetricError(
            f"{targets} targets and {nontargets} nontargets; a calibration needs both"
        )
    return np.where(labels, p_target / targets, (1 - p_target) / nontargets)


def _standardised(
    columns: Sequence[Floats], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns the columns `[N, M]` with weighted mean 0 and deviation 1, and what they had."""
    design = np.empty((len(weights), len(columns)))
    centres, spreads = np.empty(len(columns)), np.empty(len(columns))
    for place, column in enumerate(columns):
        if column.min() == column.max():
            raise MetricError(
                f"column {place} of scores and qualities has one value, {column[0]}, at all "
                f"{len(column)} trials and tells nothing; leave it out"
            )
        centres[place] = np.average(column, weights=weights)
        design[:, place] = column - centres[place]
        spreads[place] = np.sqrt(weights @ design[:, place] ** 2)
        design[:, place] /= spreads[place]
    return design, centres, spreads


def _minimise(
    design: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Returns slopes `[M]` and intercept of the log posterior odds."""
    model = LogisticRegression(
        C=1 / RIDGE, solver="newton-cholesky", tol=TOLERANCE, max_iter=MOST_STEPS
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error", LinAlgWarning)
        try:
            model.fit(design, labels, sample_weight=weights)
        except (ConvergenceWarning, LinAlgWarning) as warning:
            raise MetricError(
                f"the regression of {len(labels)} trials on {design.shape[1]} columns did not "
                f"converge ({warning}); look for columns that repeat each other or for outliers"
            ) from warning
    return np.asarray(model.coef_[0]), float(model.intercept_[0])
