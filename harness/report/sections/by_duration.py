"""EER against how long the test utterances are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.metrics.detection import eer
from harness.metrics.intervals import half_trial, logit_interval
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_draws
from harness.metrics.weighted import eer_with_weights
from harness.records.record import Metric
from harness.report.eer_lines import Line, draw_lines, rate_text
from harness.report.judged import JudgedRun, judged_runs, same_tests
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import Words
from harness.tasks.groupings import FEWEST, shorter_side

AXIS = "shorter side of a trial, s"

PARTS = 6
"""Parts of the trials by length, as equal in number as their lengths allow."""

RESAMPLES = 300
"""Draws of the speakers behind the interval of a part."""

LEAST = 100
"""Targets of a part: fewer say too little, so short lists are cut into fewer parts."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw the EER of each run that was judged on trials, by the shorter side of the trials."""
    groups = same_tests(judged_runs(runs))
    found = [made for group in groups if (made := _of_test(group, words))]
    if not found:
        return None
    lead = Paragraph(words("lengths.lead"), quiet=True)
    blocks = (lead, *(block for made in found for block in made))
    return Section("lengths", words("lengths.title"), blocks, (AXIS,))


def edges_of(seconds: NDArray[np.float64], targets: int) -> NDArray[np.float64]:
    """Return the edges of parts that hold about as many trials, ascending; at most `PARTS` parts.

    Args:
        seconds: of each trial's shorter side, all known, `[trials]`.
        targets: how many of the trials are targets.
    """
    parts = int(np.clip(targets // LEAST, 1, PARTS))
    return np.unique(np.quantile(seconds, np.linspace(0, 1, parts + 1)))


def parts_of(
    seconds: NDArray[np.float64], target: NDArray[np.bool_]
) -> list[tuple[float, float, NDArray[np.bool_]]]:
    """Return the least and the greatest length of each part, and its trials, a mask `[trials]`.

    Args:
        seconds: of each trial's shorter side, 0 if that is not known, `[trials]`.
        target: which trials are targets, `[trials]`.
    """
    known = seconds > 0
    if not known.any():
        return []
    edges = edges_of(seconds[known], int(np.count_nonzero(target & known)))
    part = np.searchsorted(edges[1:-1], seconds, side="right")
    return [
        (float(low), float(high), known & (part == number))
        for number, (low, high) in enumerate(pairwise(edges))
    ]


def _of_test(group: Sequence[JudgedRun], words: Words) -> list[Block]:
    """Return picture and table of the runs of one test; nothing if its trials are of one length."""
    trials, place = group[0].trials, group[0].place
    seconds = shorter_side(group[0].items, trials)
    parts = parts_of(seconds, trials.target)
    if len(parts) < 2:
        return []
    middles = [float(np.median(seconds[mask])) for *_, mask in parts]
    lines, cells = [], []
    for each in group:
        rates = [_rate(each, mask) for *_, mask in parts]
        cells.append([rate_text(rate) for rate in rates])
        held = [(at, rate) for at, rate in zip(middles, rates, strict=True) if rate is not None]
        if held:
            lines.append(Line(each.place, each.run.name, *zip(*held, strict=True)))
    if not lines:
        return []
    rows = [
        (f"{low:.1f}–{high:.1f} s", *own, f"{mask.sum():,}", f"{(mask & trials.target).sum():,}")
        for (low, high, mask), *own in zip(parts, *cells, strict=True)
    ]
    caption = words("lengths.caption")
    head = [words("lengths.seconds")]
    head += [each.run.name for each in group] if len(group) > 1 else ["EER"]
    head += [words("lengths.trials"), words("lengths.targets")]
    drawn = draw_lines(lines, AXIS)
    return [
        ReportPicture(f"lengths-{place + 1}", drawn, caption, caption, width=0.5),
        ReportTable(tuple(head), tuple(rows), "", frozenset(range(1, len(head)))),
    ]


def _rate(each: JudgedRun, own: NDArray[np.bool_]) -> Metric | None:
    """Return the EER of some trials with its interval over their speakers; None of too few.

    As the parts of the test are judged, but with fewer draws: a page is made in seconds.
    """
    whole, task = each.scored, each.run.task
    part = ScoredTrials(
        whole.scores[own], whole.is_target[own], whole.enrol_speaker[own], whole.test_speaker[own]
    )
    if part.fewest < FEWEST:
        return None
    value = eer(part.scores[part.is_target], part.scores[~part.is_target]).value
    if len(np.unique(part.enrol_speaker[part.is_target])) < FEWEST:
        return Metric(value=value, unit="%")
    draws, _ = speaker_draws(part, resamples=RESAMPLES, seed=getattr(task, "seed", 0))
    interval = logit_interval(
        value, eer_with_weights(part, draws), len(part.speakers), floor=half_trial(part.fewest)
    )
    return Metric(value=value, low=interval.low, high=interval.high, unit="%")
