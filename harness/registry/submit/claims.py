"""Figures that somebody published: told as claims, never as anything computed here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from harness.errors import RequestError, nearest
from harness.records.record import Metric, MetricFacts

AT_MOST = {"min_dcf": 1.0}
"""Metrics that are no rates and have an end: a normalised cost is never above that of no system."""


def read_claims(
    texts: Iterable[str], facts: Mapping[str, MetricFacts], primary: str
) -> dict[str, Metric]:
    """Read `METRIC=VALUE` as often as it is given; a rate is a fraction, or ends in `%`.

    Args:
        texts: as they were given.
        facts: of the suite's metrics.
        primary: the metric without which no row can be sorted.

    Raises:
        RequestError: a metric is unknown, comes twice or has no such value; the primary is absent.
    """
    claimed: dict[str, Metric] = {}
    for text in texts:
        name, value = _claim(text, facts)
        if name in claimed:
            raise RequestError(f"--claim {text}: {name} is claimed twice; claim it once")
        claimed[name] = Metric(value=value, unit=facts[name].unit)
    if primary not in claimed:
        raise RequestError(f"--claim: the table is sorted by {primary}; claim it too")
    return claimed


def _claim(text: str, facts: Mapping[str, MetricFacts]) -> tuple[str, float]:
    name, equals, told = (part.strip() for part in text.partition("="))
    if not equals:
        raise RequestError(f"--claim {text}: write METRIC=VALUE, as in eer=0.0123")
    if name not in facts:
        raise RequestError(f"--claim {text}: the suite has no metric {name!r}; "
                           f"{nearest(name, facts)}")  # fmt: skip
    rate = facts[name].unit == "%"
    try:
        value = float(told.removesuffix("%")) / 100 if told.endswith("%") and rate else float(told)
    except ValueError as error:
        raise RequestError(f"--claim {text}: {told!r} is not a number") from error
    most = 1.0 if rate else AT_MOST.get(name, math.inf)
    if not (math.isfinite(value) and 0 <= value <= most):
        mend = "rates are fractions: write 0.0123, or 1.23%" if rate else f"want 0 to {most:g}"
        raise RequestError(f"--claim {text}: {value:g} is out of range; {mend}")
    return name, value
