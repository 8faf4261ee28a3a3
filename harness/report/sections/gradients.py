"""Gradients and weights of easy and hard items, early, in the middle and late in a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.board.record_paths import slug
from harness.board.writing.chart_drawing import COLOURS
from harness.report.drawing import QUIET, drawing, svg
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.sections.curves import glossary_of
from harness.report.text import Words, short_number
from harness.series.scalar_names import SAMPLE, TRAINING, VALIDATION
from harness.series.series import Series, StepVector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = (
    "gradient_norms", "norm_density", "norm_weights", "weighted_gradients",
    "norm_statistics", "weight_statistics",
)  # fmt: skip
"""Vectors that this section shows, below their group."""

DRAWN = (
    "density of weighted gradients", "mean weight", "gradient norm: 0 easy, 1 hard", "epoch",
)  # fmt: skip

GROUPS = (TRAINING, SAMPLE, VALIDATION)

SCALARS = ("loss_ratio", "gradient_evenness", "weighted_evenness", "hardest_weight")

BIN_STATISTICS = ("fullest", "emptiest")
"""Statistics that are the place of a bin: shown by what the bin holds."""

EXACT = 1e-9
"""A deviation of this share of the largest value is the rounding of one and the same value."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Show the first, the middle and the last epoch at which gradients were looked at."""
    own, blocks = _Texts(words, "_pairs" if glossary_of(runs) == "pairs" else ""), list[Block]()
    for place, run in enumerate(runs):
        if run.series is not None:
            blocks += _of_run(place, run.name if len(runs) > 1 else "", run.series, own)
    if not blocks:
        return None
    lead_blocks = [Paragraph(own(each), quiet=True) for each in ("lead", "how")]
    return Section(
        "gradients", words("gradients.title"), (*lead_blocks, *blocks), (own.density, *DRAWN)
    )


@dataclass(frozen=True)
class _Texts:
    """This section's texts: those of pairs where pairs are what is counted.

    Attributes:
        words: of the page's language.
        ending: of the ids that go before the general ones.
    """

    words: Words
    ending: str

    @property
    def density(self) -> str:
        """What the upper picture's axis is called."""
        return f"density of {'pairs' if self.ending else 'items'}"

    def __call__(self, text: str, **values: object) -> str:
        apart = f"gradients.{text}{self.ending}"
        return self.words(apart if self.words.get(apart) else f"gradients.{text}", **values)


def shows(name: str) -> bool:
    """Return whether a vector of a series is shown by this section."""
    return name.partition("/")[2] in NAMES


def _of_run(place: int, name: str, series: Series, own: _Texts) -> list[Block]:
    found = {(each.name, each.step): each for each in series.vectors if shows(each.name)}
    steps = sorted({step for _, step in found})
    if not steps:
        return []
    half = (steps[0] + steps[-1]) / 2
    middle = min(steps, key=lambda step: abs(step - half))
    chosen = list(dict.fromkeys((steps[0], middle, steps[-1])))
    blocks: list[Block] = []
    colon = own.words("page.colon")
    told = f"{name}{colon}" if name else ""
    for step in chosen:
        held = {vector: each for (vector, at), each in found.items() if at == step}
        when = told + own("epoch", epoch=f"{_epoch(held):,.4g}", step=f"{step:,}")
        blocks.append(Paragraph(f"{when}{colon.rstrip()}"))
        for group in GROUPS:
            if f"{group}/norm_density" in held:
                title = f"{group}, epoch {_epoch(held):g}"
                alt = own("alt", group=group, when=when)
                picture = _draw(title, held, group, own.density)
                caption = f"`{group}`{colon}{own(group)}"
                file = f"gradients-{place + 1}-{slug(group)}-{step}"
                blocks.append(ReportPicture(file, picture, alt, caption, width=0.33))
        blocks.append(_table(held, when, own))
        blocks += _summary(_scalars(series, step), when, own)
    return blocks


def _epoch(held: Mapping[str, StepVector]) -> float:
    return next(iter(held.values())).epoch


def _scalars(series: Series, step: int) -> dict[str, float]:
    rows = series.scalars[series.scalars["step"] == step]
    values = zip(rows["name"], rows["value"], strict=True)
    return {str(name): float(value) for name, value in values}


def _draw(title: str, held: Mapping[str, StepVector], group: str, name: str) -> bytes:
    with drawing(4.2, 4.6) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        density, weights = held[f"{group}/norm_density"], held[f"{group}/norm_weights"]
        _bars(upper, density, COLOURS[0], name)
        _bars(lower, weights, COLOURS[1], "mean weight")
        lower.axhline(1.0, color=QUIET, linewidth=0.8, linestyle=":")
        share = held[f"{group}/weighted_gradients"]
        pull = np.array(share.values) * len(share.values)
        upper.stairs(
            pull, share.edges,
            color=COLOURS[3], linewidth=1.4, label="density of weighted gradients",
        )  # fmt: skip
        upper.set_ylim(0, 1.25 * max(pull.max(), *density.values))  # room for the legend
        upper.legend(fontsize=7, frameon=False)
        lower.set_xlabel("gradient norm: 0 easy, 1 hard", fontsize=8)
        upper.set_title(title, loc="left", fontsize=9, fontweight="bold")
        return svg(figure)


def _bars(axes: Axes, vector: StepVector, colour: str, name: str) -> None:
    edges = np.array(vector.edges)
    axes.bar(
        edges[:-1], vector.values, np.diff(edges), align="edge",
        color=colour, edgecolor="white", linewidth=0.5, label=name,
    )  # fmt: skip
    axes.set_ylabel(name, fontsize=8)
    axes.set_ylim(bottom=0)


def _table(held: Mapping[str, StepVector], when: str, own: _Texts) -> ReportTable:
    """Return the statistics of norms and weights, a column each of a group.

    Weights that are one and the same for all items, as cross-entropy gives them, have no column.
    """
    weighted = any(_vary(held, group) for group in GROUPS)
    kinds = ("norm", *["weight"] * weighted)
    columns = [
        (group, kind) for group in GROUPS for kind in kinds if f"{group}/{kind}_statistics" in held
    ]
    first = held["{}/{}_statistics".format(*columns[0])]
    rows = [
        (
            own(label),
            *(
                _cell(held[f"{group}/{kind}_statistics"], place, held, group)
                for group, kind in columns
            ),
        )
        for place, label in enumerate(first.labels)
    ]
    head = ("", *(own(f"{kind}s_of", group=group) for group, kind in columns))
    caption = own("table" if weighted else "table_norms", when=when)
    return ReportTable(head, tuple(rows), caption, frozenset(range(1, len(head))))


def _summary(scalars: Mapping[str, float], when: str, own: _Texts) -> list[ReportTable]:
    """Return the table of what is one number for a whole group, a column each; none without."""
    groups = [group for group in GROUPS if any(f"{group}/{name}" in scalars for name in SCALARS)]
    rows = []
    for name in SCALARS:
        values = [scalars.get(f"{group}/{name}") for group in groups]
        if any(value is not None for value in values):
            cells = ("" if value is None else short_number(value) for value in values)
            rows.append((own(name), *cells))
    numeric = frozenset(range(1, len(groups) + 1))
    caption = own("summary", when=when)
    return [ReportTable(("", *groups), tuple(rows), caption, numeric)] if rows else []


def _vary(held: Mapping[str, StepVector], group: str) -> bool:
    """Check if the weights of a group's items differ by more than rounding."""
    statistics = held.get(f"{group}/weight_statistics")
    return statistics is not None and _deviation(statistics) > 0


def _deviation(statistics: StepVector) -> float:
    """Return the standard deviation; 0 where it is the rounding of one and the same value."""
    named = dict(zip(statistics.labels, statistics.values, strict=True))
    deviation = named["deviation"]
    return 0.0 if deviation < EXACT * abs(named["maximum"]) else deviation


def _cell(statistics: StepVector, place: int, held: Mapping[str, StepVector], group: str) -> str:
    """Return a statistic; of a bin, its ends."""
    value = statistics.values[place]
    if statistics.labels[place] in BIN_STATISTICS:
        edges = held[f"{group}/gradient_norms"].edges
        return f"{edges[int(value)]:g}–{edges[int(value) + 1]:g}"
    if math.isnan(value):
        return ""
    if statistics.labels[place] == "deviation":
        return short_number(_deviation(statistics))
    return f"{value:,.0f}" if statistics.labels[place] == "count" else short_number(value)
