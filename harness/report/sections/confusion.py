"""Pages of a classifier: confusion matrix, a row a class, and the reliability diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from harness.board.record_paths import slug
from harness.board.standing.figures import UNKNOWN
from harness.metrics.accuracy import confusion
from harness.metrics.classifier_scores import expected_calibration_error, reliability
from harness.report.drawing import QUIET, drawing, drawn_name, look, svg
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.sections.conditions import CLASSES, breakdown, held_details
from harness.report.text import Words

DRAWN = ("predicted", "true", "share of the true class", "confidence", "accuracy")

NUMBERED = 14
"""Classes up to which each place of a confusion matrix shows its number."""

LARGEST = 60
"""Classes up to which names stand beside a confusion matrix."""

MOST_TAKEN_FOR = 3
"""Classes that are named at most where a class was taken for several equally often."""


@dataclass(frozen=True, eq=False)
class TestDecisions:
    """A run's decisions on test.

    Attributes:
        place, run: of the run within the report.
        classes: C names, in the order of the logits.
        counts: `[C, C]`, items by true class (row) and decided class (column).
        logits: `[items, C]`.
        labels: `[items]`, true classes as places in `classes`.
    """

    place: int
    run: Run
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    logits: NDArray[np.float64]
    labels: NDArray[np.intp]


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Show what each classifier took for what, and how far its confidence can be believed."""
    held = [found for place, run in enumerate(runs) if (found := _decisions(place, run))]
    if not held:
        return None
    blocks: list[Block] = []
    for each in held:
        name = each.run.name if len(runs) > 1 else ""
        alt = words("classes.confusion_alt", run=each.run.name)
        caption = _caption(each, name, words)
        picture = _draw_confusion(each)
        blocks.append(
            ReportPicture(
                f"confusion-{each.place}-{slug(each.run.name)}", picture, alt, caption, 0.5
            )
        )
    trained = [each for each in held if each.run.record and not each.run.record.is_baseline]
    if trained:
        blocks.append(_reliability(trained, words))
    blocks += _by_class([each.run for each in held], words)
    blocks += [_table(each, len(runs) > 1, words) for each in held]
    blocks.append(Paragraph(words("classes.rule"), quiet=True))
    return Section("classes", words("classes.title"), tuple(blocks), DRAWN)


def _caption(found: TestDecisions, name: str, words: Words) -> str:
    """Return what a confusion matrix shows; numbers of items only where they are drawn."""
    text = "confusion" if len(found.classes) <= NUMBERED else "confusion_shades"
    return words(f"classes.{text}", run=f"{name}{words('page.colon')}" if name else "")


def _by_class(runs: Sequence[Run], words: Words) -> list[ReportPicture]:
    """Return the picture of each class's recall with its interval."""
    held = held_details(runs)
    for _, details in held.values():
        if CLASSES in details.breakdowns:
            blocks = breakdown(CLASSES, details.breakdowns[CLASSES], held, words, inches=5.6)
            return [replace(each, width=0.5) for each in blocks if isinstance(each, ReportPicture)]
    return []


def _decisions(place: int, run: Run) -> TestDecisions | None:
    """Return a run's decisions; None if it is no classifier, or its scores are not here."""
    lists, scores = run.lists, run.scores
    if lists is None or scores is None or "logits" not in scores or not lists.classes:
        return None
    logits = np.asarray(scores["logits"], dtype=np.float64)
    labels, classes = lists.items["label"].to_numpy(str), np.array(lists.classes)
    counts = confusion(labels, classes[logits.argmax(axis=1)], lists.classes)
    codes = np.array([lists.classes.index(label) for label in labels], dtype=np.intp)
    return TestDecisions(place, run, lists.classes, counts, logits, codes)


def _draw_confusion(found: TestDecisions) -> bytes:
    shares = found.counts / np.maximum(1, found.counts.sum(axis=1, keepdims=True))
    count = len(found.classes)
    size = float(np.clip(1.6 + 0.3 * count, 4.2, 5.2))
    with drawing(size + 1.6, size) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        names = [drawn_name(name, at) for at, name in enumerate(found.classes)]
        if count <= LARGEST:
            letters = 6 if count > NUMBERED else 8
            axes.set_xticks(
                range(count),
                names,
                rotation=90 if max(map(len, names)) > 2 else 0,
                fontsize=letters,
            )
            axes.set_yticks(range(count), names, fontsize=letters)
        if count <= NUMBERED:
            for (row, column), number in np.ndenumerate(found.counts):
                if number:
                    shade = "white" if shares[row, column] > 0.55 else "black"
                    axes.text(
                        column, row, f"{number}", ha="center", va="center", color=shade, fontsize=8
                    )
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        for spine in axes.spines.values():
            spine.set_visible(True)
        figure.colorbar(image, ax=axes, shrink=0.8, label="share of the true class")
        return svg(figure)


DISC = 900
"""Area of a disc of all items, in square points."""


def _reliability(found: Sequence[TestDecisions], words: Words) -> ReportPicture:
    errors = []
    with drawing(5.6, 4.4) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
        for each in found:
            chances = softmax(each.logits, axis=1)
            points = reliability(chances, each.labels)
            looks = look(each.place)
            name = drawn_name(each.run.name, each.place)
            # Smaller than the disc of a few items, which is what is to be seen.
            line = {**looks, "markersize": 2, "clip_on": False}
            axes.plot(points.confidence, points.accuracy, label=name, **line)
            axes.scatter(
                points.confidence,
                points.accuracy,
                DISC * points.counts / points.counts.sum(),
                color=looks["color"],
                alpha=0.35,
                linewidth=0,
                clip_on=False,
            )
            error = expected_calibration_error(chances, each.labels)
            errors.append(f"{f'{each.run.name} ' * (len(found) > 1)}{100 * error:.2f} %")
        axes.set_xlabel("confidence")
        axes.set_ylabel("accuracy")
        axes.set_xlim(0, 1.06)
        axes.set_ylim(0, 1.06)
        axes.set_aspect("equal")
        if len(found) > 1:
            axes.legend(frameon=False, fontsize=8, loc="upper left")
        content = svg(figure)
    caption = words("classes.reliability", errors=words("page.semicolon").join(errors))
    return ReportPicture("reliability", content, words("classes.reliability_alt"), caption, 0.5)


def _table(found: TestDecisions, several: bool, words: Words) -> ReportTable:
    """Return the table of classes, the one that is found least often first."""
    right, true, decided = (
        found.counts.diagonal(),
        found.counts.sum(axis=1),
        found.counts.sum(axis=0),
    )
    recall, precision = right / np.maximum(1, true), right / np.maximum(1, decided)
    order = np.lexsort((np.arange(len(true)), recall))
    rows = [
        (
            found.classes[at],
            f"{true[at]:,}",
            f"{100 * recall[at]:.1f} %{_interval(found, at)}",
            f"{100 * precision[at]:.1f} %" if decided[at] else UNKNOWN,
            _taken_for(found, at, words),
        )
        for at in (int(each) for each in order if true[each])
    ]
    head = tuple(
        words(f"classes.{each}") for each in ("name", "items", "recall", "precision", "most")
    )
    caption = words(
        "classes.table", run=f"{found.run.name}{words('page.colon')}" if several else ""
    )
    return ReportTable(head, tuple(rows), caption, frozenset({1, 2, 3}))


def _taken_for(found: TestDecisions, place: int, words: Words) -> str:
    """Return the class that most items of a class were wrongly taken for; of several, all."""
    wrong = found.counts[place].copy()
    wrong[place] = 0
    count = wrong.max()
    if not count:
        return UNKNOWN
    names = [found.classes[each] for each in np.flatnonzero(wrong == count)]
    shown = words("page.and").join(names[:MOST_TAKEN_FOR]) + " …" * (len(names) > MOST_TAKEN_FOR)
    each = words("classes.each", count=f"{count:,}") if len(names) > 1 else f" ({count:,})"
    return shown + each


def _interval(found: TestDecisions, place: int) -> str:
    """Return the interval of a class's recall, with a space before it; empty if it has none."""
    details = found.run.details
    groups = details.breakdowns[CLASSES].groups if details and CLASSES in details.breakdowns else ()
    for group in groups:
        metric = group.metrics.get("accuracy")
        if group.name == found.classes[place] and metric and metric.low is not None:
            return f" ({100 * metric.low:.1f}–{100 * (metric.high or 0):.1f})"
    return ""
