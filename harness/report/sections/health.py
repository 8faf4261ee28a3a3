"""The health of each training: what its curves bear out, a checklist, a forecast, and advice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.health.forecast import Forecast
from harness.health.health import Health
from harness.report.health_words import (
    number_of,
    say_advice,
    say_finding,
    say_headline,
    say_value,
)
from harness.report.run import Run
from harness.report.section import Block, Bullets, Paragraph, ReportTable, Section
from harness.report.text import Words


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Say how healthy each training was that has a series; the conclusions hold the advice."""
    blocks = [
        block
        for run in runs
        if run.health is not None and run.health.findings
        for block in _assessment(run.health, words, run.name if len(runs) > 1 else "")
    ]
    if not blocks:
        return None
    lead = Paragraph(words("health.lead"), quiet=True)
    return Section("health", words("health.title"), (lead, *blocks))


def health_blocks(health: Health, words: Words, name: str = "") -> Iterator[Block]:
    """Yield what is shown of one health.

    Args:
        health: a training's.
        words: of a language.
        name: the training's, where several are shown; else empty.
    """
    yield from _assessment(health, words, name)
    if health.advice:
        yield Paragraph(words("health.advice"))
        yield Bullets(tuple(say_advice(each, health, words) for each in health.advice))


def _assessment(health: Health, words: Words, name: str) -> Iterator[Block]:
    prefix = f"{name}{words('page.colon')}" if name else ""
    yield Paragraph(prefix + say_headline(health, words))
    if not health.findings:
        yield Paragraph(words("health.nothing"))
        return
    tables = [_findings(health, words), _checks(health, words)]
    if health.curve is not None and health.forecasts:
        tables.append(_forecasts(health, health.curve.name, words))
    for table in tables:
        yield replace(table, caption=f"{prefix}{table.caption}")


def _findings(health: Health, words: Words) -> ReportTable:
    head = tuple(words(f"health.{each}") for each in ("number", "about", "finding", "sign"))
    rows = tuple(
        (
            str(number),
            words(f"health.about_{each.about}"),
            say_finding(each, words),
            words(f"health.sign_{each.sign}") if each.sign else "",
        )
        for number, each in enumerate(health.findings, 1)
    )
    return ReportTable(head, rows, words("health.table"))


def _checks(health: Health, words: Words) -> ReportTable:
    head = tuple(words(f"health.{each}") for each in ("question", "answer", "rests_column"))
    rows = tuple(
        (
            words(f"checks.{each.text}"),
            words(f"health.{'cannot' if each.answer == 'cannot tell' else each.answer}"),
            str(number_of(each.rests_on, health) or ""),
        )
        for each in health.checks
    )
    return ReportTable(head, rows, words("health.checklist"))


def _forecasts(health: Health, name: str, words: Words) -> ReportTable:
    """Return the forecasts; the conservative bound is the worse one, whichever way is better."""
    names = ("when", "middle", "conservative", "optimistic")
    head = tuple(words(f"health.{each}") for each in names)
    rows = tuple(_forecast_row(each, health, words) for each in health.forecasts)
    caption = words("health.forecasts", name=name)
    return ReportTable(head, rows, caption, frozenset(range(1, 4)))


def _forecast_row(forecast: Forecast, health: Health, words: Words) -> tuple[str, ...]:
    bounds = (forecast.low, forecast.high)
    is_high_better = health.curve is not None and health.curve.higher_is_better
    values = (forecast.value, *(bounds if is_high_better else bounds[::-1]))
    is_rate = health.curve is not None and health.curve.is_rate
    said = (f"{100 * value:.1f} %" if is_rate else f"{value:.4g}" for value in values)
    return (say_value(forecast.at, words), *said)
