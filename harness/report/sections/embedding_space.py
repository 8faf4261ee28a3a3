"""Kept embeddings of the test: Recall@K, and their first axes and neighbourhoods as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.board.writing.chart_drawing import COLOURS, MARKERS
from harness.metrics.recall_at_k import recall_at_k, unit_vectors
from harness.report.drawing import drawing, drawn_name, svg
from harness.report.run import Run
from harness.report.run_facts import unpublished
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KS = (1, 5, 10)
LABELS, ITEMS = 40, 1000
"""Labels and items of a picture at most: all colours and markers together tell 56 apart."""

NAMED = 12
"""Labels up to which a picture names each."""

SEED = 0

Floats = NDArray[np.float64]


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Show the embeddings of each run that kept them, and tell how the others get theirs."""
    asked = [run for run in runs if run.task is not None and run.task.output == "embedding"]
    kept = [run for run in asked if run.embeddings is not None]
    if not asked:
        return None
    blocks: list[Block] = []
    if kept:
        recall = words("space.recall_lead" if _of_speakers(kept) else "space.recall_lead_items")
        blocks += [Paragraph(recall, quiet=True), _recalls(kept, words)]
        blocks += _pictures(kept, words)
    blocks += _lacking([run for run in asked if run.embeddings is None], words, told=bool(kept))
    return Section("space", words("space.title"), tuple(blocks)) if blocks else None


def _of_speakers(runs: Sequence[Run]) -> bool:
    """Check if the labels of a test are its speakers; else they are classes of any kind."""
    return all(run.record is not None and run.record.dataset.unit == "speaker" for run in runs)


def _lacking(runs: Sequence[Run], words: Words, *, told: bool) -> Iterator[Block]:
    """Tell how embeddings can be had, and which runs are records that came without their stages.

    Args:
        runs: without embeddings.
        words: of the page's language.
        told: whether other runs have them, so that the lack of the records' is seen.
    """
    for run in runs:
        if folder := run.stages.get("evaluate"):
            yield Paragraph(words("space.none", run=run.name, folder=folder))
    if told:
        yield from unpublished([run for run in runs if "evaluate" not in run.stages], words)


def _recalls(kept: Sequence[Run], words: Words) -> ReportTable:
    rows = []
    for run in kept:
        embeddings, labels = _held(run)
        shares, queries = recall_at_k(embeddings, labels, KS)
        told = [f"{100 * shares[k]:.2f} %" for k in KS]
        rows.append((run.name, f"{queries:,}", f"{len(labels):,}", *told))
    head = [words(f"space.{name}") for name in ("run", "queries", "gallery")]
    head += [f"Recall@{k}" for k in KS]
    caption = words("space.recall")
    return ReportTable(tuple(head), tuple(rows), caption, frozenset(range(1, len(head))))


def _held(run: Run) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    if run.embeddings is None or run.lists is None:
        raise TypeError(f"{run.name} kept no embeddings")
    return run.embeddings, run.lists.items["label"].to_numpy(str)


def _pictures(kept: Sequence[Run], words: Words) -> list[Block]:
    blocks: list[Block] = []
    lead = "lead" if _of_speakers(kept) else "lead_items"
    for place, run in enumerate(kept):
        embeddings, labels = _held(run)
        chosen = choose(labels, ITEMS // len(kept))
        unit = unit_vectors(embeddings[chosen])
        shown = labels[chosen]
        told = {"run": run.name, "items": f"{len(chosen):,}", "all": f"{len(labels):,}",
                "labels": f"{len(np.unique(shown)):,}"}  # fmt: skip
        if not blocks:
            most = {"most": LABELS, "items": f"{ITEMS:,}"}
            blocks.append(Paragraph(words(f"space.{lead}", **most), quiet=True))
        near, perplexity = neighbourhoods(unit)
        first, shares = axes_of(unit)
        named = [f"PC {i + 1} ({100 * share:.0f} %)" for i, share in enumerate(shares)]
        for name, points, marks, more in (
            ("tsne", near, ["t-SNE 1", "t-SNE 2"], {"perplexity": f"{perplexity:.0f}"}),
            ("pca", first, named, {"share": f"{100 * sum(shares):.0f} %"}),
        ):
            caption = words(f"space.{name}" + lead.removeprefix("lead"), **told, **more)
            picture = draw(points, shown, marks)
            blocks.append(
                ReportPicture(f"{name}-{place + 1}", picture, caption, caption, width=0.5)
            )
    return blocks


def choose(labels: NDArray[np.str_], most: int) -> NDArray[np.intp]:
    """Choose whole labels by chance, at most LABELS of them, until they have so many items.

    The choice is that of a fixed seed, so the same test shows the same items of every system; of
    a label that would pass the limit the first items are taken.

    Returns:
        Rows, ascending.
    """
    names = np.unique(labels)
    drawn = np.random.default_rng(SEED).permutation(names)[:LABELS]
    rows = np.concatenate([np.flatnonzero(labels == name) for name in drawn])[:most]
    return np.sort(rows)


def axes_of(points: Floats) -> tuple[Floats, list[float]]:
    """Return the first two principal components, and their shares of the variance."""
    from sklearn.decomposition import PCA

    fitted = PCA(n_components=2, svd_solver="full").fit(points)
    return fitted.transform(points), fitted.explained_variance_ratio_.tolist()


def neighbourhoods(points: Floats) -> tuple[Floats, float]:
    """Return t-SNE's plane of unit vectors, and its perplexity.

    L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008, as scikit-learn
    has it, from the first two principal components.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = float(min(30, (len(points) - 1) / 3))
    # Its threads wait for one another at every step: beside a training, for most of their time.
    with threadpool_limits(1):
        fitted = TSNE(perplexity=perplexity, init="pca", random_state=SEED).fit_transform(points)
    return np.asarray(fitted, np.float64), perplexity


def draw(points: Floats, labels: NDArray[np.str_], names: Sequence[str]) -> bytes:
    """Draw points in a plane, each label with a colour and a marker of its own."""
    shown = np.unique(labels)
    with drawing(5.6, 5.0) as figure:
        axes: Axes = figure.add_subplot()
        for place, label in enumerate(shown):
            own: Any = points[labels == label]
            colour = COLOURS[place % len(COLOURS)]
            marker = MARKERS[place % len(MARKERS)]
            axes.plot(*own.T, marker, color=colour, markersize=4, alpha=0.85, markeredgewidth=0,
                      label=drawn_name(str(label), place))  # fmt: skip
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
        axes.set_xticks([])
        axes.set_yticks([])
        if len(shown) <= NAMED:
            figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
        return svg(figure)
