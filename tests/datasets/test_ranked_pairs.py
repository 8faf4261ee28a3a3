"""Lists of pairs of different grade: even, in both orders, told by names and grades alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.datasets.ranked_pairs import KINDS, draw_ranked_pairs, standard_grades
from harness.errors import DataError


def items(count: int = 40, grades: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"clip-{place:02}" for place in range(count)],
            "grade": rng.integers(0, grades, count).astype(float),
        }
    )


def test_the_first_of_a_target_has_the_higher_grade_and_no_pair_ties() -> None:
    table = items()
    grade = dict(zip(table["id"], table["grade"], strict=True))
    pairs = draw_ranked_pairs(table, 200, "x")
    first, second = pairs["enrol"].map(grade), pairs["test"].map(grade)
    assert ((first > second) == pairs["target"]).all()
    assert (first != second).all()
    assert len(pairs) == 200
    assert not pairs[["enrol", "test"]].apply(frozenset, axis=1).duplicated().any()
    assert 0.3 < pairs["target"].mean() < 0.7


def test_a_list_longer_than_all_pairs_is_all_pairs() -> None:
    table = items(count=12, grades=4)
    grades = table["grade"].to_numpy()
    wanted = sum(grades[i] != grades[k] for i in range(12) for k in range(i))
    assert len(draw_ranked_pairs(table, 10**6, "x")) == wanted


def test_every_item_comes_about_as_often_as_any_other() -> None:
    pairs = draw_ranked_pairs(items(grades=10**6), 200, "x")
    counts = pd.concat([pairs["enrol"], pairs["test"]]).value_counts()
    assert len(counts) == 40
    assert counts.max() - counts.min() <= 2


def test_the_order_of_the_table_decides_nothing() -> None:
    table = items()
    shuffled = table.sample(frac=1, random_state=3)
    assert draw_ranked_pairs(table, 99, "x").equals(draw_ranked_pairs(shuffled, 99, "x"))


def test_thirds_are_by_the_difference() -> None:
    table = items(grades=10**6)
    grade = dict(zip(table["id"], table["grade"], strict=True))
    pairs = draw_ranked_pairs(table, 300, "x")
    gap = (pairs["enrol"].map(grade) - pairs["test"].map(grade)).abs()
    close, apart, far = (gap[pairs["kind"] == kind] for kind in KINDS)
    assert close.max() <= apart.min() <= apart.max() <= far.min()
    assert {len(close), len(apart), len(far)} == {100}


def test_grades_are_standardised_by_those_of_training() -> None:
    training, held_out = items().assign(grade=np.arange(40.0)), items().assign(grade=19.5)
    own = standard_grades(training, training)
    assert own is not None
    assert (own.mean(), own.std()) == pytest.approx((0, 1), abs=1e-6)
    assert standard_grades(held_out, training).tolist() == [0.0] * 40
    assert standard_grades(held_out, held_out).tolist() == [0.0] * 40  # all alike: nothing to rank
    assert standard_grades(items().drop(columns="grade"), training) is None


def test_what_cannot_be_paired_is_refused_with_the_mend() -> None:
    with pytest.raises(DataError, match=r"d: test: rank_pairs: the corpus grades no items"):
        draw_ranked_pairs(items().drop(columns="grade"), 9, "d: test")
    lacking = items()
    lacking.loc[3, "grade"] = np.nan
    with pytest.raises(DataError, match=r"d: the grade of clip-03 is no finite number"):
        draw_ranked_pairs(lacking, 9, "d")
    with pytest.raises(DataError, match="no pairs of different grade"):
        draw_ranked_pairs(items().assign(grade=1.0), 9, "d")
