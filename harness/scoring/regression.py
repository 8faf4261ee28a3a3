"""Logistic regression from columns of scores to log-likelihood ratios; calibration and fusion.

It minimises the prior-weighted cross-entropy of Brümmer and du Preez, "Application-independent
evaluation of speaker detection", Computer Speech and Language 20, 2006: with llr = w . x + b,
p / T * sum over targets of log(1 + exp(-llr - logit p)) +
(1 - p) / N * sum over nontargets of log(1 + exp(llr + logit p)), p the prior of a target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lstsq
from scipy.special import expit

from harness.metrics.operating_point import OperatingPoint
from harness.metrics.validation import MetricError, check_same_length, usable_labels, usable_scores

RIDGE = 1e-9
"""Half of it times the squared weights, of columns brought to deviation 1, is added to the
cross-entropy. It moves ordinary weights by some 1e-7 of themselves, and keeps them finite (llrs of
some 20 at the gap) if targets and nontargets can be separated without an error."""
TOLERANCE = 1e-12
"""The largest slope of the cross-entropy that is taken for 0."""
STEEPEST = 1e-8
"""The largest slope with which a fit has converged, if rounding allows no less."""
SMALLEST_SPREAD = 1e-100
"""A deviation of scores whose square, and that of its inverse, a float64 still holds well."""
MOST_STEPS = 200
LAST_STEPS = 5

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Affine:
    """llr = weights . columns + offset, natural logarithm."""

    weights: tuple[float, ...]
    offset: float

    def apply(self, columns: Sequence[Floats]) -> NDArray[np.float64]:
        """Compute the log-likelihood ratio `[N]` of every trial, from columns of `[N]`.

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
    """List score columns and quality columns, each `[N]`, scores first.

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
    """Fit the affine map whose output is a natural-log likelihood ratio.

    Deterministic, to rounding the least cross-entropy: Newton's method, within a region of trust,
    on a strictly convex function. It holds some eight float64 values a trial, and one more for
    each column.

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
    # Without costs the Bayes threshold is -logit(p), which turns log posterior odds into llrs.
    from_odds = OperatingPoint(p_target).bayes_threshold
    weights = _trial_weights(labels, p_target)
    design, centres, spreads = _standardise(columns, weights)
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


def _standardise(
    columns: Sequence[Floats], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the columns `[N, M]` with weighted mean 0 and deviation 1, and their own of both."""
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
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            spreads[place] = np.sqrt(weights @ design[:, place] ** 2)
        if not SMALLEST_SPREAD < spreads[place] < 1 / SMALLEST_SPREAD:
            raise MetricError(
                f"column {place} of scores and qualities: its deviation {spreads[place]:.3g} is "
                f"out of the range {SMALLEST_SPREAD:g} to {1 / SMALLEST_SPREAD:g}; multiply it "
                "by a constant"
            )
        design[:, place] /= spreads[place]
    return design, centres, spreads


def _minimise(
    design: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return slopes `[M]` and intercept of the log posterior odds."""
    from scipy.optimize import minimize  # a tenth of a second, which a call that plans spares

    entropy = _CrossEntropy(design, np.where(labels, 1.0, -1.0), weights)
    found = minimize(
        entropy.value,
        np.zeros(design.shape[1] + 1),
        jac=entropy.gradient,
        hess=entropy.hessian,
        method="trust-exact",
        options={"gtol": TOLERANCE, "maxiter": MOST_STEPS},
    )
    point = _polish(entropy, found.x)
    steepest = float(np.abs(entropy.gradient(point)).max())
    if not steepest <= STEEPEST:
        raise MetricError(
            f"the regression of {len(labels)} trials on {design.shape[1]} columns did not "
            f"converge ({found.message}); look for columns that repeat each other or for outliers"
        )
    return point[:-1], float(point[-1])


def _polish(entropy: _CrossEntropy, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take Newton's last steps: slopes still differ when values no longer do."""
    slopes = entropy.gradient(point)
    for _ in range(LAST_STEPS):
        nearer = point - lstsq(entropy.hessian(point), slopes)[0]
        flatter = entropy.gradient(nearer)
        if not np.abs(flatter).max() < np.abs(slopes).max():
            break
        point, slopes = nearer, flatter
    return point


@dataclass(frozen=True, eq=False)
class _CrossEntropy:
    """The weighted cross-entropy of trials, with the ridge on the slopes alone.

    Attributes:
        design: `[N, M]`.
        signs: `[N]`, 1 for targets and -1 for nontargets.
        weights: `[N]`.
    """

    design: NDArray[np.float64]
    signs: NDArray[np.float64]
    weights: NDArray[np.float64]

    def value(self, point: NDArray[np.float64]) -> float:
        lost = np.logaddexp(0.0, -self.signs * self._odds(point))
        return float(self.weights @ lost + 0.5 * RIDGE * point[:-1] @ point[:-1])

    def gradient(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        pulls = -self.weights * self.signs * expit(-self.signs * self._odds(point))
        slopes = self.design.T @ pulls + RIDGE * point[:-1]
        return np.append(slopes, pulls.sum())

    def hessian(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        odds = self._odds(point)
        curves = self.weights * expit(odds) * expit(-odds)
        columns = self.design.shape[1]
        table = np.empty((columns + 1, columns + 1))
        table[:-1, :-1] = (self.design.T * curves) @ self.design + RIDGE * np.eye(columns)
        table[-1, :-1] = table[:-1, -1] = self.design.T @ curves
        table[-1, -1] = curves.sum()
        return table

    def _odds(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.design @ point[:-1] + point[-1])
