"""A comparison at several budgets as tables: who leads where, and which curves cross."""

from __future__ import annotations

from harness.board.standing.budget_curve import BudgetCurve, Crossing, CurveLine
from harness.board.standing.figures import UNKNOWN, heading
from harness.board.writing.efficiency import MARK
from harness.board.writing.grids import ENTRY, Cell, Column, Grid, cell, metric_cell

TOLD = {
    (True, True): "both sides told apart",
    (True, False): "told apart before, not after",
    (False, True): "told apart after, not before",
    (False, False): "neither side told apart: may be chance",
}
"""Whether the leads before and after a crossing are significant, in words."""


def curve_grid(curve: BudgetCurve) -> Grid:
    """Return the entries with the primary metric at each budget, the unbeaten ones marked."""
    entries = Column(ENTRY, tuple(cell(line.entry) for line in curve.lines), numeric=False)
    columns = [
        Column(f"{budget:,}", tuple(_cell(curve, line, budget) for line in curve.lines))
        for budget in curve.budgets
    ]
    return Grid((entries, *columns), f"{heading(curve.facts)} after so many crops seen")


def _cell(curve: BudgetCurve, line: CurveLine, budget: int) -> Cell:
    point = line.at.get(budget)
    if point is None:
        return Cell(UNKNOWN)
    shown = metric_cell(point.figure, curve.facts)
    mark = f"{MARK} " * (point.rank == 1)
    return Cell(mark + shown.text, shown.note, shown.value)


def crossing_grid(curve: BudgetCurve) -> Grid:
    """Return the places where two curves cross; without lines if none do."""
    columns = {
        "ahead before": (each.leader for each in curve.crossings),
        "ahead after": (each.follower for each in curve.crossings),
        "between (crops)": (f"{e.before:,} and {e.after:,}" for e in curve.crossings),
        "significance": (_significance(each) for each in curve.crossings),
    }
    return Grid(
        tuple(
            Column(title, tuple(map(cell, texts)), numeric=False)
            for title, texts in columns.items()
        ),
        "Where curves cross",
    )


def _significance(crossing: Crossing) -> str:
    return TOLD[crossing.is_told_before, crossing.is_told_after]


def curve_notes(curve: BudgetCurve) -> list[str]:
    """Explain the marks, the tests and the trainings behind a curve."""
    unit = curve.endpoint.dataset.unit
    notes = [
        f"{MARK}: no other entry is significantly better at this budget (5 %, paired by {unit}, "
        "Holm-corrected over the pairs of the budget, and not over budgets).",
        "Each figure is of a training of its own, whose whole schedule fits its budget: a point is "
        "no stage of a longer run.",
        _crossings(curve),
    ]
    absent = [
        f"{line.entry} ({', '.join(f'{b:,}' for b in curve.budgets if b not in line.at)})"
        for line in curve.lines
        if len(line.points) < len(curve.budgets)
    ]
    return [each for each in [*notes, _absent(absent)] if each]


def _crossings(curve: BudgetCurve) -> str:
    if not curve.crossings:
        return "No curves cross."
    return (
        "Told apart: of the budgets in a row at which an entry is ahead, up to the crossing or "
        "from it on, it is significantly better at one."
    )


def _absent(absent: list[str]) -> str:
    return f"Not trained with: {'; '.join(absent)}." if absent else ""
