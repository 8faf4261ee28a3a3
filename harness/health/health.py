"""The health of a training: all that its series bears out, put together."""

from __future__ import annotations

from dataclasses import dataclass

from harness.health.advice import advise
from harness.health.findings import QUESTIONS, Advice, Check, HealthFinding, checklist
from harness.health.forecast import Forecast, forecast_curve, usual_times
from harness.health.training_findings import loss_findings, training_findings
from harness.health.trend import Trend
from harness.health.validation_curves import Curve, validation_curve
from harness.health.validation_findings import (
    choice_findings,
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
        trend: of the whole curve; None without one, and where the training diverged.
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


def assess(series: Series, *, leaky: bool = False) -> Health:
    """Return the health of a training from its series.

    Of one that diverged nothing is said but that, and where it was best before.

    Args:
        series: its curves.
        leaky: True if validation holds copies of training items: it is not held against these.
    """
    curve = validation_curve(series)
    if curve is not None and not len(curve):
        curve = None
    trouble = tuple(loss_findings(series))
    if any(each.text.startswith("diverged") for each in trouble):
        best = tuple(choice_findings(curve)) if curve is not None else ()
        return _put_together(series, curve, (*trouble, *best[:1]), None, None, ())
    trend = trend_of(curve) if curve is not None else None
    part = recent_part(curve) if curve is not None else None
    recent = trend_of(part) if part is not None else None
    findings: tuple[HealthFinding, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    if curve is not None:
        forecasts = forecast_curve(curve, usual_times(curve))
        findings = (*validation_findings(curve), *forecast_finding(curve, forecasts))
    findings = (*findings, *training_findings(series, curve))
    if leaky:
        compared = QUESTIONS["carries_over"].keys()
        kept = (each for each in findings if each.text not in compared)
        findings = (HealthFinding("leaky", "learning", "worrying"), *kept)
    return _put_together(series, curve, findings, trend, recent, forecasts)


def _put_together(
    series: Series,
    curve: Curve | None,
    findings: tuple[HealthFinding, ...],
    trend: Trend | None,
    recent: Trend | None,
    forecasts: tuple[Forecast, ...],
) -> Health:
    return Health(
        source=series.source,
        curve=curve,
        trend=trend,
        recent=recent,
        findings=findings,
        forecasts=forecasts,
        checks=checklist(findings),
        advice=advise(findings),
    )
