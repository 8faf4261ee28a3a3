"""Verdicts on a history: whether an entry got slower, larger or worse, and since when.

Speeds and memory are judged by steps of their logarithms (`harness.metrics.steps`), so that noise
decides what counts and no percentage does. Equal seeds on equal data mostly give an equal quality;
another value then comes of a change of the code, which may have been meant to change nothing but
the order of random numbers. So a step in quality is judged a second time (`beyond_noise`).
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.metrics.comparison import two_sided_p
from harness.metrics.seed_spread import SeedSpread, pool_spread, seed_variance
from harness.records.record import CostFacts
from harness.registry.history.finding import Change, Finding, find
from harness.registry.history.line import HISTORY_COSTS, Line
from harness.registry.history.series import Series, Table, all_series, cost_reader, table_of

SEEDS_ALPHA = 0.05
"""How often other seeds may pass for a change of quality, where a step was found already."""

QUALITY = "quality"


@dataclass(frozen=True)
class Verdict:
    """What is said of one figure of one entry in one environment.

    Attributes:
        series: the entry.
        figure: its name in a line, or `quality`.
        night: the night that was judged.
        finding: what is said.
    """

    series: Series
    figure: str
    night: str
    finding: Finding

    @property
    def answer(self) -> str:
        """`ok`, `regressed`, `inconclusive` or `not measured`."""
        return self.finding.answer


def judge(lines: Iterable[Line], night: str | None = None) -> list[Verdict]:
    """Judge every figure of every entry, in the order of tables and entries.

    Args:
        lines: a history.
        night: the night to be judged, nothing after it being known; None takes the last one of
            each suite, profile, dataset and environment.
    """
    known = [line for line in lines if night is None or line.night <= night]
    last: dict[Table, str] = {}
    for line in known:
        last[table_of(line)] = night or max(line.night, last.get(table_of(line), ""))
    series = all_series(known)
    spreads = _spreads(series)
    return [
        Verdict(each, figure, last[each.table], finding)
        for each in series
        for figure, finding in _findings(each, last[each.table], spreads[each.table])
    ]


def beyond_noise(series: Series, change: Change, spread: SeedSpread | None) -> str:
    """Say why a step in quality may be noise of training; empty where it cannot be.

    What nothing trained has no such noise. Else the step is held against what other seeds do, the
    spread pooled over the table's entries (`harness.metrics.seed_spread`); where no entry has two
    seeds, against the interval over the test sample, which is wider than what seeds do on
    equal data.
    """
    seeds = series.seeds
    if all(seed is None for seed in seeds):
        return ""
    if spread is not None:
        error = math.sqrt(2 * seed_variance(change.before, len(seeds), spread))
        size = np.array([change.after - change.before])
        p = float(two_sided_p(size, np.array([error]), spread.freedom)[0])
        return f"other seeds do as much (p = {p:.2f})" if p > SEEDS_ALPHA else ""
    low, high = _interval(series, change.since)
    if low is None or high is None:
        return "no other seeds and no interval to hold the change against"
    return "within the interval over the test sample" if low <= change.after <= high else ""


def _findings(series: Series, night: str, spread: SeedSpread | None) -> list[tuple[str, Finding]]:
    found = [(QUALITY, _quality(series, night, spread))]
    for name, cost in HISTORY_COSTS.items():
        values = series.values(cost_reader(name))
        if any(value is not None for value in values.values()):
            finding = find(values, night, more_is_better=cost.higher_is_better, logs=True)
            found.append((name, _explained(finding, series, night, cost)))
    return found


def _quality(series: Series, night: str, spread: SeedSpread | None) -> Finding:
    better = series.last.metric.higher_is_better
    finding = find(series.qualities(), night, more_is_better=better, logs=False)
    change = finding.change
    why = beyond_noise(series, change, spread) if change else ""
    if finding.answer == "regressed" and why:
        return dataclasses.replace(finding, answer="inconclusive", why=why)
    if finding.answer == "ok" and why:
        return dataclasses.replace(finding, why=why)
    return _explained(finding, series, night, None)


def _explained(finding: Finding, series: Series, night: str, cost: CostFacts | None) -> Finding:
    """With the reason why a night has no value."""
    if finding.answer != "not measured":
        return finding
    lines = series.nights.get(night, ())
    failed = [f"{line.state}: {line.reason}" for line in lines if line.state != "done"]
    beside = [line.disturbed for line in lines if line.disturbed and cost and cost.disturbed_by]
    if not lines:
        return dataclasses.replace(finding, why=f"no record of it; the last is of {series.newest}")
    return dataclasses.replace(finding, why=(failed + beside + ["not recorded"])[0])


def _interval(series: Series, since: str) -> tuple[float | None, float | None]:
    """The interval over the test sample on the last night before a step."""
    known = [night for night, value in series.qualities().items() if value is not None]
    before = max(night for night in known if night < since)
    metrics = [line.quality for line in series.nights[before] if line.quality]
    lows = [each.low for each in metrics if each.low is not None]
    highs = [each.high for each in metrics if each.high is not None]
    if len(lows) < len(metrics) or len(highs) < len(metrics):
        return None, None
    return statistics.fmean(lows), statistics.fmean(highs)


def _spreads(series: Iterable[Series]) -> Mapping[Table, SeedSpread | None]:
    """What seeds do to the quality, pooled over the last nights of a table's entries."""
    seeds: dict[Table, list[list[float]]] = {}
    scales: dict[Table, Literal["logit", "plain"]] = {}
    for each in series:
        lines = each.nights[each.newest]
        values = [line.quality.value for line in lines if line.quality]
        seeds.setdefault(each.table, []).append(values)
        scales[each.table] = "logit" if each.last.metric.unit == "%" else "plain"
    return {table: pool_spread(values, scales[table]) for table, values in seeds.items()}
