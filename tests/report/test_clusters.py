"""The pages of a clustering: epochs with the chosen one beside labels' choice, matrix, recovery."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.report.page import explained
from harness.report.section import ReportPicture, ReportTable
from harness.report.sections import clusters
from harness.report.text import LANGUAGES, read_words
from harness.series.series import Mark, Series, scalar_frame
from harness.tasks.task import Lists

LABELS = np.repeat(["ask", "greet", "state"], [6, 3, 3])
CLUSTERS = np.array([5, 5, 5, 5, 2, 2, 2, 2, 2, 7, 7, 5])


def run(**changes: Any) -> Any:
    nmi = [0.2, 0.5, 0.4]
    rows = [(f"Test/{name}", step, float(step), 0.0, value) for name in clusters.SCORES
            for step, value in enumerate(nmi, start=1)]  # fmt: skip
    rows += [("Train/trusted_share", step, float(step), 0.0, 0.1 * step) for step in (1, 2, 3)]
    series = Series("run", scalar_frame(rows), marks=(Mark("chosen", 3, 3.0, "best"),))
    items = pd.DataFrame({"label": LABELS, "unit": [f"d{row}" for row in range(12)]})
    points = np.eye(8)[CLUSTERS].astype(np.float32)
    facts = {
        "name": "fusion + umc", "series": series, "lists": Lists(items, ()),
        "scores": {"clusters": CLUSTERS}, "embeddings": points,
    }  # fmt: skip
    return SimpleNamespace(**facts | changes)


def tables(*runs: Any, language: str = "en") -> list[ReportTable]:
    section = clusters.section(runs, read_words(language))
    assert section is not None
    return [block for block in section.blocks if isinstance(block, ReportTable)]


def test_the_best_by_labels_stands_beside_the_chosen_and_is_named_for_what_it_is():
    chosen, oracle = tables(run())[0].rows
    assert chosen[:3] == ("chosen without labels", "3", "40.0 %")
    assert "labels were looked at: not a result" in oracle[0]
    assert oracle[1:3] == ("2", "50.0 %")


def test_each_label_tells_its_cluster_and_how_much_of_it_is_there():
    recovery = tables(run())[1]
    rows = {row[0]: row[1:] for row in recovery.rows}
    assert rows["ask"] == ("6", "5", "66.7 %", "80.0 %", "5 (4)")
    assert rows["greet"] == ("3", "2", "100.0 %", "60.0 %", "2 (3)")
    assert rows["state"] == ("3", "7", "66.7 %", "100.0 %", "7 (2)")
    assert [row[0] for row in recovery.rows][-1] == "greet"


def test_distances_are_those_of_unit_vectors():
    by_cluster, by_label = tables(run())[2].rows
    assert by_cluster[1:3] == ("0.000", f"{2**0.5:.3f}")
    assert float(by_label[1]) > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_matrix_sizes_and_curves_are_drawn_in_each_language(language):
    section = clusters.section([run(), run(name="other")], read_words(language))
    assert section is not None
    pictures = [block for block in section.blocks if isinstance(block, ReportPicture)]
    assert len({picture.name for picture in pictures}) == len(pictures) == 6
    assert all(picture.content.startswith(b"<?xml") for picture in pictures)


@pytest.mark.parametrize("embeddings", [np.eye(8)[CLUSTERS].astype(np.float32), None])
def test_distances_are_explained_where_they_are_shown(embeddings):
    section = clusters.section([run(embeddings=embeddings)], read_words("en"))
    assert section is not None
    rule = getattr(section.blocks[-1], "text", "")
    assert rule.startswith("A label is given to one cluster at most")
    assert ("Within: mean distance" in rule) is (embeddings is not None)


def test_what_is_not_here_is_left_away():
    assert clusters.section([run(series=None, lists=None)], read_words("en")) is None
    assert len(tables(run(series=None, embeddings=None))) == 1
    single = Series("run", scalar_frame([("Test/eer", 1, 1.0, 0.0, 0.1)]))
    assert len(tables(run(series=single, embeddings=None))) == 1


def test_words_of_the_pictures_are_explained_in_chinese():
    section = clusters.section([run()], read_words("zh-Hant"))
    assert section is not None
    lines = [
        getattr(block, "text", "") for block in explained(section, read_words("zh-Hant")).blocks
    ]
    assert any("`cluster` 分群" in line and "`silhouette` 輪廓係數" in line for line in lines)


def test_a_page_of_one_run_does_not_name_it_before_every_caption():
    assert all("fusion + umc" not in table.caption for table in tables(run()))
    captions = [table.caption for table in tables(run(), run(name="other"))]
    assert {caption.partition(":")[0] for caption in captions} == {"fusion + umc", "other"}


def test_scores_of_validation_are_written_as_those_of_the_test():
    chosen = dict(zip(tables(run())[0].head, tables(run())[0].rows[0], strict=True))
    assert (chosen["NMI"], chosen["ARI"]) == ("40.0 %", "0.400")
