"""Calibration: from a system's scores to log-likelihood ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        """Computes log-likelihood ratios, natural logarithm.

        Args:
            scores: `[N]`.
            qualities: `[Q, N]`, the columns of the fit, in its order.

        Returns:
            `[N]`; a trial is best accepted where it is at least `OperatingPoint.bayes_threshold`.

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
    """Fits a calibration by prior-weighted logistic regression, on validation and never on test.

    Each side is weighted so that the effective prior of a target is `p_target`, whatever part of
    the list targets are; the offset is that of a likelihood ratio, free of any prior. At
    `p_target=0.5` what is minimised is Cllr (times ln 2). Quality columns are as in Mandasari et
    al., "Quality measure functions for calibration of speaker recognition systems in various
    duration conditions", IEEE TASLP 21(11), 2013. Where a threshold parts the sides without an
    error, how sure the ratios are comes from `regression.RIDGE` alone, not from the trials.

    Args:
        scores: `[N]`, of validation trials.
        is_target: `[N]`, boolean.
        qualities: `[Q, N]`, for example the log durations of both sides.
        p_target: the effective prior; near that of the use, the fit is best there.

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
