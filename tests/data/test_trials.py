"""Trial lists: all pairs, capped lists, ids to rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.trials import all_pairs, index_trials, without
from harness.errors import DataError


def items(labels):
    return pd.DataFrame({"id": [f"i{n}" for n in range(len(labels))], "label": list(labels)})


def test_every_pair_once_and_none_with_itself():
    table = all_pairs(items("aab"), most=100)
    assert table.to_numpy().tolist() == [
        ["i0", "i1", True, "target"],
        ["i0", "i2", False, "nontarget"],
        ["i1", "i2", False, "nontarget"],
    ]


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=14), st.integers(1, 100))
def test_a_capped_list_keeps_all_targets(labels, most):
    whole, capped = all_pairs(items(labels), 10_000), all_pairs(items(labels), most)
    targets = int(whole["target"].sum())
    assert capped["target"].sum() == targets
    assert len(capped) == min(len(whole), max(most, targets))
    pairs = list(zip(whole["enrol"], whole["test"], strict=True))
    places = [pairs.index(pair) for pair in zip(capped["enrol"], capped["test"], strict=True)]
    assert places == sorted(set(places))


def test_a_capped_list_is_the_same_each_time_and_another_for_another_seed():
    table = items("abcdefgh")
    first, again, other = (all_pairs(table, 9, seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_ids_become_rows():
    table = items("aab")
    trials = index_trials(all_pairs(table, 100), table, "d")
    assert len(trials) == 3
    assert trials.enrol.tolist() == [0, 0, 1]
    assert trials.test.tolist() == [1, 2, 2]
    assert trials.target.tolist() == [True, False, False]
    assert trials.kind.tolist() == ["target", "nontarget", "nontarget"]
    assert trials.target.dtype == np.bool_


def test_rows_follow_the_order_of_the_items():
    table = items("aab")
    backwards = table.iloc[::-1].reset_index(drop=True)
    trials = index_trials(all_pairs(table, 100), backwards, "d")
    assert trials.enrol.tolist() == [2, 2, 1]


def test_trials_of_unknown_items_are_refused_with_their_ids():
    with pytest.raises(DataError, match=r"d: trials name unknown items: i2$"):
        index_trials(all_pairs(items("aab"), 100), items("aa"), "d")


@pytest.mark.parametrize(("labels", "targets"), [("aaa", 3), ("abc", 0)])
def test_a_list_with_one_side_empty_is_refused(labels, targets):
    table = items(labels)
    with pytest.raises(DataError, match=f"targets and nontargets both; {targets} targets"):
        index_trials(all_pairs(table, 100), table, "d")


def test_an_empty_list_is_refused():
    table = items("aab")
    with pytest.raises(DataError, match="0 targets"):
        index_trials(all_pairs(table, 100).iloc[:0], table, "d")


def test_trials_of_items_left_out_go():
    kept = without(all_pairs(items("aabb"), 100), ("i1",))
    assert len(kept) == 3
    assert "i1" not in {*kept["enrol"], *kept["test"]}
