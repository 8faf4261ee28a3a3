"""What the curve of a validation bears out: trend, best, plateau, noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.health.critical_values import FEWEST
from harness.health.findings import HealthFinding, PercentagePoints, Share, Sign, Value
from harness.health.forecast import FEWEST as FEWEST_FOR_FORECAST
from harness.health.forecast import Forecast
from harness.health.milestones import BEYOND, PATIENCE, find_best, last_gain, patient_stop
from harness.health.noise import count_moves, moves_limit, noise_deviation, stability
from harness.health.trend import Trend, Verdict, find_trend
from harness.health.validation_curves import Curve

STEADY = 0.9
"""Stability from which a curve is called steady."""

THOUSAND = 1_000

TRENDS: dict[Verdict, tuple[str, Sign]] = {
    "improving": ("improving", "good"),
    "flat": ("flat", ""),
    "declining": ("declining", "worrying"),
    "cannot tell": ("cannot_tell", ""),
}
RECENT: dict[Verdict, tuple[str, Sign]] = {
    "improving": ("recently_improving", ""),
    "flat": ("recently_flat", ""),
    "declining": ("recently_declining", "worrying"),
}
"""Verdict -> id of its sentence, and its sign."""


def trend_of(curve: Curve) -> Trend:
    """Return the trend of a whole curve."""
    return find_trend(curve.times, curve.values, higher_is_better=curve.higher_is_better)


def recent_part(curve: Curve) -> Curve | None:
    """Return the later half; None where it is too short to be judged."""
    half = len(curve) // 2
    return curve.part(slice(len(curve) - half, None)) if half >= FEWEST else None


def shown(curve: Curve, value: float) -> Value:
    """Return a value of a curve as sentences show it."""
    return Share(value) if curve.is_rate else float(value)


def validation_findings(curve: Curve) -> Iterator[HealthFinding]:
    """Yield what a validation's curve bears out; it has one value at least."""
    if curve.broken:
        values: dict[str, Value] = {"name": curve.name, "at": curve.broken[0]}
        yield HealthFinding("validation_broken", "trend", "worrying", values)
    yield from _trends(curve)
    yield from choice_findings(curve)
    yield from _noise(curve)


def _trends(curve: Curve) -> Iterator[HealthFinding]:
    count = len(curve)
    values: dict[str, Value] = {"name": curve.name, "count": count}
    if 1 < count < FEWEST:
        yield HealthFinding("too_few", "trend", "", values)
    if count < FEWEST:
        return
    trend = trend_of(curve)
    # A change a step would be a number of many zeros where steps are batches.
    is_long = curve.unit == "step" and np.ptp(curve.times) >= 2 * THOUSAND
    size = trend.slope * THOUSAND if is_long else trend.slope
    slope = PercentagePoints(size) if curve.is_rate else float(size)
    unit = "thousand_steps" if is_long else curve.unit
    text, sign = TRENDS[trend.verdict]
    yield HealthFinding(text, "trend", sign, values | {"slope": slope, "unit": unit})
    recent = recent_part(curve)
    if recent is not None and (verdict := trend_of(recent).verdict) in RECENT:
        text, sign = RECENT[verdict]
        yield HealthFinding(text, "trend", sign, values | {"count": len(recent)})


def choice_findings(curve: Curve) -> Iterator[HealthFinding]:
    """Yield where the best lies, first, and for how long there was no better one."""
    best, count = find_best(curve), len(curve)
    values: dict[str, Value] = {
        "name": curve.name,
        "best": shown(curve, best.value),
        "at": best.at,
        "last": shown(curve, curve.values[-1]),
        "end": curve.moment(count - 1),
        "count": count,
    }
    yield HealthFinding(_choice_text(curve, best.place), "choice", "", values)
    gain = last_gain(curve.better)
    if (waited := count - 1 - gain) >= FEWEST:
        since: dict[str, Value] = {"name": curve.name, "count": waited, "at": curve.moment(gain)}
        yield HealthFinding("no_gain", "choice", "", since)
    stop = patient_stop(curve.better)
    if stop is not None and stop < count - 1 and best.place < stop:
        end: dict[str, Value] = {"patience": PATIENCE, "at": curve.moment(stop)}
        yield HealthFinding("patience", "choice", "", values | end)


def _choice_text(curve: Curve, place: int) -> str:
    """Return the id of what is said of the best: is it the last, and if not, is it beyond noise."""
    count = len(curve)
    if place == count - 1:
        return "once" if count == 1 else "best_last"
    deviation = noise_deviation(curve.values)
    lost = curve.better[place] - curve.better[-1]
    within = np.isfinite(deviation) and lost <= moves_limit(count) * deviation
    return "best_within_noise" if within else "best_before"


def _noise(curve: Curve) -> Iterator[HealthFinding]:
    deviation, score = noise_deviation(curve.values), stability(curve.values)
    if not np.isfinite(score) or len(curve) < FEWEST:
        return
    moves = count_moves(curve.better)
    values: dict[str, Value] = {
        "name": curve.name,
        "deviation": PercentagePoints(deviation) if curve.is_rate else float(deviation),
        "stability": round(score, 3),
        "improvements": moves.improvements,
        "setbacks": moves.setbacks,
    }
    if score >= STEADY:
        yield HealthFinding("steady", "stability", "good", values)
    else:
        yield HealthFinding("unsteady", "stability", "worrying", values)


def forecast_finding(curve: Curve, forecasts: tuple[Forecast, ...]) -> Iterator[HealthFinding]:
    """Yield the middle one of some forecasts, beside the best so far."""
    if not forecasts:
        if len(curve) >= FEWEST_FOR_FORECAST:
            yield HealthFinding("forecast_none", "forecast", "", {"name": curve.name})
        return
    one = forecasts[len(forecasts) // 2]
    best = find_best(curve).value
    values: dict[str, Value] = {
        "name": curve.name,
        "at": one.at,
        "value": shown(curve, one.value),
        "low": shown(curve, one.low),
        "high": shown(curve, one.high),
        "best": shown(curve, best),
    }
    ahead = (one.low - best, one.high - best)
    worst, most = ahead if curve.higher_is_better else (-ahead[1], -ahead[0])
    if worst > 0:
        text = "forecast_gain"
    else:
        text = "forecast_open" if most > BEYOND * noise_deviation(curve.values) else "forecast_same"
    yield HealthFinding(text, "forecast", "", values)
