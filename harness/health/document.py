"""The health of a training as a document for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.health.findings import Value
from harness.health.forecast import Forecast
from harness.health.health import Health
from harness.health.milestones import find_best
from harness.health.noise import count_moves, noise_deviation, stability
from harness.health.validation_curves import Curve, Moment

Document = dict[str, Any]


def health_document(health: Health) -> Document:
    """Return the facts of a health; what is not known is null.

    Rates are shares of one. `performance_trend` is of the whole curve, `recent_trend` of its later
    half. Each advice and check names the findings that it rests on.
    """
    return {
        "source": health.source,
        **_curve_facts(health.curve),
        "performance_trend": health.trend.verdict if health.trend else None,
        "recent_trend": health.recent.verdict if health.recent else None,
        "theil_sen_slope": _number(health.trend.slope) if health.trend else None,
        "kendall_tau": _number(health.trend.tau) if health.trend else None,
        "forecast": [_forecast(each) for each in health.forecasts],
        "findings": [
            {
                "finding": each.text,
                "about": each.about,
                "sign": each.sign or "neither",
                "values": _values(each.values),
            }
            for each in health.findings
        ],
        "checklist": [
            {"check": each.text, "answer": each.answer, "rests_on": each.rests_on or None}
            for each in health.checks
        ],
        "advice": [
            {"advice": each.text, "rests_on": list(each.rests_on)} for each in health.advice
        ],
    }


def _curve_facts(curve: Curve | None) -> Document:
    if curve is None:
        names = ("metric", "best_performance", "noise", "stability_score")
        unknown = dict.fromkeys((*names, "total_improvements", "total_degradations"))
        return {"validations": 0, **unknown}
    best, moves = find_best(curve), count_moves(curve.better)
    return {
        "validations": len(curve),
        "metric": curve.name,
        "best_performance": {"value": best.value, **_moment(best.at)},
        "noise": _number(noise_deviation(curve.values)),
        "stability_score": _number(stability(curve.values)),
        "total_improvements": moves.improvements,
        "total_degradations": moves.setbacks,
    }


def _forecast(forecast: Forecast) -> Document:
    values = {"value": forecast.value, "low": forecast.low, "high": forecast.high}
    return _moment(forecast.at) | values


def _moment(moment: Moment) -> Document:
    return {moment.unit: _number(moment.number)}


def _values(values: Mapping[str, Value]) -> Document:
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Value) -> Any:
    if isinstance(value, Moment):
        return _moment(value)
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | int | None:
    """Return a number that JSON can hold; whole ones without a point."""
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 2**53 else float(value)
