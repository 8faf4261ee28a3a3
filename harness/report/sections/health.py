"""The health of each training: what its curves bear out, a checklist, a forecast, and advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from harness.report.text import Words, short_number

THRESHOLDED = ("eer", "min_dcf")
"""Metrics of a validation whose decisions are made at a threshold."""

OF_VERIFICATION = "threshold_settled"
"""The question of the checklist that asks nothing of a classifier or a clustering."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Say how healthy each training was that has a series; the conclusions hold the advice."""
    held = {run.name: run.health for run in runs if run.health is not None and run.health.findings}
    if not held:
        return None
    lead = Paragraph(words("health.lead"), quiet=True)
    told = (_assessment(health, words, name * (len(runs) > 1)) for name, health in held.items())
    blocks = [lead, *(block for each in told for block in each)]
    blocks.append(_checks(held, words))
    return Section("health", words("health.title"), tuple(blocks))


def health_blocks(health: Health, words: Words, name: str = "") -> Iterator[Block]:
    """Yield what is shown of one health.

    Args:
        health: a training's.
        words: of a language.
        name: the training's, where several are shown; else empty.
    """
    yield from _assessment(health, words, name)
    if health.findings:
        checks, prefix = _checks({name: health}, words), name + words("page.colon") * bool(name)
        yield replace(checks, caption=f"{prefix}{checks.caption}")
    if health.advice:
        yield Paragraph(words("health.advice"))
        yield Bullets(tuple(say_advice(each, health, words) for each in health.advice))


def _assessment(health: Health, words: Words, name: str) -> Iterator[Block]:
    prefix = f"{name}{words('page.colon')}" if name else ""
    headline = say_headline(health, words)
    yield Paragraph(prefix + (headline if name else headline[:1].upper() + headline[1:]))
    if not health.findings:
        yield Paragraph(words("health.nothing"))
        return
    tables = [_findings(health, words)]
    if health.curve is not None and health.forecasts:
        tables.append(_forecasts(health, health.curve.name, words))
    for table in tables:
        yield replace(table, caption=f"{prefix}{table.caption}")


def _findings(health: Health, words: Words) -> ReportTable:
    signed = any(each.sign for each in health.findings)
    columns = ("about", "finding", *(("sign",) if signed else ()))
    rows = []
    for number, each in enumerate(health.findings, 1):
        sign = words(f"health.sign_{each.sign}") if each.sign else ""
        told = (f"{number}. {words(f'health.about_{each.about}')}", say_finding(each, words))
        rows.append((*told, *((sign,) if signed else ())))
    head = tuple(words(f"health.{each}") for each in columns)
    return ReportTable(head, tuple(rows), words("health.table"))


def _checks(held: Mapping[str, Health], words: Words) -> ReportTable:
    """Return the checklist, with the findings that answers rest on; a column for each of several.

    Args:
        held: name of a training -> its health; all answer the same questions.
        words: of a language.
    """
    several = len(held) > 1
    columns = list(held) if several else [words(f"health.{e}") for e in ("answer", "rests_column")]
    rows = []
    for checks in zip(*(health.checks for health in held.values()), strict=True):
        if checks[0].text == OF_VERIFICATION and not any(map(_has_threshold, held.values())):
            continue
        cells = []
        for check, health in zip(checks, held.values(), strict=True):
            name = "cannot" if check.answer == "cannot tell" else check.answer
            answer, number = words(f"health.{name}"), number_of(check.rests_on, health)
            note = f" ({number})" if number else ""
            cells += [answer + note] if several else [answer, str(number or "")]
        rows.append((words(f"checks.{checks[0].text}"), *cells))
    return ReportTable((words("health.question"), *columns), tuple(rows), words("health.checklist"))


def _has_threshold(health: Health) -> bool:
    """Check if a training was validated by decisions at a threshold."""
    answered = any(each.text == OF_VERIFICATION and each.rests_on for each in health.checks)
    return answered or health.curve is None or health.curve.metric in THRESHOLDED


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
    said = (f"{100 * value:.1f} %" if is_rate else short_number(value) for value in values)
    return (say_value(forecast.at, words), *said)
