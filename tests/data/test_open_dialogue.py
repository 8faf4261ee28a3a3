"""The bundled turns: counts by imbalance, dialogues in one split each, the same bytes each time."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from harness.data.corpora.open_dialogue import OpenDialogue
from harness.data.synthesis.turns import ACTS, Recording, act_counts, turns, vectors


@pytest.mark.parametrize("imbalance", [1.0, 10.0, 50.0, 869.0])
def test_acts_are_as_uneven_as_asked(imbalance):
    counts = act_counts(200_000, imbalance)
    assert counts.sum() == 200_000
    assert counts[0] / counts[-1] == pytest.approx(imbalance, rel=0.03)
    steps = counts[:-1] / counts[1:]
    assert steps == pytest.approx(np.full(len(ACTS) - 1, imbalance ** (1 / 7)), rel=0.03)


@pytest.mark.parametrize("imbalance", [1.0, 869.0])
def test_every_split_has_every_act_and_dialogues_of_its_own(imbalance):
    items = turns("quick", Recording(imbalance=imbalance))
    assert items["id"].is_unique
    assert items.groupby("unit")["split"].nunique().max() == 1
    assert (items.groupby("split")["label"].nunique() == len(ACTS)).all()


def test_a_turn_has_the_same_bytes_on_every_machine():
    found = vectors("train-0003-2", "ask", Recording())
    assert found.shape == (1, 80)
    assert found.dtype == np.float32
    assert np.array_equal(found * 1024, np.rint(found * 1024))
    digest = hashlib.sha256(found.tobytes()).hexdigest()
    assert digest.startswith("f1de9a7dbd7391"), "published locks rest on these bytes"


def test_noise_and_imbalance_are_other_turns():
    one, *others = (
        vectors("train-0000-0", "ask", each)
        for each in (Recording(), Recording(noise=1.0), Recording(imbalance=50.0))
    )
    assert all(not np.array_equal(one, other) for other in others)


@pytest.mark.parametrize("knobs", [{"act_imbalance": 0.5}, {"noise": -1.0}])
def test_knobs_out_of_their_range_are_refused(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        OpenDialogue(**knobs)
