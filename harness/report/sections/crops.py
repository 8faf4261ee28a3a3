"""EER against the length and the number of test crops, where they were asked for."""

from __future__ import annotations

from collections.abc import Sequence

from harness.board.standing.figures import UNKNOWN
from harness.registry.crop_curve import CropCurve, CropPoint
from harness.report.eer_lines import Line, draw_lines, rate_text
from harness.report.run import Run
from harness.report.run_facts import unpublished
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import Words

WAYS = {"by_length": "length of the crop, s", "by_count": "crops an utterance"}
"""What is varied -> the label of its axis."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw what was kept of each run, and tell how the others get theirs."""
    kept = [(place, run, run.crop_curve) for place, run in enumerate(runs)]
    held = [(place, run, curve) for place, run, curve in kept if curve is not None]
    lacking = [run.name for _, run, curve in kept if curve is None and _can_be_cropped(run)]
    blocks: list[Block] = [Paragraph(words("crops.lead"), quiet=True)] * bool(held)
    pictures, tables = [], []
    for way, label in WAYS.items():
        caption = words(f"crops.{way}")
        if lines := [line for each in held if (line := _line(*each, way))]:
            drawn = draw_lines(lines, label)
            pictures.append(ReportPicture(f"crops-{way[3:]}", drawn, caption, caption, width=0.5))
        if any(len(_points(curve, way)) > 1 for *_, curve in held):
            tables.append(_table([(run, curve) for _, run, curve in held], way, words))
    blocks += [*pictures, *tables]
    if lacking:
        names = words("page.and").join(lacking)
        blocks.append(Paragraph(words("crops.none", runs=names), quiet=True))
    if blocks:
        published = [run for run in runs if run.record is not None and not run.stages]
        blocks += unpublished(published, words)
    return (
        Section("crops", words("crops.title"), tuple(blocks), (*WAYS.values(),)) if blocks else None
    )


def _can_be_cropped(run: Run) -> bool:
    is_sound = run.listing is not None and run.listing.corpus.kind == "audio"
    has_trials = run.lists is not None and run.lists.trials is not None
    return is_sound and has_trials and {"train", "evaluate"} <= run.stages.keys()


def _line(place: int, run: Run, curve: CropCurve, way: str) -> Line | None:
    """Return the run's EER over what is varied; None of fewer than two points."""
    points = [point for point in _points(curve, way) if point.seconds is not None]
    if len(points) < 2:
        return None
    at = [(point.seconds or 0) if way == "by_length" else float(point.count) for point in points]
    return Line(place, run.name, at, [point.metric for point in points])


def _points(curve: CropCurve, way: str) -> list[CropPoint]:
    return curve.by_length if way == "by_length" else curve.by_count


def _table(held: Sequence[tuple[Run, CropCurve]], way: str, words: Words) -> ReportTable:
    columns = [{_name(p, words): p for p in _points(curve, way)} for _, curve in held]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = []
    for name in names:
        own = [column.get(name) for column in columns]
        longer = next(point.longer for point in own if point is not None)
        rates = [rate_text(point.metric) if point else UNKNOWN for point in own]
        rows.append((name, f"{100 * longer:.0f} %", *rates))
    runs = [run.name for run, _ in held] if len(held) > 1 else ["EER"]
    head = (words("crops.crops"), words("crops.longer"), *runs)
    return ReportTable(head, tuple(rows), words(f"crops.{way}"), frozenset(range(1, len(head))))


def _name(point: CropPoint, words: Words) -> str:
    if point.seconds is None:
        return words("crops.whole")
    return f"{point.count} × {point.seconds:g} s"
