"""What is simulated of each function: rows of tables, each a name and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from docs.simulation.health.draws import Floats, heavy, noise, ramp, settling
from docs.simulation.health.futures import Future, holds
from harness.health.interruptions import leap
from harness.health.noise import count_moves, noise_deviation, stability
from harness.health.trend import find_trend, have_risen

Row = dict[str, str]
FUTURES = tuple(
    Future(course, count, ahead, rho)
    for course in ("power", "exponential")
    for count in (15, 30)
    for ahead in (1.25, 2.0)
    for rho in (0.0, 0.5)
)
STRAIGHT = tuple(
    Future("straight", count, ahead, 0.0) for count in (15, 30) for ahead in (1.25, 1.5, 2.0)
)
"""Curves that have not begun to settle when they are forecast."""


@dataclass(frozen=True)
class Plan:
    """How much is drawn, and with which seed."""

    curves: int = 40_000
    slow_curves: int = 2_000
    seed: int = 0
    counts: tuple[int, ...] = field(default=(10, 20, 40))


def rises(curves: Floats) -> str:
    """Return how many of 100 curves the test says rise."""
    return f"{100 * have_risen(curves).mean():.1f}"


def trend_rows(plan: Plan) -> Iterator[Row]:
    """Yield how often a curve is called improving, by its noise and its course."""
    random = np.random.default_rng([plan.seed, 1])
    flat = {
        "white": lambda count: noise(random, plan.curves, count),
        "heavy tails": lambda count: heavy(random, plan.curves, count),
        "0.35": lambda count: noise(random, plan.curves, count, 0.35),
        "0.7": lambda count: noise(random, plan.curves, count, 0.7),
        "0.9": lambda count: noise(random, plan.curves, count, 0.9),
    }
    for name, draw in flat.items():
        for count in plan.counts:
            curves = draw(count)
            yield {
                "noise": name,
                "validations": str(count),
                "flat": rises(curves),
                "rise of 2": rises(curves + ramp(count, 2)),
                "rise of 3": rises(curves + ramp(count, 3)),
                "settling rise of 3": rises(curves + settling(count, 3)),
            }


def verdict_rows(plan: Plan) -> Iterator[Row]:
    """Yield how often each verdict falls on curves of 20 validations."""
    random = np.random.default_rng([plan.seed, 2])
    times = np.arange(1.0, 21)
    for rho in (0.0, 0.7):
        for rise in (0, 1, 2, 4):
            curves = noise(random, plan.slow_curves, 20, rho) + ramp(20, rise)
            said = [find_trend(times, each, higher_is_better=True).verdict for each in curves]
            shares = {
                verdict: f"{100 * said.count(verdict) / len(said):.0f}"
                for verdict in ("improving", "flat", "declining", "cannot tell")
            }
            yield {"autocorrelation": f"{rho}", "rise": str(rise), **shares}


def noise_rows(plan: Plan) -> Iterator[Row]:
    """Yield what the noise's deviation, stability and counts of moves come to."""
    random = np.random.default_rng([plan.seed, 3])
    for count in plan.counts:
        for course, rise in (("flat", 0.0), ("settling rise of 4", 4.0)):
            curves = noise(random, plan.slow_curves, count) + settling(count, rise) + 10
            moves = [count_moves(each) for each in curves]
            false = np.mean([each.improvements + each.setbacks for each in moves])
            yield {
                "course": course,
                "validations": str(count),
                "deviation (true: 1)": f"{np.mean([noise_deviation(e) for e in curves]):.2f}",
                "stability (true: 0.9)": f"{np.mean([stability(e - rise) for e in curves]):.2f}",
                "moves a curve": f"{false:.2f}",
            }


def leap_rows(plan: Plan) -> Iterator[Row]:
    """Yield how often a leap is called beyond noise, 10 validations on either side."""
    random = np.random.default_rng([plan.seed, 4])
    for rho in (0.0, 0.35, 0.7):
        curves = noise(random, plan.slow_curves, 20, rho) + ramp(20, 1)
        row = {"autocorrelation": f"{rho}"}
        for size in (0, 3, 5):
            found = [leap(each[:10], each[10:] + size)[1] for each in curves]
            row[f"leap of {size}"] = f"{100 * np.mean(found):.1f}"
        yield row


def forecast_rows(plan: Plan) -> Iterator[Row]:
    """Yield how often the interval holds what came: of each kind of curves, and of all."""
    each = max(1, plan.slow_curves // len(FUTURES))
    every = []
    for future in FUTURES:
        found = holds(future, each, plan.seed)
        every.append(found)
        yield _coverage(found, future.course, str(future.count), future.ahead, str(future.rho))
    yield _coverage(np.concatenate(every), "all", "", None, "")


def straight_rows(plan: Plan) -> Iterator[Row]:
    """Yield how often the interval of a curve that falls straight holds what came."""
    each = max(1, plan.slow_curves // len(FUTURES))
    for future in STRAIGHT:
        found = holds(future, each, plan.seed)
        yield _coverage(found, future.course, str(future.count), future.ahead, str(future.rho))


def _coverage(found: Floats, course: str, count: str, ahead: float | None, rho: str) -> Row:
    known = found[~np.isnan(found[:, 0])]
    share = known[:, 0].mean()
    error = np.sqrt(share * (1 - share) / len(known))
    return {
        "course": course,
        "validations": count,
        "ahead": f"{ahead:g} times" if ahead else "",
        "autocorrelation": rho,
        "curves": str(len(found)),
        "no forecast": f"{100 * (1 - len(known) / len(found)):.1f}",
        "held": f"{100 * share:.1f}",
        "its standard error": f"{100 * error:.1f}",
        "mean width": f"{known[:, 1].mean():.3f}",
    }
