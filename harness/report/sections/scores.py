"""How scores of one speaker and of two are distributed, with the threshold that parts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.board.writing.chart_drawing import COLOURS
from harness.metrics.detection import eer, error_rates
from harness.report.drawing import drawing, svg
from harness.report.judged import JudgedRun, judged_runs
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import Words

BINS = 80
DRAWN = ("same speaker", "different speakers", "threshold of validation", "score", "density")
SAME, OTHER = COLOURS[0], "0.55"


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw the two distributions of each run that was judged on trials."""
    judged = judged_runs(runs)
    if not judged:
        return None
    blocks: list[Block] = [Paragraph(words("scores.lead"), quiet=True)]
    for each in judged:
        name = each.run.name
        picture = histogram(each)
        width = 0.5 if len(judged) < 3 else 0.33
        alt = words("scores.alt", run=name)
        blocks.append(ReportPicture(f"scores-{each.place + 1}", picture, alt, name, width=width))
    head = [words(f"scores.{name}") for name in ("run", "same", "different", "threshold")]
    head += [words(f"scores.{name}") for name in ("missed", "accepted", "best")]
    rows = tuple(_row(each) for each in judged)
    numeric = frozenset(range(1, len(head)))
    blocks.append(ReportTable(tuple(head), rows, words("scores.table"), numeric))
    return Section("scores", words("scores.title"), tuple(blocks), DRAWN)


def histogram(each: JudgedRun) -> bytes:
    """Draw the densities of a run's scores: the area below each is 1."""
    low, high = float(each.scores.min()), float(each.scores.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    with drawing(5.2, 3.0) as figure:
        axes = figure.add_subplot()
        sides: tuple[tuple[Any, str, dict[str, Any]], ...] = (
            (each.nontargets, "different speakers", {"color": OTHER, "fill": True, "alpha": 0.55}),
            (each.targets, "same speaker", {"color": SAME, "linewidth": 1.6}),
        )
        for side, name, look in sides:
            heights = np.histogram(side, edges, density=True)[0]
            axes.stairs(heights, edges, label=f"{name} ({len(side):,})", **look)
        if each.threshold is not None:
            label = f"threshold of validation, {each.threshold:.3g}"
            axes.axvline(each.threshold, color="black", linestyle="--", linewidth=1, label=label)
        axes.set_xlabel("score")
        axes.set_ylabel("density")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8)
        return svg(figure)


def _row(each: JudgedRun) -> tuple[str, ...]:
    sides = (each.targets, each.nontargets)
    told = [f"{side.mean():.3f} ± {side.std():.3f}" for side in sides]
    best = eer(*sides).threshold
    if each.threshold is None:
        return (each.run.name, *told, "–", "–", "–", f"{best:.3f}")
    rates = error_rates(*sides, each.threshold)
    shares = (
        f"{100 * rate:.2f} % ({round(rate * len(side)):,})"
        for rate, side in zip((rates.miss, rates.false_alarm), sides, strict=True)
    )
    return (each.run.name, *told, f"{each.threshold:.3f}", *shares, f"{best:.3f}")
