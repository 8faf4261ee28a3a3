"""Where a curve was best, since when it stands, whether it diverged, when it settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.health.noise import error_of_means, noise_deviation
from harness.health.trend import thin
from harness.health.validation_curves import Curve, Moment

Floats = NDArray[np.float64]

BEYOND = 2.0
"""Noise deviations by which a value has to beat the last gain to be the next one."""

PATIENCE = 10
"""Validations without a better one after which a patient training would end."""

BAND = 3.0
"""Noise deviations about its last level within which a curve has settled."""

LAST = 5
"""Values that a curve has to stay within the band to have settled."""


@dataclass(frozen=True)
class Best:
    """The best value of a curve.

    Attributes:
        value: it.
        at: when it was; the first of several.
        place: which value it is, from 0.
    """

    value: float
    at: Moment
    place: int


def find_best(curve: Curve) -> Best:
    """Return the best value; the curve has one at least."""
    place = int(curve.better.argmax())
    return Best(float(curve.values[place]), curve.moment(place), place)


def last_gain(better: Floats) -> int:
    """Return the place of the last value that beat the gain before it by more than noise.

    Args:
        better: `[N]`; higher is better.

    Returns:
        The place, from 0; 0 where no value did.
    """
    deviation = noise_deviation(better)
    limit, place = BEYOND * deviation if np.isfinite(deviation) else 0.0, 0
    for at in range(1, len(better)):
        if better[at] > better[place] + limit:
            place = at
    return place


def patient_stop(better: Floats, patience: int = PATIENCE) -> int | None:
    """Return the place at which a patience would have ended the training; None if nowhere."""
    best = 0
    for at in range(1, len(better)):
        if better[at] > better[best]:
            best = at
        elif at - best >= patience:
            return at
    return None


def broken_for_good(loss: Curve) -> Moment | None:
    """Return since when a loss is not finite any more; None if it is at its end."""
    last = loss.times[-1] if len(loss) else -np.inf
    return next((each for each in loss.broken if each.number > last), None)


def divergence(loss: Curve) -> Moment | None:
    """Return when a training's loss rose above its beginning for good; None if it did not.

    It did where the mean of its last tenth lies above that of its first by three standard errors,
    whatever the autocorrelation of the noise. Whoever calls leaves out what a changing margin or
    scale does.
    """
    values = thin(loss.values)
    if len(values) < 10:
        return None
    tenth = len(values) // 10 or 1
    error = error_of_means(values, tenth) * np.sqrt(2)
    beginning = values[:tenth].mean()
    if values[-tenth:].mean() <= beginning + 3 * error or np.ptp(values) == 0:
        return None
    below = np.flatnonzero(loss.values <= beginning)
    return loss.moment(min(int(below[-1]) + 1, len(loss) - 1)) if len(below) else loss.moment(0)


def settled_since(curve: Curve) -> Moment | None:
    """Return since when a curve stays near its last level; None if it does not.

    The level is the median of the last `LAST` values; near is within `BAND` noise deviations.
    """
    deviation = noise_deviation(curve.values)
    if len(curve) < 2 * LAST or not np.isfinite(deviation):
        return None
    level = np.median(curve.values[-LAST:])
    outside = np.flatnonzero(np.abs(curve.values - level) > BAND * deviation + 1e-12)
    since = int(outside[-1]) + 1 if len(outside) else 0
    return curve.moment(since) if since <= len(curve) - LAST else None
