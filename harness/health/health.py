"""The health of a training: all that its series bears out, put together."""

from __future__ import annotations

from dataclasses import dataclass

from harness.health.advice import advise
from harness.health.curves import Curve, validation_curve
from harness.health.findings import Advice, Check, HealthFinding, checklist
from harness.health.forecast import Forecast, forecast_curve, usual_times
from harness.health.training_findings import training_findings
from harness.health.trend import Trend
from harness.health.validation_findings import (
    forecast_finding,
    recent_part,
    trend_of,
    validation_findings,
)
from harness.series.series import Series


@dataclass(frozen=True, eq=False)
class Health:
    """The health of a training.

    Attributes:
        source: where its series was read from.
        curve: of its validation; None if it has none with a value.
        trend: of the whole curve.
        recent: of the later half; None where that is too short.
        findings: all that is borne out.
        forecasts: of the curve, in order of time; none where it is too short or the training
            diverged.
        checks: the checklist.
        advice: what to do.
    """

    source: str
    curve: Curve | None
    trend: Trend | None
    recent: Trend | None
    findings: tuple[HealthFinding, ...]
    forecasts: tuple[Forecast, ...]
    checks: tuple[Check, ...]
    advice: tuple[Advice, ...]

    def signed(self, sign: str) -> tuple[HealthFinding, ...]:
        """Return the findings with a sign."""
        return tuple(each for each in self.findings if each.sign == sign)


def assess(series: Series) -> Health:
    """Return the health of a training from its series."""
    curve = validation_curve(series)
    if curve is not None and not len(curve):
        curve = None
    findings = list(validation_findings(curve)) if curve is not None else []
    findings += training_findings(series, curve)
    diverged = any(each.text.startswith("diverged") for each in findings)
    forecasts: tuple[Forecast, ...] = ()
    if curve is not None and not diverged:
        forecasts = forecast_curve(curve, usual_times(curve))
        findings += forecast_finding(curve, forecasts)
    found = tuple(findings)
    recent = recent_part(curve) if curve is not None else None
    return Health(
        source=series.source,
        curve=curve,
        trend=trend_of(curve) if curve is not None else None,
        recent=trend_of(recent) if recent is not None else None,
        findings=found,
        forecasts=forecasts,
        checks=checklist(found),
        advice=advise(found),
    )
