"""A section of a report of one's own: what each cluster of the test is made of.

`clustering_task.py` names it, so that `harness report` shows it for runs of that task.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportTable, Section
from harness.report.text import Words

TITLE = {"en": "Clusters", "zh-Hans": "聚类", "zh-Hant": "分群"}
HEAD = {
    "en": ("cluster", "items", "most frequent label", "share of it"),
    "zh-Hans": ("聚类", "样本数", "最常见的标签", "所占比例"),
    "zh-Hant": ("分群", "樣本數", "最常見的標籤", "所佔比例"),
}


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Tell size, most frequent label and purity of each cluster, the purest first."""
    blocks: list[Block] = []
    for run in runs:
        if run.lists is None or run.scores is None:
            continue  # the data are not here, and the head of the report says so
        labels = run.lists.items["label"].to_numpy(str)
        blocks += [Paragraph(run.name)] * (len(runs) > 1)
        rows = sorted(_rows(labels, run.scores["clusters"]), key=lambda row: -row[3])
        shown = tuple((name, str(size), most, f"{share:.0%}") for name, size, most, share in rows)
        head = HEAD.get(words.language, HEAD["en"])
        blocks.append(ReportTable(head, shown, numeric=frozenset({1, 3})))
    return Section("clusters", words.choose(TITLE), tuple(blocks)) if blocks else None


def _rows(labels: np.ndarray, clusters: np.ndarray) -> list[tuple[str, int, str, float]]:
    found = []
    for cluster in np.unique(clusters):
        names, counts = np.unique(labels[clusters == cluster], return_counts=True)
        size, most = int(counts.sum()), int(counts.argmax())
        found.append((f"{cluster}", size, str(names[most]), float(counts[most] / size)))
    return found
