"""Grids of a night: what moved, and every figure beside that of the night before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.board.standing.figures import UNKNOWN, heading
from harness.board.writing.grids import ENTRY, Cell, Column, Grid, cell, number_cell
from harness.registry.history.judging import QUALITY, FigureVerdict
from harness.registry.history.line import HISTORY_COSTS
from harness.registry.history.night_page import figure_text, figure_title
from harness.registry.history.nights import cost_reader

Verdicts = Mapping[str, FigureVerdict]
"""The verdicts on one entry, by their figures."""


@dataclass(frozen=True)
class MovedFigure:
    """A figure that moved, or that the night does not have.

    Attributes:
        name: of the entry, as its table calls it.
        verdict: of the history on the figure.
        before: its value on the night before; None if there is none.
        words: what is to be said of it.
        is_significant: True if the quality changed by more than its noise since the night before.
    """

    name: str
    verdict: FigureVerdict
    before: float | None
    words: str
    is_significant: bool = False


def values_of(verdict: FigureVerdict) -> Mapping[str, float | None]:
    """Return the values of a verdict's figure, by their nights."""
    if verdict.figure == QUALITY:
        return verdict.series.qualities()
    return verdict.series.values(cost_reader(verdict.figure))


def moved_grid(moved: Sequence[MovedFigure]) -> Grid:
    """Return the grid of what moved, a line a figure."""
    texts = {
        ENTRY: [each.name for each in moved],
        "figure": [figure_title(each.verdict) for each in moved],
        "night before": [figure_text(each.verdict, each.before) for each in moved],
        "this night": [figure_text(each.verdict, each.verdict.finding.value) for each in moved],
        "change": [_change(each) for each in moved],
        "verdict": [each.words for each in moved],
    }
    numeric = ("night before", "this night", "change")
    columns = (Column(head, tuple(map(cell, of)), head in numeric) for head, of in texts.items())
    return Grid(tuple(columns), "What moved")


def beside_grid(named: Sequence[tuple[str, Verdicts]], before: str) -> Grid:
    """Return the grid of all figures, with those of the night before in brackets.

    Args:
        named: name of each entry, and the verdicts on it.
        before: the night before; empty if there is none.
    """
    names = Column(ENTRY, tuple(cell(name) for name, _ in named), numeric=False)
    held = [verdicts for _, verdicts in named]
    figures = [QUALITY, *(name for name in HISTORY_COSTS if any(name in of for of in held))]
    columns = (
        Column(_head(figure, held), tuple(_beside(of.get(figure), before) for of in held))
        for figure in figures
    )
    return Grid((names, *columns), "The night before in brackets" if before else "")


def _change(each: MovedFigure) -> str:
    """Return a quality's change in its unit, and another figure's in percent."""
    before, after = each.before, each.verdict.finding.value
    if before is None or after is None or not before:
        return UNKNOWN
    if each.verdict.figure != QUALITY:
        return f"{after / before - 1:+.1%}"
    text = figure_text(each.verdict, after - before, unit=False)
    return text if text.startswith("-") else f"+{text}"


def _head(figure: str, held: Sequence[Verdicts]) -> str:
    if figure == QUALITY:
        return heading(held[0][QUALITY].series.last.metric)
    cost = HISTORY_COSTS[figure]
    return f"{cost.title} ({cost.label()})"


def _beside(verdict: FigureVerdict | None, before: str) -> Cell:
    if verdict is None:
        return Cell(UNKNOWN)
    was, now = values_of(verdict).get(before), verdict.finding.value
    shown = number_cell(now, figure_text(verdict, now, unit=False))
    note = "" if was is None else f"({figure_text(verdict, was, unit=False)})"
    return Cell(shown.text, note, shown.value)
