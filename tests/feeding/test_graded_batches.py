"""Grades of a batch's items: standardised, of the same items as its labels, wherever made."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.config.recipe_tables import Augment
from harness.feeding.feeder import Feeder, pickle_maker
from harness.feeding.step_inputs import InputMaker
from tests.feeding.feeding import maker

GRADES = np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0])


def graded(folder: Path) -> InputMaker:
    made = maker(folder, augment=Augment())
    subset = made.batches.subset
    graded_items = replace(subset, items=subset.items.assign(grade=GRADES))
    return replace(made, batches=replace(made.batches, subset=graded_items))


def test_grades_are_of_the_batchs_own_items_and_standardised(tmp_path: Path) -> None:
    made = graded(tmp_path)
    standard = (GRADES - GRADES.mean()) / GRADES.std()
    seen: dict[int, float] = {}
    for step in range(4):
        content, labels = made.batches.at(step)
        inputs = made.inputs(step)
        assert inputs.grades is not None
        assert torch.equal(inputs.labels, labels)
        for crop, grade in zip(content, inputs.grades.tolist(), strict=True):
            values = crop.numpy()
            place = next(
                place for place in range(6) if _is_part(values, made.batches.subset.item(place))
            )
            seen[place] = grade
    assert seen == pytest.approx(dict(enumerate(standard.tolist())), rel=1e-6)


def _is_part(crop: np.ndarray, whole: np.ndarray) -> bool:
    scale = 1 if np.abs(crop).max() > 1 else 32768
    found = np.rint(crop * scale).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(whole.astype(np.int64), len(found))
    return bool((windows == found).all(axis=1).any())


def test_items_without_grades_have_none(tmp_path: Path) -> None:
    assert maker(tmp_path, augment=Augment()).inputs(0).grades is None


def test_a_worker_gets_the_grades_with_the_labels(tmp_path: Path) -> None:
    sent, plain = (
        pickle.loads(pickle_maker(made))
        for made in (graded(tmp_path), maker(tmp_path, augment=Augment()))
    )
    found, wanted = sent.inputs(2).grades, graded(tmp_path).inputs(2).grades
    assert torch.equal(found, wanted)
    assert plain.inputs(2).grades is None


def test_a_feeder_hands_them_over(tmp_path: Path) -> None:
    made = graded(tmp_path)
    with Feeder(made, range(3), torch.device("cpu")) as feeder:
        for step in range(3):
            wanted, found = made.inputs(step).grades, feeder.take().grades
            assert found is not None
            assert wanted is not None
            assert torch.equal(found, wanted)
