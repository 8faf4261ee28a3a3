"""The table of classes names every class that was as often the wrong one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.report.run import Run
from harness.report.sections.confusion import TestDecisions as Decisions
from harness.report.sections.confusion import _caption, _table
from harness.report.text import read_words

COUNTS = np.array([[5, 0, 1, 1], [0, 4, 2, 0], [0, 0, 3, 0], [1, 1, 1, 0]])


def taken_for(language: str) -> dict[str, str]:
    logits, labels = np.empty((0, 4)), np.empty(0, np.intp)
    found = Decisions(0, Run("run", Path("run")), tuple("abcd"), COUNTS, logits, labels)
    table = _table(found, several=False, words=read_words(language))
    return {row[0]: row[-1] for row in table.rows}


def test_only_a_matrix_with_numbers_is_said_to_have_them():
    for count, has_numbers in ((4, True), (26, False)):
        names = tuple(f"class {place}" for place in range(count))
        counts, logits = np.eye(count, dtype=np.int64), np.empty((0, count))
        found = Decisions(0, Run("run", Path("run")), names, counts, logits, np.empty(0, np.intp))
        assert ("number counts items" in _caption(found, "", read_words("en"))) == has_numbers


def test_all_classes_that_are_as_often_the_wrong_one_are_named():
    told = {"a": "c, d (1 each)", "b": "c (2)", "c": "–", "d": "a, b, c (1 each)"}
    assert taken_for("en") == told
    assert taken_for("zh-Hans")["a"] == "c、d（各 1）"
