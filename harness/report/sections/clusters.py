"""Pages of a clustering: scores by epoch, assignment of clusters, recovery of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.board.record_paths import slug
from harness.metrics.cluster_tables import assignment, counts_by_unit
from harness.report.drawing import QUIET, drawing, look, svg
from harness.report.finding import percent
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import Words

SCORES = {"nmi": "NMI", "ari": "ARI", "cluster_accuracy": "ACC", "fmi": "FMI"}
"""Names of the scores in the series -> as the field writes them."""

CHOICE = "silhouette"

DRAWN = ("step", "trusted_share", CHOICE, "cluster", "label", "share of the label", "items")

NUMBERED = 16
"""Labels and clusters up to which each place of a matrix shows its number."""


@dataclass(frozen=True, eq=False)
class Found:
    """Clusters of a run's test.

    Attributes:
        place, run: of the run within the report.
        labels, clusters: names, `[L]` and `[K]`.
        table: items by label and cluster, `[L, K]`.
        own: the cluster that stands for each label, `[L]`; -1 for none.
        label_of, cluster_of: of each item, as places in the names, `[items]`.
    """

    place: int
    run: Run
    labels: NDArray[np.str_]
    clusters: NDArray[np.int64]
    table: NDArray[np.int64]
    own: NDArray[np.int64]
    label_of: NDArray[np.intp]
    cluster_of: NDArray[np.intp]


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Show how clusters came about, and what they hold."""
    blocks: list[Block] = []
    for place, run in enumerate(runs):
        blocks += _epochs(place, run, _told(run, runs, words), words)
    held = [found for place, run in enumerate(runs) if (found := _found(place, run))]
    names = [_told(each.run, runs, words) for each in held]
    distances = [_distances(each, told, words) for each, told in zip(held, names, strict=True)]
    for each, told, measured in zip(held, names, distances, strict=True):
        blocks += [*_pictures(each, told, words), _recovery(each, told, words), *measured]
    if not blocks:
        return None
    rules = [words("clusters.rule")]
    rules += [words("clusters.rule_distances")] if any(distances) else []
    blocks.append(Paragraph(words("page.space").join(rules), quiet=True))
    return Section("clusters", words("clusters.title"), tuple(blocks), DRAWN)


def _found(place: int, run: Run) -> Found | None:
    if run.lists is None or run.scores is None or "clusters" not in run.scores:
        return None
    labels, label_of = np.unique(run.lists.items["label"].to_numpy(str), return_inverse=True)
    clusters, cluster_of = np.unique(run.scores["clusters"], return_inverse=True)
    table = counts_by_unit(label_of, cluster_of, np.zeros(len(label_of), int))[0]
    return Found(
        place,
        run,
        labels,
        clusters.astype(np.int64),
        table,
        assignment(table),
        label_of,
        cluster_of,
    )


def _told(run: Run, runs: Sequence[Run], words: Words) -> str:
    """Return the run's name before a caption; nothing where the page is of one run."""
    return f"{run.name}{words('page.colon')}" if len(runs) > 1 else ""


def _epochs(place: int, run: Run, told: str, words: Words) -> list[Block]:
    """Draw the four scores of every validation, with the chosen one and the best by labels."""
    series = run.series
    if series is None or "Test/nmi" not in series.names:
        return []
    curves = {name: series[f"Test/{name}"] for name in SCORES if f"Test/{name}" in series.names}
    nmi = curves["nmi"]
    steps, values = nmi["step"].to_numpy(float), nmi["value"].to_numpy(float)
    chosen = next((mark.step for mark in reversed(series.marks) if mark.kind == "chosen"), None)
    best = int(values.argmax())
    with drawing(5.6, 3.4) as figure:
        axes = figure.add_subplot()
        for number, (name, curve) in enumerate(curves.items()):
            axes.plot(curve["step"], 100 * curve["value"], label=SCORES[name], **look(number))
        for number, name in enumerate(("trusted_share", CHOICE)):
            key = f"Train/{name}" if name == "trusted_share" else f"Test/{name}"
            if key in series.names:
                other = series[key]
                line = ("--", ":")[number]
                axes.plot(other["step"], 100 * other["value"], line, color=QUIET, label=name)
        if chosen is not None:
            axes.axvline(chosen, color=QUIET, linewidth=0.8)
        axes.set_xlabel("step")
        axes.set_ylabel("%")
        axes.legend(framealpha=0.9, edgecolor="none", fontsize=7, ncols=2)
        content = svg(figure)
    alt = words("clusters.epochs_alt", run=run.name)
    caption = told + words("clusters.epochs")
    blocks: list[Block] = [ReportPicture(f"scores-{place}-{slug(run.name)}", content, alt, caption)]
    if chosen is not None and (steps == chosen).any():
        at = int(np.flatnonzero(steps == chosen)[-1])
        rows = [
            (
                words(f"clusters.{row}"),
                f"{steps[index]:,.0f}",
                *(
                    _shown(score, float(each["value"].iloc[index]))
                    for score, each in curves.items()
                ),
            )
            for row, index in (("chosen", at), ("oracle", best))
        ]
        named = (SCORES[name] for name in curves)
        head = (words("clusters.weights"), words("clusters.step"), *named)
        numeric = frozenset(range(1, len(head)))
        caption = told + words("clusters.choice")
        blocks.append(ReportTable(head, tuple(rows), caption, numeric))
    return blocks


def _shown(score: str, value: float) -> str:
    """Return a score as the table of results shows it: ARI may be negative, so it is no share."""
    return f"{value:.3f}" if score == "ari" else percent(value)


def _order(found: Found) -> NDArray[np.int64]:
    """Return the clusters in the order of the labels that they stand for, the others last."""
    own = [int(cluster) for cluster in found.own if cluster >= 0]
    rest = [place for place in range(len(found.clusters)) if place not in own]
    return np.array([*own, *rest], dtype=np.int64)


def _pictures(found: Found, told: str, words: Words) -> list[Block]:
    order, name = _order(found), slug(found.run.name)
    table = found.table[:, order]
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    width = float(np.clip(2.2 + 0.36 * len(order), 4.4, 9))
    height = float(np.clip(1.4 + 0.32 * len(found.labels), 3.2, 8))
    with drawing(width, height) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_yticks(range(len(found.labels)), found.labels.tolist(), fontsize=8)
        axes.set_xticks(range(len(order)), [f"{found.clusters[at]}" for at in order], fontsize=8)
        if max(table.shape) <= NUMBERED:
            for (row, column), count in np.ndenumerate(table):
                if count:
                    shade = "white" if shares[row, column] > 0.55 else "black"
                    axes.text(
                        column, row, f"{count}", ha="center", va="center", color=shade, fontsize=7
                    )
        axes.set_xlabel("cluster")
        axes.set_ylabel("label")
        figure.colorbar(image, ax=axes, shrink=0.8, label="share of the label")
        matrix = svg(figure)
    with drawing(4.4, height) as figure:
        axes = figure.add_subplot()
        places = np.arange(len(order))
        sizes = table.sum(axis=0)
        labels = np.zeros(len(order))
        for row, cluster in enumerate(found.own):
            if cluster >= 0:
                labels[np.flatnonzero(order == cluster)[0]] = found.table[row].sum()
        axes.bar(places - 0.2, sizes, 0.4, label="cluster", color=look(0)["color"])
        axes.bar(places + 0.2, labels, 0.4, label="label", color=look(1)["color"])
        axes.set_xticks(places, [f"{found.clusters[at]}" for at in order], fontsize=8)
        axes.set_xlabel("cluster")
        axes.set_ylabel("items")
        axes.set_ylim(0, 1.18 * max(sizes.max(), labels.max()))  # room for the legend
        axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
        bars = svg(figure)
    run = found.run.name
    return [
        ReportPicture(
            f"assignment-{found.place}-{name}",
            matrix,
            words("clusters.matrix_alt", run=run),
            told + words("clusters.matrix"),
            0.5,
        ),
        ReportPicture(
            f"sizes-{found.place}-{name}",
            bars,
            words("clusters.sizes_alt", run=run),
            told + words("clusters.sizes"),
            0.5,
        ),
    ]


def _recovery(found: Found, told: str, words: Words) -> ReportTable:
    """Return the table of labels, the one that is recovered least first."""
    sizes, rows = found.table.sum(axis=0), []
    for row, label in enumerate(found.labels):
        cluster, items = int(found.own[row]), int(found.table[row].sum())
        held = int(found.table[row, cluster]) if cluster >= 0 else 0
        precision = percent(held / int(sizes[cluster])) if cluster >= 0 else "–"
        named = f"{found.clusters[cluster]}" if cluster >= 0 else "–"
        most = int(found.table[row].argmax())
        largest = f"{found.clusters[most]} ({found.table[row, most]:,})"
        cells = (str(label), f"{items:,}", named, percent(held / items), precision, largest)
        rows.append((held / items, cells))
    rows.sort(key=lambda each: each[0])
    names = ("label", "items", "cluster", "recovered", "purity", "largest")
    head = tuple(words(f"clusters.{name}") for name in names)
    caption = told + words("clusters.recovery")
    return ReportTable(head, tuple(cells for _, cells in rows), caption, frozenset({1, 3, 4}))


def _distances(found: Found, told: str, words: Words) -> list[Block]:
    """Tell distances of items to the middle of their cluster, and of middles to one another."""
    embeddings = found.run.embeddings
    if embeddings is None:
        return []
    points = embeddings.astype(np.float64)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    pairs = ((found.cluster_of, "by_cluster"), (found.label_of, "by_label"))
    rows = []
    for codes, name in pairs:
        middles = np.stack([points[codes == code].mean(axis=0) for code in np.unique(codes)])
        within = float(np.linalg.norm(points - middles[codes], axis=1).mean())
        gaps = np.linalg.norm(middles[:, None] - middles[None], axis=-1)
        between = float(gaps[np.triu_indices(len(middles), 1)].mean())
        ratio = f"{between / within:.2f}" if within > 0 else "–"
        rows.append((words(f"clusters.{name}"), f"{within:.3f}", f"{between:.3f}", ratio))
    head = tuple(words(f"clusters.{name}") for name in ("groups", "within", "between", "ratio"))
    caption = told + words("clusters.distances")
    return [ReportTable(head, tuple(rows), caption, frozenset({1, 2, 3}))]
