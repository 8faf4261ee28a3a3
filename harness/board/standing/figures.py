"""Figures of a table as text: decimals and units come from facts, never from a name."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.records.record import MetricFacts

UNKNOWN = "–"


@dataclass(frozen=True)
class Figure:
    """A metric over a row's seeds.

    Attributes:
        value: mean over the seeds.
        low: mean of the seeds' lower ends over the test sample; None unless every seed has one.
        high: the same of the upper ends.
        spread: sample standard deviation over the seeds; None for one seed.
        seeds: number of seeds in it.
    """

    value: float
    low: float | None
    high: float | None
    spread: float | None
    seeds: int


def heading(facts: MetricFacts) -> str:
    """Return a metric's column head: title, unit, and the better direction.

    >>> heading(MetricFacts(title="EER", unit="%", higher_is_better=False))
    'EER % ↓'
    """
    arrow = "↑" if facts.higher_is_better else "↓"
    return " ".join(part for part in (facts.title, facts.unit, arrow) if part)


def plain(value: float, facts: MetricFacts) -> str:
    """Return a value in the metric's unit and decimals, without its unit.

    >>> plain(0.0531, MetricFacts(title="EER", unit="%", higher_is_better=False))
    '5.31'
    """
    return f"{value * (100 if facts.unit == '%' else 1):z.{facts.decimals}f}"


def interval(figure: Figure, facts: MetricFacts, between: str = "-") -> str:
    """Return the interval over the test sample, without brackets; empty if there is none."""
    if figure.low is None or figure.high is None:
        return ""
    between = between if figure.low >= 0 else " to "
    return f"{plain(figure.low, facts)}{between}{plain(figure.high, facts)}"


def with_interval(figure: Figure | None, facts: MetricFacts) -> str:
    """Return a value and its interval over the test sample.

    >>> eer = MetricFacts(title="EER", unit="%", higher_is_better=False)
    >>> with_interval(Figure(0.0531, 0.0462, 0.0607, None, 1), eer)
    '5.31 (4.62-6.07)'
    """
    if figure is None:
        return UNKNOWN
    between = interval(figure, facts)
    return plain(figure.value, facts) + (f" ({between})" if between else "")


def significant(value: float | None) -> str:
    """Return a cost with three significant digits, or all of its whole part.

    >>> significant(1234.5), significant(0.012345), significant(None)
    ('1,234', '0.0123', '–')
    """
    if value is None:
        return UNKNOWN
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits)}f}"


def six_digits(value: float) -> float:
    """Return a number as it is published, without a platform's last bits; integers stay.

    >>> six_digits(0.12345678), six_digits(12345678)
    (0.123457, 12345678)
    """
    return value if isinstance(value, int) else float(f"{value:.6g}")


def plural(number: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "speaker"), plural(1200, "trial"), plural(2, "entry")
    ('1 speaker', '1,200 trials', '2 entries')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{number:,} {noun}s"


def one_line(text: str) -> str:
    r"""Put text on one line; what cannot be printed shows as the replacement character.

    >>> one_line("a\n  b\x1b[31m")
    'a b�[31m'
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else "\ufffd" for each in line)
