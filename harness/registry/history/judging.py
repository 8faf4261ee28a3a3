"""Verdicts on a history: whether an entry got slower, larger or worse, and since when.

Speeds and memory are judged by steps of their logarithms (`harness.metrics.steps`), so that noise
decides what counts and no percentage does. Equal seeds on equal data mostly give an equal quality;
another value then comes of a change of the code, which may have been meant to change nothing but
the order of random numbers. So a step in quality is judged a second time (`beyond_noise`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.metrics.comparison import two_sided_p
from harness.metrics.seed_spread import SeedSpread, pool_spread, seed_variance
from harness.metrics.steps import FEWEST, find_steps, last_alone_p
from harness.records.costs import CostFacts
from harness.registry.history.line import HISTORY_COSTS, HistoryLine
from harness.registry.history.nights import EntryNights, Table, all_series, cost_reader, table_of

Answer = Literal["ok", "regressed", "inconclusive", "not measured"]

ALPHA = 0.001
"""How often noise alone may pass for a step; a board has some hundred figures a night."""

WINDOW = 30
"""Nights back to which steps are looked for."""

SEEDS_ALPHA = 0.05
"""How often other seeds may pass for a change of quality, if a step was found already."""

QUALITY = "quality"


@dataclass(frozen=True)
class LevelChange:
    """A step of a figure, in the unit of a history's lines.

    Attributes:
        since: the first night of the new level.
        before, after: the levels.
        better: True if it is for the better.
        p: how often noise alone gives such a step.
    """

    since: str
    before: float
    after: float
    better: bool
    p: float

    @property
    def relative(self) -> float | None:
        """The share of the level before by which it changed; None if that was 0."""
        return self.after / self.before - 1 if self.before else None


@dataclass(frozen=True)
class FigureState:
    """The state of one figure on one night.

    Attributes:
        answer: in one word.
        why: in words; empty if nothing is to be said.
        change: the last step within the window, for better or worse.
        value: of the night that was judged; None if there is none.
        nights: how many nights with a value were looked at.
    """

    answer: Answer
    why: str
    change: LevelChange | None
    value: float | None
    nights: int


@dataclass(frozen=True)
class FigureVerdict:
    """The verdict on one figure of one entry in one environment.

    Attributes:
        series: the entry.
        figure: its name in a line, or `quality`.
        night: the night that was judged.
        finding: its state.
    """

    series: EntryNights
    figure: str
    night: str
    finding: FigureState

    @property
    def answer(self) -> str:
        """`ok`, `regressed`, `inconclusive` or `not measured`."""
        return self.finding.answer


def judge(lines: Iterable[HistoryLine], night: str | None = None) -> list[FigureVerdict]:
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
    spreads = seed_spreads(series)
    return [
        FigureVerdict(each, figure, last[each.table], finding)
        for each in series
        for figure, finding in _findings(each, last[each.table], spreads[each.table])
    ]


def find(
    values: Mapping[str, float | None], night: str, *, more_is_better: bool, logs: bool
) -> FigureState:
    """Judge a figure on one night by the nights before it.

    Args:
        values: night -> value; None for a night without one.
        night: the night.
        more_is_better: the figure's direction.
        logs: True if its noise is a share of it, as that of times is.
    """
    window = sorted(each for each in values if each <= night)[-WINDOW:]
    known = [(each, value) for each in window if (value := values[each]) is not None]
    nights, figures = [each for each, _ in known], [value for _, value in known]
    value = values.get(night)
    if value is None:
        return FigureState("not measured", "", None, None, len(known))
    if len(known) < FEWEST:
        why = f"{len(known)} of the {FEWEST} nights that a verdict needs"
        return FigureState("inconclusive", why, None, value, len(known))
    if logs and min(figures) > 0:
        scaled: Sequence[float] = [math.log(each) for each in figures]
    else:
        scaled = figures
    change, began = None, 0
    if steps := find_steps(scaled, ALPHA):
        began, first = steps[-1].place, steps[-2].place if len(steps) > 1 else 0
        before, after = statistics.median(figures[first:began]), statistics.median(figures[began:])
        better = (after > before) is more_is_better
        change = LevelChange(nights[began], before, after, better, steps[-1].p)
    if change and not change.better:
        return FigureState("regressed", "", change, value, len(known))
    if _is_alone(scaled[began:], more_is_better=more_is_better):
        why = "one night far from the level; a second one decides"
        return FigureState("inconclusive", why, change, value, len(known))
    return FigureState("ok", "", change, value, len(known))


def _is_alone(scaled: Sequence[float], *, more_is_better: bool) -> bool:
    """True if the last night is far from its level, on the worse side."""
    if len(scaled) < FEWEST:
        return False
    worse = (scaled[-1] < statistics.median(scaled[:-1])) is more_is_better
    return worse and last_alone_p(scaled) <= ALPHA


def beyond_noise(series: EntryNights, change: LevelChange, spread: SeedSpread | None) -> str:
    """Say why a step in quality may be noise of training; empty if it cannot be.

    A figure that nothing trained has no such noise. Else the step is compared with the noise of
    seeds, the spread pooled over the table's entries (`harness.metrics.seed_spread`); if no entry
    has two seeds, with the interval over the test sample, which is wider than that noise.
    """
    seeds = series.seeds
    if all(seed is None for seed in seeds):
        return ""
    if spread is not None:
        error = math.sqrt(2 * seed_variance(change.before, len(seeds), spread))
        size = np.array([change.after - change.before])
        p = float(two_sided_p(size, np.array([error]), spread.freedom)[0])
        return f"other seeds do as much (p = {p:.2f})" if p > SEEDS_ALPHA else ""
    known = [night for night, value in series.qualities().items() if value is not None]
    before = max(night for night in known if night < change.since)
    metrics = [line.quality for line in series.nights[before] if line.quality]
    lows = [each.low for each in metrics if each.low is not None]
    highs = [each.high for each in metrics if each.high is not None]
    if min(len(lows), len(highs)) < len(metrics):
        return "no other seeds and no interval to hold the change against"
    is_within = statistics.fmean(lows) <= change.after <= statistics.fmean(highs)
    return "within the interval over the test sample" if is_within else ""


def _findings(
    series: EntryNights, night: str, spread: SeedSpread | None
) -> list[tuple[str, FigureState]]:
    found = [(QUALITY, _quality(series, night, spread))]
    for name, cost in HISTORY_COSTS.items():
        values = series.values(cost_reader(name))
        if any(value is not None for value in values.values()):
            finding = find(values, night, more_is_better=cost.higher_is_better, logs=True)
            found.append((name, _explain(finding, series, night, cost)))
    return found


def _quality(series: EntryNights, night: str, spread: SeedSpread | None) -> FigureState:
    better = series.last.metric.higher_is_better
    finding = find(series.qualities(), night, more_is_better=better, logs=False)
    why = beyond_noise(series, finding.change, spread) if finding.change else ""
    if why and finding.answer in ("regressed", "ok"):
        answer: Answer = "inconclusive" if finding.answer == "regressed" else "ok"
        return replace(finding, answer=answer, why=why)
    return _explain(finding, series, night, None)


def _explain(
    finding: FigureState, series: EntryNights, night: str, cost: CostFacts | None
) -> FigureState:
    """Add the reason why a night has no value."""
    if finding.answer != "not measured":
        return finding
    lines = series.nights.get(night, ())
    if not lines:
        return replace(finding, why=f"no record of it; the last is of {series.newest}")
    failed = [f"{line.state}: {line.reason}" for line in lines if line.state != "done"]
    beside = [line.disturbed for line in lines if line.disturbed and cost and cost.disturbed_by]
    return replace(finding, why=(failed + beside + ["not recorded"])[0])


def seed_spreads(series: Iterable[EntryNights]) -> Mapping[Table, SeedSpread | None]:
    """Pool the noise of seeds in the quality over the last nights of each table's entries."""
    seeds: dict[Table, list[list[float]]] = {}
    scales: dict[Table, Literal["logit", "plain"]] = {}
    for each in series:
        lines = each.nights[each.newest]
        values = [line.quality.value for line in lines if line.quality]
        seeds.setdefault(each.table, []).append(values)
        scales[each.table] = "logit" if each.last.metric.unit == "%" else "plain"
    return {table: pool_spread(values, scales[table]) for table, values in seeds.items()}
