"""ROC and DET curves of the runs, with bands over resampled speakers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from harness.board.writing.chart_drawing import COLOURS, style
from harness.metrics.roc_band import miss_band
from harness.report.drawing import LINES, drawing, drawn_name, svg
from harness.report.judged import JudgedRun, judged_runs
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, Section
from harness.report.text import Words
from harness.tasks.groupings import FEWEST
from harness.trials.det_plot import Band, det_figure, legend_below
from harness.trials.system_report import SystemReport, judge

RESAMPLES = 200

DRAWN = ("false-alarm rate", "miss rate", "accepted targets", "area", "equal error rate", "costs")

PLACES = 60
"""False-alarm rates at which a band is computed."""

SEED = 20261120

SIZE = (4.6, 5.2)
"""Inches of a picture: its letters can be read on a narrow screen too."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw the curves of all runs that were judged on trials, overlaid."""
    judged = judged_runs(runs)
    if not judged:
        return None
    reports = [_report(each) for each in judged]
    bands = [_band(each) for each in judged]
    with style():
        figure = det_figure(reports, bands)
        figure.set_size_inches(SIZE)
        det = svg(figure)
    names = words("page.and").join(each.run.name for each in judged)
    lead = "lead_of_one" if len(judged) == 1 else "lead"
    lead = f"detection.{lead}" if any(bands) else "detection.lead_without_bands"
    blocks: list[Block] = [
        Paragraph(words(lead, draws=RESAMPLES), quiet=True),
        ReportPicture(
            "det", det, words("detection.det_alt", runs=names), words("detection.det"), 0.5
        ),
        ReportPicture(
            "roc",
            _roc(reports, bands),
            words("detection.roc_alt", runs=names),
            words("detection.roc"),
            0.5,
        ),
    ]
    return Section("detection", words("detection.title"), tuple(blocks), DRAWN)


def _report(each: JudgedRun) -> SystemReport:
    name = drawn_name(each.run.name, each.place)
    return judge(name, each.scores, each.trials.target, [each.point], None)


def _band(each: JudgedRun) -> Band | None:
    """Return the band of a run; None where its test has too few speakers for one."""
    scored = each.scored
    if len(np.unique(scored.enrol_speaker[scored.is_target])) < FEWEST:
        return None
    half = 0.5 / len(each.nontargets)
    rates: NDArray[np.float64] = ndtr(np.linspace(ndtri(half), ndtri(1 - half), PLACES))
    low, high = miss_band(scored, rates, resamples=RESAMPLES, seed=SEED)
    least = 0.5 / len(each.targets)
    return Band(rates, *(np.clip(end, least, 1 - least) for end in (low, high)))


def _roc(reports: Sequence[SystemReport], bands: Sequence[Band | None]) -> bytes:
    with drawing(*SIZE) as figure:
        axes = figure.add_subplot()
        for place, (report, band) in enumerate(zip(reports, bands, strict=True)):
            colour, line = COLOURS[place % len(COLOURS)], LINES[place % len(LINES)]
            curve = report.curve
            axes.plot(
                curve.false_alarm_rates,
                1 - curve.miss_rates,
                color=colour,
                linestyle=line,
                label=f" {report.name} (area {_area(report):.4f})",
            )
            if band is not None:
                ends = (1 - band.high, 1 - band.low)
                axes.fill_between(band.false_alarms, *ends, color=colour, alpha=0.15, linewidth=0)
        axes.axline((0, 0), slope=1, color="grey", linewidth=0.5, linestyle=":")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.005)
        axes.set_aspect("equal")
        axes.set_xlabel("false-alarm rate")
        axes.set_ylabel("accepted targets (1 − miss rate)")
        legend_below(figure)
        return svg(figure)


def _area(report: SystemReport) -> float:
    """Return the area below the drawn curve, by trapezia."""
    curve = report.curve
    return float(np.trapezoid(1 - curve.miss_rates[::-1], curve.false_alarm_rates[::-1]))
