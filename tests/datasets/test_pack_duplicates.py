"""The same sound under two names."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.loader import load
from harness.datasets.dataset import (
    copies_across_splits,
    copies_within_splits,
    duplicates,
    open_dataset,
    usable_content,
)
from harness.datasets.inventory import check_dataset_files
from harness.datasets.listing import list_dataset
from harness.datasets.packing.pack import Pack
from harness.errors import DataError


def pack_of(sounds, damaged=()):
    hashes = np.array([[sound] * 32 for sound in sounds], np.uint8).reshape(-1, 32)
    nothing = np.zeros(0, np.int16)
    shapes = np.zeros((len(sounds), 1), np.int64)
    return Pack(nothing, nothing, shapes, "", dict.fromkeys(damaged, "gone"), hashes)


def items_of(splits):
    return pd.DataFrame({"id": [f"i{row}" for row in range(len(splits))], "split": splits})


@given(st.lists(st.integers(0, 5), max_size=30), st.sets(st.integers(0, 29)))
def test_groups_are_those_of_a_search_pair_by_pair(sounds, spoilt):
    damaged = {row for row in spoilt if row < len(sounds)}
    found = duplicates(pack_of(sounds, damaged))
    pairs = {(a, b) for group in found for a in group for b in group}
    usable = [row for row in range(len(sounds)) if row not in damaged]
    expected = {
        (a, b)
        for a in usable
        for b in usable
        if sounds[a] == sounds[b] and sum(sounds[c] == sounds[a] for c in usable) > 1
    }
    assert pairs == expected


def test_copies_of_what_is_tested_are_not_trained_on():
    pack = pack_of([1, 1, 1, 2, 2, 3, 3, 4])
    items = items_of(
        ["train", "validation", "test", "validation", "train", "train", "train", "test"]
    )
    assert copies_across_splits(pack, items) == {
        0: "same audio as i2 of test",
        1: "same audio as i2 of test",
        4: "same audio as i3 of validation",
    }
    assert copies_within_splits(pack, items) == [["i5", "i6"]]
    listing = SimpleNamespace(corpus=SimpleNamespace(kind="audio"), items=items)
    spoilt = usable_content(replace(pack, damaged={0: "gone"}), listing)
    assert spoilt.damaged == {
        0: "gone",
        1: "same audio as i2 of test",
        4: "same audio as i3 of validation",
    }


@pytest.fixture
def copied(loaded, speech):
    """One training utterance is that of a test speaker, under another name."""
    items = list_dataset(loaded, "tiny", "quick").items
    chosen = {
        split: items[(items["split"] == split) & items["source"].str.endswith("0.flac")]
        for split in ("train", "test")
    }
    first = {split: table.iloc[0] for split, table in chosen.items()}
    sound = (speech / first["test"]["source"]).read_bytes()
    (speech / first["train"]["source"]).write_bytes(sound)
    return first["train"]["id"], first["test"]["id"]


def test_a_copy_across_splits_is_damage_that_can_be_left_out(loaded, copied):
    listing, cache = list_dataset(loaded, "tiny", "quick"), loaded.folder / "cache"
    with pytest.raises(DataError, match=f"same audio as {copied[1]} of test"):
        open_dataset(loaded, listing, cache)
    opened = open_dataset(loaded, listing, cache, leave_out_damaged=True)
    assert opened.left_out == (copied[0],)
    trusted = open_dataset(loaded, listing, cache, leave_out_damaged=True, keep_damaged_pack=True)
    assert trusted.left_out == opened.left_out


def test_a_check_names_copies_across_splits_and_notes_those_within(loaded, speech, copied):
    sound = (speech / "a" / "a1.wav").read_bytes()
    (speech / "a" / "a2.wav").write_bytes(sound)
    manifest = speech / "manifest.tsv"
    manifest.write_text(manifest.read_text().replace("a/a2.wav\t0.320", "a/a2.wav\t0.310"))
    checked = check_dataset_files(
        load(loaded.path), "tiny", "quick", loaded.folder / "cache", lambda _: abs
    )
    assert [(row["id"], row["reason"]) for row in checked.damaged] == [
        (copied[0], f"same audio as {copied[1]} of test")
    ]
    assert checked.duplicates == [["a1", "a2"]]
