"""Histograms, densities and counts that a training kept at some of its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.board.record_paths import slug
from harness.board.writing.chart_drawing import COLOURS
from harness.report.drawing import drawing, drawn_name, scale_values, svg
from harness.report.run import Run
from harness.report.section import Paragraph, ReportPicture, Section
from harness.report.sections.curves import glossary_of, meaning
from harness.report.sections.gradients import shows as shown_apart
from harness.report.text import Words
from harness.series.series import StepVector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = 5
"""Steps of one vector that are drawn at most, from the first kept to the last."""

MOST = 12
"""Vectors of a run that are drawn."""

SORTED = "values, from high to low"

DRAWN = ("step", SORTED)

OUTLYING = 1000
"""A value so many times the middle one makes a histogram's axis logarithmic."""

NAMED = 20
"""Values up to which each is named below its bar."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw the vectors of the runs: how each changed if it is a histogram, else how it ended.

    Those of easy and hard examples have a section of their own.
    """
    pictures, drawn, kind = [], {"step"}, glossary_of(runs)
    for place, run in enumerate(runs):
        kept = run.series.vectors if run.series is not None else ()
        vectors = [vector for vector in kept if not shown_apart(vector.name)]
        for name in list(dict.fromkeys(vector.name for vector in vectors))[:MOST]:
            own = chosen([vector for vector in vectors if vector.name == name])
            drawn |= {SORTED} if _is_sorted(own[-1]) else set()
            told = f"{run.name}{words('page.colon')}" if len(runs) > 1 else ""
            caption = f"{told}`{name}`{words('page.colon')}{meaning(name, words, kind)}"
            alt = words("vectors.alt", name=name, run=run.name)
            file = f"vector-{place + 1}-{slug(name)}"
            pictures.append(ReportPicture(file, _draw(name, own), alt, caption, width=0.33))
    if not pictures:
        return None
    lead = Paragraph(words("vectors.lead"), quiet=True)
    return Section(
        "vectors", words("vectors.title"), (lead, *pictures), tuple(e for e in DRAWN if e in drawn)
    )


def chosen(vectors: Sequence[StepVector]) -> list[StepVector]:
    """Return at most `STEPS` of a name's vectors, evenly over them, the first and the last too."""
    places = np.unique(np.linspace(0, len(vectors) - 1, STEPS).round().astype(int))
    return [vectors[place] for place in places]


def _is_sorted(vector: StepVector) -> bool:
    """Check if a vector's values are too many to be named, and so drawn from high to low."""
    return not vector.edges and len(vector.values) > NAMED


def _draw(name: str, vectors: Sequence[StepVector]) -> bytes:
    last, title = vectors[-1], name
    with drawing() as figure:
        axes = figure.add_subplot()
        if last.edges:
            for place, vector in enumerate(vectors):
                share = (place + 1) / len(vectors)
                label = f"step {vector.step:,}"
                look: dict[str, Any] = {
                    "color": COLOURS[0],
                    "alpha": 0.25 + 0.75 * share,
                    "linewidth": 0.6 + share,
                }
                axes.stairs(vector.values, vector.edges, label=label, **look)
            _scale(axes, vectors)
            figure.legend(loc="outside lower center", ncols=3, fontsize=7, frameon=False)
        else:
            _draw_values(axes, last)
            title = f"{name}, step {last.step:,}"
        if axes.get_yscale() == "linear":
            axes.set_ylim(bottom=min(0.0, *(min(vector.values, default=0) for vector in vectors)))
        axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
        return svg(figure)


def _scale(axes: Axes, vectors: Sequence[StepVector]) -> None:
    """Make the axis logarithmic where a few values would leave nothing to see of all others."""
    values = np.concatenate([vector.values for vector in vectors])
    positive = values[values > 0]
    if len(positive) and positive.max() > OUTLYING * np.median(positive):
        scale_values(axes, float(positive.min()), float(positive.max()))


def _draw_values(axes: Axes, vector: StepVector) -> None:
    """Draw the values of the last step: in their order if they are few, else from high to low."""
    count = len(vector.values)
    if not _is_sorted(vector):
        names = [drawn_name(label, place) for place, label in enumerate(vector.labels)]
        names = names or [f"{place}" for place in range(count)]
        axes.bar(range(count), vector.values, color=COLOURS[0])
        longest = max(map(len, names), default=0)
        axes.set_xticks(range(count), names, rotation=90 if longest > 2 else 0, fontsize=7)
    else:
        axes.stairs(sorted(vector.values, reverse=True), color=COLOURS[0], fill=True)
        axes.set_xlabel(SORTED, fontsize=8)
