"""Leaps at restarts and margins, and the balance of classes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from docs.simulation.health.draws import noise, ramp
from harness.health.classes import balance_of, class_balance
from harness.health.health import assess
from harness.health.interruptions import interruptions, leap
from harness.health.validation_curves import Curve, Moment
from harness.series.series import Mark, Series, StepVector, scalar_frame


def curve(values: np.ndarray) -> Curve:
    steps = 10 * np.arange(1, len(values) + 1)
    return Curve("Test/eer", "eer", steps / 10, values, steps, "epoch")


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_a_leap_is_called_at_most_five_times_in_a_hundred_where_there_is_none(rho: float):
    curves = noise(np.random.default_rng(1), 600, 20, rho) + ramp(20, 2)
    found = np.mean([leap(each[:10], each[10:])[1] for each in curves])
    assert found < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)


def test_the_leap_is_that_between_two_lines():
    before, after = np.linspace(0, 9, 10), 30 - 2 * np.arange(8.0)
    size, is_beyond = leap(before, after)
    assert size == pytest.approx(20)
    assert is_beyond


def test_a_restart_is_judged_between_its_neighbours_and_few_values_tell_nothing():
    values = np.concatenate([0.3 - 0.01 * np.arange(10), 0.3 - 0.01 * np.arange(10), [0.1]])
    values = values + 1e-4 * noise(np.random.default_rng(2), 1, 21)[0]
    marks = (Mark("restart", 100, 10.0), Mark("margin", 200, 20.0), Mark("resume", 50, 5.0))
    restart, margin = interruptions(curve(values), marks)
    assert (restart.kind, restart.at) == ("restart", Moment(10.0, "epoch"))
    assert restart.leap == pytest.approx(0.1, abs=2e-3)
    assert restart.is_beyond_noise
    assert math.isnan(margin.leap)
    assert not margin.is_beyond_noise


def test_the_balance_of_classes_is_of_their_last_counts():
    vectors = (
        StepVector("Train/selected", 1, 1.0, (5.0, 5.0)),
        StepVector("Train/selected", 2, 2.0, (30.0, 3.0, 0.0), labels=("a", "b", "c")),
        StepVector("Train/density", 3, 3.0, (1.0, 2.0), edges=(0.0, 1.0, 2.0)),
    )
    found = class_balance(Series("log", scalar_frame([]), vectors))
    assert found is not None
    assert (found.smallest, found.label, found.classes) == (0, "c", 3)
    even = balance_of(vectors[0])
    assert (even.evenness, even.ratio) == (pytest.approx(1), 1)
    assert class_balance(Series("log", scalar_frame([]), vectors[2:])) is None


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("Train/cluster_counts", "Train/selected_counts"), "sizes_uneven"),
        (("Train/selected_counts",), "classes_uneven"),
        (("Train/cluster_counts", "Train/class_counts"), "classes_uneven"),
    ],
)
def test_clusters_are_not_called_classes(names, text):
    vectors = tuple(StepVector(name, 1, 1.0, (300.0, 20.0)) for name in names)
    health = assess(Series("log", scalar_frame([]), vectors))
    (found,) = (each for each in health.findings if "smallest" in each.values)
    assert found.text == text
    assert bool(found.sign) is text.startswith("classes")
    assert [each.text for each in health.advice] == ["mend_classes"] * text.startswith("classes")
