"""Scores that are there already are found, however they were written down."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.board.record_paths import record_path, scores_path
from harness.errors import RequestError
from harness.registry.submit.identical import same
from tests.registry.submit.conftest import Site

GENERATOR = np.random.default_rng(11)
SCORES = GENERATOR.normal(size=400).astype(np.float32)
LOGITS = GENERATOR.normal(size=(50, 6)).astype(np.float32)


def test_equal_scores_are_the_same() -> None:
    assert same(SCORES, SCORES.astype(np.float64)) == " to the last digit"
    assert same(LOGITS, LOGITS) == " to the last digit"


@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_another_scale_and_offset_make_no_other_system(scale: float, offset: float) -> None:
    assert same(SCORES, SCORES.astype(np.float64) * scale + offset)
    moved = LOGITS.astype(np.float64) * scale + GENERATOR.normal(size=(50, 1))
    assert same(LOGITS, moved)


def test_a_few_digits_make_no_other_system() -> None:
    assert same(SCORES, np.round(SCORES, 3)) == " but for scale and offset"


def test_a_few_changed_scores_make_no_other_system() -> None:
    touched = SCORES.copy()
    touched[7] += 0.1
    assert same(SCORES, touched) == " but for scale and offset"


def test_a_rising_map_makes_no_other_system() -> None:
    assert "order" in same(SCORES, np.exp(SCORES) ** 3)
    probabilities = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    assert "order" in same(LOGITS, probabilities)


def test_another_training_is_another_system() -> None:
    near = SCORES + 0.05 * GENERATOR.normal(size=400)
    assert np.corrcoef(SCORES, near)[0, 1] > 0.99
    assert same(SCORES, near) == ""
    assert same(SCORES, SCORES[::-1]) == ""
    assert same(SCORES, SCORES[:-1]) == ""
    assert same(SCORES, None) == ""
    assert same(LOGITS, LOGITS + 0.2 * GENERATOR.normal(size=LOGITS.shape)) == ""


def test_few_distinct_scores_say_nothing_by_their_order() -> None:
    hard = (SCORES > 0).astype(np.float32)
    assert same(hard, hard * hard + 1.0)  # an offset is one
    assert same(np.array([1.0, 2.0, 9.0]), np.array([1.0, 8.0, 9.0])) == ""
    assert same(np.zeros(5), np.ones(5)) == ""


def test_the_scores_of_an_entry_of_the_runs_are_refused_by_its_name(site: Site) -> None:
    site.submit(scores=site.text(site.lines()))
    lines = [line.split() for line in site.lines()]
    doubled = [f"{enrol} {test} {2 * float(score) - 7:.4f}" for enrol, test, score in lines]
    with pytest.raises(
        RequestError, match=r"the scores of theirs \(.*record\.json\) but for scale"
    ):
        site.submit(scores=site.text(doubled), name="mine")
    site.submit(scores=site.text(site.lines(seed=1)), name="mine")


def published(site: Site, **changes: Any) -> Path:
    """Move the one record of the runs among the published ones."""
    filed = site.submit(scores=site.text(site.lines()), **changes)
    assert filed.path is not None
    folder = site.folder / "leaderboards"
    path = folder / record_path(filed.record)
    path.parent.mkdir(parents=True)
    shutil.copy(filed.path, path)
    shutil.copy(filed.path.with_name("scores.npz"), scores_path(str(path)))
    shutil.rmtree(site.runs / "own-quick")
    return path


def test_the_scores_of_a_published_entry_are_refused_by_its_name(site: Site) -> None:
    path = published(site)
    with pytest.raises(RequestError, match=rf"theirs \({path}\) to the last digit"):
        site.submit(scores=site.text(site.lines()), name="mine")


def test_a_submission_may_stand_in_two_suites_and_nobody_elses_scores(site: Site) -> None:
    published(site)
    other = Site(site.folder, suite="faulty")
    with pytest.raises(RequestError, match="these are the scores of theirs"):
        other.submit(scores=other.text(other.lines()), name="mine")
    assert other.submit(scores=other.text(other.lines())).path is not None
