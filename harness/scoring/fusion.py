"""Fusion: one log-likelihood ratio from the scores of several systems on the same trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError
from harness.scoring.regression import Affine, fit_llr, usable_columns


@dataclass(frozen=True)
class Fusion:
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
        """Computes log-likelihood ratios, natural logarithm.

        Args:
            scores: `[K, N]`, the systems of the fit, in its order.
            qualities: `[Q, N]`, the columns of the fit, in its order.

        Returns:
            `[N]`.

        Raises:
            MetricError: NaN or infinite values, lengths differ, or another count of systems or
                columns.

        >>> Fusion(scales=(1.0, 0.5), offset=-1.0).apply([[2.0, 0.0], [4.0, 2.0]])
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
) -> Fusion:
    """Fits a fusion by prior-weighted logistic regression, on validation and never on test.

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
    return Fusion(affine.weights[:systems], affine.offset, affine.weights[systems:])
