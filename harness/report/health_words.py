"""The findings and advice of a training's health in the words of a language."""

from __future__ import annotations

from harness.health.critical_values import FEWEST
from harness.health.findings import Advice, HealthFinding, PercentagePoints, Share, Value
from harness.health.health import Health
from harness.health.milestones import find_best
from harness.health.validation_curves import Moment
from harness.health.validation_findings import shown
from harness.report.finding import percent
from harness.report.text import Words, short_number


def say_finding(finding: HealthFinding, words: Words) -> str:
    """Return the sentence of a finding."""
    return words(f"findings.{finding.text}", **_said(finding.values, words))


def say_advice(advice: Advice, health: Health, words: Words) -> str:
    """Return the sentence of an advice, with the numbers of the findings that it rests on."""
    sentence = words(f"advice.{advice.text}", **_said(advice.values, words))
    numbers = words("page.and").join(
        str(number) for text in advice.rests_on if (number := number_of(text, health))
    )
    return words("health.rests_on", sentence=sentence, numbers=numbers)


def number_of(text: str, health: Health) -> int:
    """Return the number of a finding in the table of them, from 1; 0 if it is not there."""
    texts = [each.text for each in health.findings]
    return texts.index(text) + 1 if text in texts else 0


def say_headline(health: Health, words: Words) -> str:
    """Return one line: trend, best validation, and how many signs of each kind there are."""
    signs = {sign: len(health.signed(sign)) for sign in ("worrying", "good")}
    if health.curve is None:
        return words("health.headline_without", **signs)
    best, count = find_best(health.curve), len(health.curve)
    verdict: str = health.trend.verdict if health.trend is not None else "diverged"
    if health.trend is not None and count < FEWEST:
        verdict = "too few"
    return words(
        "health.headline" if count > 1 else "health.headline_once",
        trend=words(f"health.verdict_{verdict.replace(' ', '_')}"),
        metric=health.curve.name,
        best=say_value(shown(health.curve, best.value), words),
        at=say_value(best.at, words),
        count=count,
        **signs,
    )


def say_value(value: Value, words: Words) -> str:
    """Return a value as sentences show it: `20.0 %`, `epoch 33`."""
    if isinstance(value, Moment):
        return words(f"health.{value.unit}", number=f"{round(value.number, 2):,.10g}")
    if isinstance(value, Share):
        return percent(value)
    if isinstance(value, PercentagePoints):
        return words("health.points", number=f"{100 * value:.2g}")
    if isinstance(value, int):
        return f"{value:,}"
    return short_number(value) if isinstance(value, float) else str(value)


def _said(values: dict[str, Value], words: Words) -> dict[str, str]:
    said = {name: say_value(value, words) for name, value in values.items()}
    if "unit" in values:
        said["unit"] = words(f"health.per_{values['unit']}")
    return said
