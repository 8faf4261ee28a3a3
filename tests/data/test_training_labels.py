"""Long tails and wrong labels: exact shares, a rule that is fixed, and held-out parts untouched."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.training_labels import (
    hard_items,
    mislabel,
    mislabelled_items,
    tail,
    thin_out,
)
from harness.errors import DataError

CLASSES = [f"word{place:02d}" for place in range(40)]


def words(clips: int = 30) -> pd.DataFrame:
    """40 words with so many training clips each, and ten of each held out."""
    rows = [
        (f"{label}-{split}-{number}", label, split)
        for label in CLASSES
        for split, count in (("train", clips), ("validation", 4), ("test", 6))
        for number in range(count)
    ]
    return pd.DataFrame(rows, columns=["id", "label", "split"])


def counts(items: pd.DataFrame, split: str) -> pd.Series[int]:
    return items[items["split"] == split]["label"].value_counts()


def test_the_tail_keeps_3_of_30_clips_and_nothing_else_changes() -> None:
    found = thin_out(words(), 10, 0, "w")
    kept = counts(found, "train")
    assert (kept.max(), kept.min(), len(kept)) == (30, 3, 40)
    assert set(kept) >= {17, 9, 5}
    for split in ("validation", "test"):
        assert counts(found, split).equals(counts(words(), split))
    assert set(found["id"]) <= set(words()["id"])
    ids = words()["id"]
    assert found["id"].tolist() == [id_ for id_ in ids if id_ in set(found["id"])]


@settings(deadline=None)
@given(
    st.lists(st.integers(5, 400), min_size=2, max_size=12).map(lambda c: sorted(c, reverse=True)),
    st.floats(1, 20),
)
def test_classes_fall_geometrically_and_no_class_gives_more_than_it_has(
    held: list[int], imbalance: float
) -> None:
    kept = tail(held, imbalance)
    assert all(mine <= there for mine, there in zip(kept, held, strict=True))
    assert kept == sorted(kept, reverse=True)
    ratio = imbalance ** (1 / (len(held) - 1))
    for more, less in pairwise(kept):
        assert abs(more - ratio * less) <= 0.5 + 0.5 * ratio + 1e-9
    full = [there - mine for mine, there in zip(kept, held, strict=True)]
    assert min(full) <= 0.5  # of one class at least nothing is left away


def test_the_rule_is_known_by_heart() -> None:
    # Frozen: another choice would be another benchmark under the same protocol version.
    small = words(4)[lambda items: items["label"].isin(CLASSES[:3])].reset_index(drop=True)
    thin = thin_out(small, 4, 0, "w")
    wrong = mislabel(small, 0.25, 0, "w")
    changed = wrong[wrong["label"] != wrong["true_label"]]
    assert (
        thin[thin["split"] == "train"]["id"].tolist(),
        list(zip(changed["id"], changed["label"], strict=True)),
    ) == (KEPT, CHANGED)


KEPT = [
    *(f"word00-train-{number}" for number in (1, 3)),
    "word01-train-0",
    *(f"word02-train-{number}" for number in range(4)),
]
CHANGED = [
    ("word00-train-0", "word02"),
    ("word01-train-3", "word00"),
    ("word02-train-1", "word01"),
]


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_so_many_training_labels_are_wrong_and_all_others_right(share: float) -> None:
    found = mislabel(words(), share, 0, "w")
    wrong = mislabelled_items(found)
    assert wrong is not None
    assert wrong.sum() == round(share * 1200)
    assert set(found["split"][wrong]) == {"train"}
    assert set(found["label"]) == set(CLASSES)
    assert found["true_label"].tolist() == words()["label"].tolist()
    # The wrong ones are spread over words as given and as they are.
    assert found["label"][wrong].nunique() > 30
    assert found["true_label"][wrong].nunique() > 30


def test_another_seed_is_another_choice() -> None:
    first, second = (set(thin_out(words(), 10, seed, "w")["id"]) for seed in (0, 1))
    assert first != second
    first, second = (tuple(mislabel(words(), 0.1, seed, "w")["label"]) for seed in (0, 1))
    assert first != second


def test_too_much_is_refused() -> None:
    with pytest.raises(DataError, match=r"w\.imbalance: 1000 leaves nothing of the smallest of 40"):
        thin_out(words(), 1000, 0, "w")
    one = words()[lambda items: items["label"] == CLASSES[0]]
    with pytest.raises(DataError, match=r"w\.wrong_labels: there is no other class than 'word00'"):
        mislabel(one, 0.1, 0, "w")


def test_known_hard_items() -> None:
    items = pd.DataFrame({"difficulty": ["plain", "muffled", ""]})
    hard = hard_items(items)
    assert hard is not None
    assert np.flatnonzero(hard).tolist() == [1]
    assert hard_items(words()) is None
    assert mislabelled_items(words()) is None
