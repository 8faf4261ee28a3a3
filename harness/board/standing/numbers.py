"""How numbers read in a table: decimals and units come from facts, never from a name."""

from __future__ import annotations

import math

from harness.board.standing.rows import Figure
from harness.records.record import MetricFacts

UNKNOWN = "–"


def heading(facts: MetricFacts) -> str:
    """A metric's column head: title, unit, and which way is better.

    >>> heading(MetricFacts(title="EER", unit="%", higher_is_better=False))
    'EER % ↓'
    """
    arrow = "↑" if facts.higher_is_better else "↓"
    return " ".join(part for part in (facts.title, facts.unit, arrow) if part)


def plain(value: float, facts: MetricFacts) -> str:
    """A value in the metric's unit and decimals, without its unit.

    >>> plain(0.0531, MetricFacts(title="EER", unit="%", higher_is_better=False))
    '5.31'
    """
    return f"{value * (100 if facts.unit == '%' else 1):z.{facts.decimals}f}"


def with_interval(figure: Figure | None, facts: MetricFacts) -> str:
    """A value and its interval over the test sample.

    >>> eer = MetricFacts(title="EER", unit="%", higher_is_better=False)
    >>> with_interval(Figure(0.0531, 0.0462, 0.0607, None, 1), eer)
    '5.31 (4.62-6.07)'
    """
    if figure is None:
        return UNKNOWN
    if figure.low is None or figure.high is None:
        return plain(figure.value, facts)
    between = "-" if figure.low >= 0 else " to "
    return (
        f"{plain(figure.value, facts)} "
        f"({plain(figure.low, facts)}{between}{plain(figure.high, facts)})"
    )


def significant(value: float | None) -> str:
    """A cost with three significant digits, or all of its whole part.

    >>> significant(1234.5), significant(0.012345), significant(None)
    ('1,234', '0.0123', '–')
    """
    if value is None:
        return UNKNOWN
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits)}f}"


def counted(number: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "speaker"), counted(1200, "trial")
    ('1 speaker', '1,200 trials')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
