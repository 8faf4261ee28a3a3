"""Curves of all series under the field's names, several runs overlaid, with what changed marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.board.record_paths import slug
from harness.health.validation_curves import read_name
from harness.report.curve_marks import draw_marks, mark_kinds
from harness.report.drawing import drawing, drawn_name, look, scale_values, svg
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import Words, short_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST = ("Train/Loss", "Train/Accuracy", "Valid/eer", "Test/eer", "Valid/min_dcf", "Test/min_dcf")
FEW = 60
"""Points of a line that are marked one by one."""

LOGARITHMIC = ("loss", "raw_loss", "weighted_loss", "lr", "grad_norm")
"""Series, below their group, whose axis is logarithmic where their values span much."""

BINS = 300
"""Stretches of a long series, each drawn as its mean within the band of its values."""

MOST = 30
"""Series that are drawn; the table has all of them."""

GLOSSARIES = {"accuracy": "closed", "pair_accuracy": "pairs"}
"""Primary metric -> the glossary whose lines go before the general ones: of classes that training
and test share, or of pairs.
"""

ROUNDING = 1e-6
"""A series whose values differ by this share of the largest at most holds one value."""


@dataclass(frozen=True)
class RunCurve:
    """The values of one series of one run, without those that are not finite.

    Attributes:
        place: of the run within the report.
        run: its name.
        steps, values: `[N]`, ascending steps; epochs where the log has no steps.
    """

    place: int
    run: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw every series that any of the runs has."""
    held = [(place, run) for place, run in enumerate(runs) if run.series is not None]
    names = sorted({name for _, run in held for name in _names(run)}, key=_order)
    curves = {name: found for name in names if (found := _curves(held, name))}
    if not curves:
        return None
    blocks: list[Block] = [Paragraph(words("curves.lead"), quiet=True)]
    if any(run.record and name.startswith("Test/") for _, run in held for name in names):
        blocks.append(Paragraph(words("curves.test_is_validation"), quiet=True))
    if kinds := mark_kinds(runs):
        told = [words(f"curves.mark_{kind}") for kind in kinds]
        blocks.append(
            Paragraph(words("curves.marks", marks=words("page.semicolon").join(told)), quiet=True)
        )
    if len(held) > 1:
        alt = words("page.comma").join(run.name for _, run in held)
        blocks.append(ReportPicture("curves-legend", _legend(held), alt))
    lines = [name for name, found in curves.items() if any(map(_moves, found))]
    kind = glossary_of(runs)
    for name in lines[:MOST]:
        caption = f"`{name}`{words('page.colon')}{meaning(name, words, kind)}"
        alt = words("curves.alt", name=name)
        picture = _draw(name, curves[name], runs)
        blocks.append(ReportPicture(f"curve-{slug(name)}", picture, alt, caption, width=0.33))
    if len(curves) > len(lines[:MOST]):
        shown, every = len(lines[:MOST]), len(curves)
        blocks.append(Paragraph(words("curves.more", shown=shown, all=every), quiet=True))
    blocks.append(_table(curves, len(runs) > 1, words))
    return Section("curves", words("curves.title"), tuple(blocks), ("step",))


def _moves(curve: RunCurve) -> bool:
    """Check if a curve has anything to show that a table has not: rounding is no movement."""
    highest = float(np.abs(curve.values).max())
    return len(curve.steps) > 1 and bool(np.ptp(curve.values) > ROUNDING * highest)


def glossary_of(runs: Sequence[Run]) -> str:
    """Return the glossary of runs of one task, as `GLOSSARIES` has it; empty for the general."""
    of_runs = {run.record and GLOSSARIES.get(run.record.protocol.primary, "") for run in runs}
    return (of_runs.pop() or "") if len(of_runs) == 1 else ""


def meaning(name: str, words: Words, kind: str = "") -> str:
    """Return the glossary line of a series: of its full name, of its last part, of its meaning.

    Args:
        name: of the series.
        words: of the page's language.
        kind: the glossary that goes before the general one.
    """
    if own := words.get(f"glossary_{kind}.{name}"):
        return own
    short = name.rpartition("/")[2].lower()
    known = (words.get(f"glossary.{each}") for each in (name, short, read_name(name)[1]))
    return next(filter(None, known), "") or words("glossary.other")


def _names(run: Run) -> list[str]:
    return [] if run.series is None else [str(name) for name in run.series.scalars["name"].unique()]


def _order(name: str) -> tuple[int, str]:
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


def _curves(held: Sequence[tuple[int, Run]], name: str) -> list[RunCurve]:
    found = []
    for place, run in held:
        if run.series is None:
            continue
        rows = run.series.scalars[run.series.scalars["name"] == name]
        steps = _positions(rows)
        values = rows["value"].to_numpy(np.float64)
        usable = np.isfinite(steps) & np.isfinite(values)
        if usable.any():
            order = np.argsort(steps[usable], kind="stable")
            found.append(RunCurve(place, run.name, steps[usable][order], values[usable][order]))
    return found


def _positions(rows: pd.DataFrame) -> NDArray[np.float64]:
    steps = pd.to_numeric(rows["step"], errors="coerce").to_numpy(np.float64)
    return steps if np.isfinite(steps).any() else rows["epoch"].to_numpy(np.float64)


def _draw(name: str, curves: Sequence[RunCurve], runs: Sequence[Run]) -> bytes:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    with drawing() as figure:
        axes = figure.add_subplot()
        for curve in curves:
            draw_marks(
                axes, runs[curve.place], curve.steps, curve.values, look(curve.place)["color"]
            )
            _draw_curve(axes, curve, alone=len(runs) == 1)
        lowest = min(curve.values.min() for curve in curves)
        highest = max(curve.values.max() for curve in curves)
        if read_name(name)[1] in LOGARITHMIC:
            scale_values(axes, lowest, highest)
        axes.set_title(name, loc="left", fontsize=9, fontweight="bold")
        axes.set_xlabel("step", fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.grid(axis="y", color="0.9", linewidth=0.7)
        axes.set_axisbelow(True)
        return svg(figure)


def _draw_curve(axes: Axes, curve: RunCurve, *, alone: bool) -> None:
    looks = look(curve.place)
    if alone and len(curve.steps) > FEW:
        looks["marker"] = ""  # A few marks on a long line would look like its only points.
    if len(curve.steps) <= BINS:
        every = max(1, len(curve.steps) // 12) if len(curve.steps) > FEW else 1
        axes.plot(curve.steps, curve.values, markevery=every, markeredgewidth=0, **looks)
        return
    steps, means, low, high = binned(curve.steps, curve.values)
    axes.fill_between(steps, low, high, color=looks["color"], alpha=0.18, linewidth=0)
    axes.plot(steps, means, markevery=BINS // 10, markeredgewidth=0, **looks)


def binned(
    steps: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return middle step, mean, lowest and highest value of `BINS` stretches of as many values."""
    parts = list(zip(np.array_split(steps, BINS), np.array_split(values, BINS), strict=True))
    columns = [(s.mean(), v.mean(), v.min(), v.max()) for s, v in parts]
    return tuple(np.array(column) for column in zip(*columns, strict=True))


def _legend(held: Sequence[tuple[int, Run]]) -> bytes:
    from matplotlib.lines import Line2D

    names = {place: drawn_name(run.name, place) for place, run in held}
    columns, longest = min(len(held), 2), max(map(len, names.values()))
    width, height = columns * (0.7 + longest / 11), 0.15 + 0.2 * -(-len(held) // columns)
    with drawing(width, height) as figure:
        lines = [Line2D([], [], label=name, **look(place)) for place, name in names.items()]
        figure.legend(
            handles=lines, loc="center left", ncols=columns, frameon=False, handlelength=4
        )
        return svg(figure)


def _table(curves: dict[str, list[RunCurve]], several: bool, words: Words) -> ReportTable:
    """Return first, last, lowest and highest value of each series, with their steps."""
    rows = []
    for name, found in curves.items():
        for curve in found:
            moves = _moves(curve)
            low = int(curve.values.argmin()) if moves else 0
            high = int(curve.values.argmax()) if moves else 0
            rows.append(
                (
                    f"`{name}`",
                    *([curve.run] if several else []),
                    f"{len(curve.values):,}",
                    *(_cell(curve, at, words) for at in (0, -1, low, high)),
                )
            )
    columns = (
        "name",
        *(("run",) if several else ()),
        "points",
        "first",
        "last",
        "lowest",
        "highest",
    )
    head = tuple(words(f"curves.column_{each}") for each in columns)
    numeric = frozenset(range(1 + several, len(columns)))
    return ReportTable(head, tuple(rows), words("curves.table"), numeric)


def _cell(curve: RunCurve, at: int, words: Words) -> str:
    """Return a value with its step; of a single point only the last value, not the same thrice."""
    if len(curve.values) == 1 and at != -1:
        return ""  # Cards of a narrow screen leave empty cells out.
    value, step = short_number(curve.values[at]), f"{curve.steps[at]:,.0f}"
    return words("curves.at", value=value, step=step)
