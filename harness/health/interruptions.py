"""What a restart of the rate or a change of the margin did: an interrupted time series.

Segmented regression (Wagner et al., J. Clin. Pharm. Ther. 27, 2002): a line before, a line after,
and the leap between them. The leap is called beyond noise where its t-test says so at every
autocorrelation of the noise from 0 to 0.7, by generalised least squares: so at most 5 times in 100
where there is none, whichever of them is true.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from harness.health.trend import AUTOCORRELATIONS
from harness.health.validation_curves import Curve, Moment
from harness.series.series import Mark

Floats = NDArray[np.float64]

KINDS = ("restart", "margin")
FEWEST, MOST = 5, 12
"""Values on each side of a mark at least, and at most."""

LEVEL = 0.05


@dataclass(frozen=True)
class Interruption:
    """What a curve did at a mark.

    Attributes:
        kind: `restart` or `margin`.
        at: when.
        leap: from the line before to the line after, at the first value after; NaN where there are
            too few values on one side.
        is_beyond_noise: whether noise alone would hardly do that.
    """

    kind: str
    at: Moment
    leap: float
    is_beyond_noise: bool


def interruptions(curve: Curve, marks: tuple[Mark, ...]) -> tuple[Interruption, ...]:
    """Judge each restart and each end of a change of margin within a curve."""
    held = [mark for mark in marks if mark.kind in KINDS]
    steps = sorted({mark.step for mark in held})
    return tuple(
        _judge(curve, mark, steps)
        for number, mark in enumerate(held)
        if mark.step not in {each.step for each in held[:number]}
    )


def _judge(curve: Curve, mark: Mark, steps: list[int]) -> Interruption:
    before = max((step for step in steps if step < mark.step), default=-1)
    after = min((step for step in steps if step > mark.step), default=None)
    first = curve.values[(curve.steps > before) & (curve.steps <= mark.step)][-MOST:]
    inside = curve.steps > mark.step
    second = curve.values[inside if after is None else inside & (curve.steps <= after)][:MOST]
    known = curve.unit == "epoch" and np.isfinite(mark.epoch)
    at = Moment(mark.epoch, "epoch") if known else Moment(float(mark.step), "step")
    if min(len(first), len(second)) < FEWEST:
        return Interruption(mark.kind, at, float("nan"), is_beyond_noise=False)
    return Interruption(mark.kind, at, *leap(first, second))


def leap(first: Floats, second: Floats) -> tuple[float, bool]:
    """Return the leap between two stretches of a curve, and whether it is beyond noise.

    Args:
        first, second: the values before and after, equally far apart, `[N]` and `[M]`.
    """
    values = np.concatenate([first, second])
    time = np.arange(len(values)) - len(first)
    late = time >= 0
    design = np.stack([np.ones(len(time)), time, late, late * time], axis=1).astype(np.float64)
    plain = np.linalg.lstsq(design, values, rcond=None)[0]
    found = [_statistic(values, design, rho) for rho in AUTOCORRELATIONS]
    limit = -stdtrit(len(values) - 4, LEVEL / 2)
    return float(plain[2]), min(np.abs(found)) > limit and len({*np.sign(found)}) == 1


def _statistic(values: Floats, design: Floats, rho: float) -> float:
    """Return t of the leap, both sides whitened (Prais and Winsten, 1954)."""
    white, axes = _whitened(values[:, None], rho)[:, 0], _whitened(design, rho)
    inverse = np.linalg.inv(axes.T @ axes)
    coefficients = inverse @ axes.T @ white
    left = white - axes @ coefficients
    variance = left @ left / (len(values) - axes.shape[1])
    error = np.sqrt(max(variance * inverse[2, 2], 1e-300))
    return float(coefficients[2] / error)


def _whitened(columns: Floats, rho: float) -> Floats:
    return np.concatenate([columns[:1] * np.sqrt(1 - rho**2), columns[1:] - rho * columns[:-1]])
