"""What happened to a training, marked in the pictures of its curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.report.drawing import QUIET
from harness.report.phases import are_averaged, fine_tuned_from
from harness.report.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = {
    "resume": ":",
    "restart": (0, (1, 3)),
    "margin": "--",
    "fine_tuned": (0, (8, 2)),
    "stopped": "-.",
    "averaged": "-",
    "chosen": "-",
}
"""Kind of a mark -> how its line is drawn."""

KEPT = ("averaged", "chosen")
"""Kinds that tell of the weights that were kept, in the colour of their run."""

NEAR = 0.03
"""Share of the steps so far by which a value may be older than the weights that it stands for."""


def mark_kinds(runs: Sequence[Run]) -> list[str]:
    """Return the kinds of marks that any run has, in the order of `MARKS`."""
    found = {kind for run in runs for kind, _ in _marks(run)}
    return [kind for kind in MARKS if kind in found]


def _marks(run: Run) -> Iterator[tuple[str, float]]:
    """Yield kind and step of what happened to a run; of the margin, where it begins and ends."""
    if run.series is None:
        return
    marked = [(mark.kind, float(mark.step)) for mark in run.series.marks if mark.step is not None]
    yield from ((kind, step) for kind, step in marked if kind not in ("margin", "chosen"))
    margins = [step for kind, step in marked if kind == "margin"]
    for step in sorted({*margins[:1], *margins[-1:]}):
        yield "margin", step
    if (begun := fine_tuned_from(run.record)) is not None:
        yield "fine_tuned", float(begun)
    if (kept := _kept_step(run)) is not None:
        yield "averaged" if are_averaged(run.record) else "chosen", kept


def _kept_step(run: Run) -> float | None:
    """Return the step of the kept weights, as the series marks it, else as the training's result.

    Of an average it is the last of the steps whose weights went into it.
    """
    marks = run.series.marks if run.series is not None else ()
    marked = [mark.step for mark in marks if mark.kind == "chosen" and mark.step is not None]
    training = run.results.get("train")
    step = marked[-1] if marked else training["selected_step"] if training else None
    return None if step is None else float(step)


def draw_marks(
    axes: Axes, run: Run, steps: NDArray[np.float64], values: NDArray[np.float64], colour: str
) -> None:
    """Draw a line for each mark of a run, and a star at the value of the weights that were kept.

    Args:
        axes: of the curve.
        run: whose marks are drawn.
        steps, values: of the curve, `[N]`, ascending steps.
        colour: of the run.
    """
    for kind, step in _marks(run):
        style: Any = MARKS.get(kind, ":")
        shade = colour if kind in KEPT else QUIET
        axes.axvline(step, color=shade, linestyle=style, linewidth=0.9, alpha=0.8, zorder=0.5)
        if kind == "chosen" and (at := _value_at(steps, step)) is not None:
            axes.plot(
                steps[at],
                values[at],
                "*",
                color=colour,
                markersize=12,
                markeredgecolor="white",
                zorder=4,
            )


def _value_at(steps: NDArray[np.float64], step: float) -> int | None:
    """Return the place of the value that stands for a step: the last one before it, if it is near.

    A value of an epoch's beginning stands for the epoch; one long before it, or of a later step,
    would be read as that of the weights.
    """
    at = int(np.searchsorted(steps, step, side="right")) - 1
    return at if at >= 0 and step - steps[at] <= NEAR * step else None
