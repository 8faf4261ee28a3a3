"""A curve as tables: who leads where, and which lines cross."""

from __future__ import annotations

from harness.board.standing.curve import Crossing, CurveLine, TablesCurve
from harness.board.standing.figures import UNKNOWN, heading
from harness.board.writing.axis_words import axis_words, curve_datasets
from harness.board.writing.efficiency import MARK
from harness.board.writing.grids import ENTRY, Cell, Column, Grid, cell, metric_cell

TOLD = {
    (True, True): "both sides told apart",
    (True, False): "told apart before, not after",
    (False, True): "told apart after, not before",
    (False, False): "neither side told apart: may be chance",
}
"""Whether the leads before and after a crossing are significant, in words."""


def curve_grid(curve: TablesCurve) -> Grid:
    """Return the entries with the primary metric at each level, the unbeaten ones marked."""
    entries = Column(ENTRY, tuple(cell(line.entry) for line in curve.lines), numeric=False)
    columns = [
        Column(f"{level:,}", tuple(_cell(curve, line, level) for line in curve.lines))
        for level in curve.levels
    ]
    return Grid((entries, *columns), f"{heading(curve.facts)} {axis_words(curve).grid}")


def _cell(curve: TablesCurve, line: CurveLine, level: float) -> Cell:
    point = line.at.get(level)
    if point is None:
        return Cell(UNKNOWN)
    shown = metric_cell(point.figure, curve.facts)
    mark = f"{MARK} " * (point.rank == 1)
    return Cell(mark + shown.text, shown.note, shown.value)


def crossing_grid(curve: TablesCurve) -> Grid:
    """Return the places where two curves cross; without lines if none do."""
    unit = axis_words(curve).title if curve.is_over_datasets else "crops"
    columns = {
        "ahead before": (each.leader for each in curve.crossings),
        "ahead after": (each.follower for each in curve.crossings),
        f"between ({unit})": (f"{e.before:,} and {e.after:,}" for e in curve.crossings),
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


def curve_notes(curve: TablesCurve) -> list[str]:
    """Explain the marks, the tests and the trainings behind a curve."""
    unit, words = curve.endpoint.dataset.unit, axis_words(curve)
    own = (
        "Each figure is of a training of its own, whose whole schedule fits its budget: a point is "
        "no stage of a longer run."
    )
    if curve.is_over_datasets:
        own = (
            f"Each {words.title} is a dataset of its own: {curve_datasets(curve)}. Brackets: 95 % "
            "interval over its test sample; of several seeds, the mean of their intervals."
        )
    notes = [
        f"{MARK}: no other entry is significantly better {words.place} (5 %, paired by {unit}, "
        f"Holm-corrected over the pairs {words.pairs}).",
        own,
        _crossings(curve),
    ]
    absent = [
        f"{line.entry} ({', '.join(f'{at:,}' for at in curve.levels if at not in line.at)})"
        for line in curve.lines
        if len(line.points) < len(curve.levels)
    ]
    notes += [f"{words.absent}: {'; '.join(absent)}."] if absent else []
    return notes


def _crossings(curve: TablesCurve) -> str:
    if not curve.crossings:
        return "No curves cross."
    return (
        f"Told apart: of the {axis_words(curve).several} in a row at which an entry is ahead, up "
        "to the crossing or from it on, it is significantly better at one."
    )
