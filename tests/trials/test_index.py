"""Trial lists: all pairs, capped lists, ids to rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DataError
from harness.trials.index import TrialTable, all_pairs, index_trials


def items(labels):
    ids = [f"i{n}" for n in range(len(labels))]
    return pd.DataFrame({"id": ids, "unit": list(labels), "label": list(labels)})


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
    trials = index_trials(TrialTable(all_pairs(table, 100)), table, "d")
    assert len(trials) == 3
    assert trials.enrol.tolist() == [0, 0, 1]
    assert trials.test.tolist() == [1, 2, 2]
    assert trials.target.tolist() == [True, False, False]
    assert trials.kind.tolist() == ["target", "nontarget", "nontarget"]
    assert trials.target.dtype == np.bool_


def test_rows_follow_the_order_of_the_items():
    table = items("aab")
    backwards = table.iloc[::-1].reset_index(drop=True)
    trials = index_trials(TrialTable(all_pairs(table, 100)), backwards, "d")
    assert trials.enrol.tolist() == [2, 2, 1]


def test_trials_of_unknown_items_are_refused_with_their_ids():
    with pytest.raises(DataError, match=r"d: trials name unknown items: i2$"):
        index_trials(TrialTable(all_pairs(items("aab"), 100)), items("aa"), "d")


@pytest.mark.parametrize(("labels", "targets"), [("aaa", 3), ("abc", 0)])
def test_a_list_with_one_side_empty_is_refused(labels, targets):
    table = items(labels)
    with pytest.raises(DataError, match=f"targets and nontargets both; {targets} targets"):
        index_trials(TrialTable(all_pairs(table, 100)), table, "d")


def test_an_empty_list_is_refused():
    table = items("aab")
    with pytest.raises(DataError, match="0 targets"):
        index_trials(TrialTable(all_pairs(table, 100).iloc[:0]), table, "d")


def test_trials_of_items_left_out_go():
    kept = TrialTable(all_pairs(items("aabb"), 100)).without(("i1",)).trials
    assert len(kept) == 3
    assert "i1" not in {*kept["enrol"], *kept["test"]}


def enrolled(pairs, models):
    trials = pd.DataFrame(pairs, columns=["enrol", "test", "target"]).assign(kind="k")
    return TrialTable(trials, pd.DataFrame(models, columns=["model", "item"]))


MODELS = [("m-b", "i2"), ("m-a", "i0"), ("m-a", "i1")]
PAIRS = [("m-a", "i3", True), ("m-b", "i3", False)]


def test_models_become_rows_of_their_items():
    trials = index_trials(enrolled(PAIRS, MODELS), items("aaba"), "d")
    assert trials.models is not None
    assert trials.models.names.tolist() == ["m-b", "m-a"]
    assert trials.models.owner.tolist() == [0, 1, 1]
    assert trials.models.item.tolist() == [2, 0, 1]
    assert trials.enrol.tolist() == [1, 0]
    assert trials.test.tolist() == [3, 3]
    assert trials.enrolled_by().tolist() == [0, 2]


def test_items_enrol_themselves_without_models():
    trials = index_trials(TrialTable(all_pairs(items("aab"), 100)), items("aab"), "d")
    assert trials.enrolled_by().tolist() == trials.enrol.tolist()


def test_trials_of_unknown_models_are_refused():
    with pytest.raises(DataError, match="d: trials name unknown models: m-c"):
        index_trials(enrolled([*PAIRS, ("m-c", "i3", True)], MODELS), items("aaba"), "d")


def test_enrolment_by_unknown_items_is_refused():
    with pytest.raises(DataError, match="d: enrolment: trials name unknown items: i9"):
        index_trials(enrolled(PAIRS, [*MODELS, ("m-a", "i9")]), items("aaba"), "d")


def test_a_model_of_two_units_is_refused():
    with pytest.raises(DataError, match="the model m-a is enrolled by items of several units"):
        index_trials(enrolled(PAIRS, [*MODELS, ("m-a", "i2")]), items("aaba"), "d")


def test_a_model_is_enrolled_by_what_is_left_of_its_items():
    table = enrolled(PAIRS, MODELS).without(("i0",))
    assert table.models.to_numpy().tolist() == [["m-b", "i2"], ["m-a", "i1"]]
    assert len(table.trials) == 2


def test_a_model_without_items_goes_with_its_trials():
    table = enrolled(PAIRS, MODELS).without(("i2",))
    assert table.trials["enrol"].tolist() == ["m-a"]


def test_the_items_of_a_model_may_be_tested_too():
    table = enrolled([*PAIRS, ("m-b", "i0", False)], MODELS).without(("i0",))
    assert table.trials["test"].tolist() == ["i3", "i3"]


def test_too_many_pairs_are_refused_with_the_mend():
    with pytest.raises(DataError, match=r"6,001 items have 18,003,000 pairs; .*draw_trials = "):
        all_pairs(items("a" * 6001), 100)
