"""Calibration and fusion: from scores of one system or several to log-likelihood ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError
from harness.scoring.regression import Affine, fit_llr, usable_columns


@dataclass(frozen=True)
class Calibration:
    """llr = scale * score + offset + quality_weights . qualities.

    Attributes:
        scale: of the score.
        offset: a natural-log likelihood ratio.
        quality_weights: one for each quality column.
    """

    scale: float
    offset: float
    quality_weights: tuple[float, ...] = ()

    def apply(self, scores: ArrayLike, qualities: ArrayLike | None = None) -> NDArray[np.float64]:
        """Compute log-likelihood ratios, natural logarithm.

        Args:
            scores: `[N]`.
            qualities: `[Q, N]`, the columns of the fit, in its order.

        Returns:
            `[N]`; a trial is best accepted from `OperatingPoint.bayes_threshold` on.

        Raises:
            MetricError: NaN or infinite values, lengths differ, or another count of columns.

        >>> Calibration(scale=2.0, offset=-1.0).apply([0.5, 1.0])
        array([0., 1.])
        """
        affine = Affine((self.scale, *self.quality_weights), self.offset)
        return affine.apply(usable_columns([scores], qualities))


def fit_calibration(
    scores: ArrayLike,
    is_target: NDArray[np.bool_],
    qualities: ArrayLike | None = None,
    *,
    p_target: float = 0.5,
) -> Calibration:
    """Fit a calibration by prior-weighted logistic regression, on validation and never on test.

    Each side is weighted so that the effective prior of a target is `p_target`, whatever the
    share of targets in the list; the offset is that of a likelihood ratio, free of any prior. At
    `p_target=0.5` the minimised cost is Cllr (times ln 2). Quality columns are as in Mandasari et
    al., "Quality measure functions for calibration of speaker recognition systems in various
    duration conditions", IEEE TASLP 21(11), 2013. If a threshold separates the sides without an
    error, the size of the ratios comes from `regression.RIDGE` alone, not from the trials.

    Args:
        scores: `[N]`, of validation trials.
        is_target: `[N]`, boolean.
        qualities: `[Q, N]`, for example the log durations of both sides.
        p_target: the effective prior; the fit is best near it.

    Raises:
        MetricError: NaN or infinite values, lengths differ, a side without trials, a column of
            one value, a prior out of its range, or no convergence.

    >>> fitted = fit_calibration([2.0, 0.0, 0.0, -2.0], np.array([True, True, False, False]))
    >>> abs(fitted.offset) < 1e-9
    True
    """
    affine = fit_llr(usable_columns([scores], qualities), is_target, p_target)
    scale, *quality_weights = affine.weights
    return Calibration(scale, affine.offset, tuple(quality_weights))


@dataclass(frozen=True)
class ScoreFusion:
    """llr = scales . scores + offset + quality_weights . qualities.

    Attributes:
        scales: one for each system.
        offset: a natural-log likelihood ratio.
        quality_weights: one for each quality column.
    """

    scales: tuple[float, ...]
    offset: float
    quality_weights: tuple[float, ...] = ()

    def apply(
        self, scores: Sequence[ArrayLike], qualities: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Compute log-likelihood ratios, natural logarithm.

        Args:
            scores: `[K, N]`, the systems of the fit, in its order.
            qualities: `[Q, N]`, the columns of the fit, in its order.

        Returns:
            `[N]`.

        Raises:
            MetricError: NaN or infinite values, lengths differ, or another count of systems or
                columns.

        >>> ScoreFusion(scales=(1.0, 0.5), offset=-1.0).apply([[2.0, 0.0], [4.0, 2.0]])
        array([3., 0.])
        """
        if len(scores) != len(self.scales):
            raise MetricError(
                f"{len(scores)} systems, fitted on {len(self.scales)}; give the same ones"
            )
        affine = Affine((*self.scales, *self.quality_weights), self.offset)
        return affine.apply(usable_columns(scores, qualities))


def fit_fusion(
    scores: Sequence[ArrayLike],
    is_target: NDArray[np.bool_],
    qualities: ArrayLike | None = None,
    *,
    p_target: float = 0.5,
) -> ScoreFusion:
    """Fit a fusion by prior-weighted logistic regression, on validation and never on test.

    The calibration of `fit_calibration` with one score column a system: Brümmer et al., "Fusion of
    heterogeneous speaker recognition systems in the STBU submission for the NIST speaker
    recognition evaluation 2006", IEEE TASLP 15(7), 2007. Of systems that repeat each other it
    takes the mean.

    Args:
        scores: `[K, N]`, each system's scores on the same trials in the same order.
        is_target: `[N]`, boolean.
        qualities: `[Q, N]`, for example the log durations of both sides.
        p_target: the effective prior.

    Raises:
        MetricError: as `fit_calibration`, or no system.

    >>> targets = np.array([True, True, False, False])
    >>> len(fit_fusion([[2.0, 0.0, 0.0, -2.0], [1.0, 1.0, 1.0, 0.0]], targets).scales)
    2
    """
    affine = fit_llr(usable_columns(scores, qualities), is_target, p_target)
    systems = len(scores)
    return ScoreFusion(affine.weights[:systems], affine.offset, affine.weights[systems:])
