"""Splits are disjoint by unit and do not depend on the order of the manifest."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.datasets import SplitRule
from harness.data.split import SPLITS, assign_split, check_disjoint
from harness.errors import DataError


def table(units):
    return pd.DataFrame({"id": [f"i{n}" for n in range(len(units))], "unit": units, "split": ""})


UNITS = st.lists(st.text(min_size=1, max_size=4), min_size=6, max_size=20, unique=True)
RULES = st.builds(
    SplitRule, seed=st.integers(0, 9), validation=st.integers(1, 2), test=st.integers(1, 2)
)


@given(UNITS, RULES, st.randoms(use_true_random=False))
def test_the_law_of_splits(units, rule, random):
    items = table(units * 3)
    split = assign_split(items, rule, "d")
    check_disjoint(split, "d")
    sizes = split.groupby("split")["unit"].nunique()
    assert sizes["test"] == rule.test
    assert sizes["validation"] == rule.validation
    assert sizes["train"] == len(units) - rule.test - rule.validation

    order = list(range(len(items)))
    random.shuffle(order)
    shuffled = assign_split(items.iloc[order], rule, "d")
    assert dict(zip(shuffled["id"], shuffled["split"], strict=True)) == dict(
        zip(split["id"], split["split"], strict=True)
    )


@given(UNITS, RULES, st.text(min_size=5, max_size=6))
def test_a_new_unit_pushes_at_most_one_unit_out_of_each_split(units, rule, newcomer):
    def held(units, name):
        split = assign_split(table(units), rule, "d")
        return set(split.loc[split["split"] == name, "unit"])

    grown = [*units, newcomer]
    assert len(held(units, "test") - held(grown, "test")) <= 1
    assert len(held(units, "validation") - held(grown, "validation")) <= 1


def test_another_seed_is_another_split():
    items = table([f"s{n}" for n in range(40)])
    first, second = (
        assign_split(items, SplitRule(seed=seed, validation=5, test=10), "d") for seed in (0, 1)
    )
    assert first["split"].tolist() != second["split"].tolist()


def test_a_split_known_by_heart():
    # Frozen: another order would be another benchmark under the same protocol version.
    split = assign_split(table(list("abcdefgh")), SplitRule(seed=0, validation=2, test=3), "d")
    places = {name: "".join(split.loc[split["split"] == name, "unit"]) for name in SPLITS}
    assert places == {"train": "bce", "validation": "ad", "test": "fgh"}


def test_the_items_given_are_not_changed():
    items = table(list("abcdef"))
    assign_split(items, SplitRule(validation=1, test=1), "d")
    assert (items["split"] == "").all()


def test_too_few_units_are_left_to_train_on():
    with pytest.raises(DataError, match="d: 4 units, of which the split wants 2 for test and 1"):
        assign_split(table(list("abcd")), SplitRule(validation=1, test=2), "d")


def test_a_unit_in_two_splits_is_named():
    items = table(["s1", "s2", "s3", "s2"]).assign(split=["train", "validation", "test", "test"])
    with pytest.raises(DataError, match=r"d: in more than one split: s2$"):
        check_disjoint(items, "d")


def test_an_empty_split_is_named():
    items = table(["s1", "s2"]).assign(split=["train", "train"])
    with pytest.raises(DataError, match="nothing in the split validation and test"):
        check_disjoint(items, "d")
