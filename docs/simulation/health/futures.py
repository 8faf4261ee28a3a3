"""Curves with a known future, and how often a forecast's interval holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docs.simulation.health.draws import Floats, noise
from harness.health.forecast import forecast_curve
from harness.health.validation_curves import Curve


@dataclass(frozen=True)
class Future:
    """One kind of curves.

    Attributes:
        course: `power`, `exponential`, or `either` of them, drawn for each curve; `straight`, a
            line down to the time of the forecast.
        count: values that are seen.
        ahead: the time of the forecast, over that of the last value seen.
        rho: autocorrelation of the noise.
    """

    course: str
    count: int
    ahead: float
    rho: float


def draw(future: Future, random: np.random.Generator) -> tuple[Curve, float]:
    """Draw the seen part of a curve, and the value that comes at the forecast's time.

    An error rate that falls from 30 to 50 % to 2 to 20 %, with noise of 2 to 20 % of what it falls
    by; powers of 0.3 to 1.5, or time constants of a tenth to the whole of what is seen.
    """
    last = round(future.count * future.ahead)
    time = np.arange(1.0, last + 1)
    power = future.course == "power" or (future.course == "either" and random.random() < 0.5)
    if power:
        way = time ** -random.uniform(0.3, 1.5)
    elif future.course == "straight":
        way = np.linspace(1, 0, last)
    else:
        way = np.exp(-(time - 1) / (future.count * random.uniform(0.1, 1.0)))
    start, limit = random.uniform(0.3, 0.5), random.uniform(0.02, 0.2)
    deviation = random.uniform(0.02, 0.2) * (start - limit)
    values = limit + (start - limit) * way + deviation * noise(random, 1, last, future.rho)[0]
    steps = np.arange(1, last + 1)
    seen = slice(0, future.count)
    curve = Curve("Test/eer", "loss", time[seen], values[seen], steps[seen], "epoch")
    return curve, float(values[-1])


def holds(future: Future, curves: int, seed: int) -> Floats:
    """Return for each curve if its interval holds what came, and the width, `[C, 2]`.

    NaN where nothing is forecast, as neither family follows the curve.
    """
    random = np.random.default_rng([seed, future.count, round(100 * future.ahead)])
    found = np.full((curves, 2), np.nan)
    for number in range(curves):
        curve, came = draw(future, random)
        forecasts = forecast_curve(curve, [round(future.count * future.ahead)], seed=number)
        for one in forecasts:
            found[number] = one.low <= came <= one.high, one.high - one.low
    return found
