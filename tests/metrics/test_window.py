"""Windows decide how long a metric takes, never what it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.metrics import window
from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.window import Bounds, cut, sketch

SIDE = st.lists(st.integers(-20, 20), min_size=1, max_size=60)
POINTS = st.builds(OperatingPoint, p_target=st.sampled_from([0.001, 0.01, 0.3, 0.5, 0.9, 0.999]))


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three scores a side are sampled, so that foretelling is rough and often wrong."""
    monkeypatch.setattr(window, "SAMPLE", 3)


@pytest.fixture
def overconfident(few_samples: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window without any allowance for the error of its sample."""
    monkeypatch.setattr(window, "_noise", lambda rate, count: 0.0)


@pytest.mark.usefixtures("overconfident")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(SIDE, SIDE, POINTS)
def test_a_wrong_foretelling_changes_no_result(
    targets: list[int], nontargets: list[int], point: OperatingPoint
) -> None:
    rough = eer(targets, nontargets), min_dcf(targets, nontargets, point)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "SAMPLE", 2**14)
        assert rough == (eer(targets, nontargets), min_dcf(targets, nontargets, point))


def drawn(
    seed: int, targets: int, nontargets: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    first = rng.normal(0.52, 0.16, targets).astype(np.float32)
    return first, rng.normal(0.12, 0.11, nontargets).astype(np.float32)


@pytest.mark.parametrize("point", [OperatingPoint(p) for p in (0.001, 0.01, 0.5, 0.99)])
@pytest.mark.parametrize("sizes", [(2_000, 300_000), (150_000, 150_000), (300_000, 2_000)])
def test_long_lists_give_what_sorting_them_whole_gives(
    sizes: tuple[int, int], point: OperatingPoint
) -> None:
    targets, nontargets = drawn(1, *sizes)
    windowed = eer(targets, nontargets), min_dcf(targets, nontargets, point)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "SAMPLE", 2**20)
        assert windowed == (eer(targets, nontargets), min_dcf(targets, nontargets, point))


@pytest.mark.parametrize("order", ["ascending", "descending", "as drawn"])
def test_a_long_lists_window_is_a_small_part_of_it(order: str) -> None:
    sides = drawn(2, 2_000, 300_000)
    if order != "as drawn":
        step = 1 if order == "ascending" else -1
        sides = np.sort(sides[0])[::step], np.sort(sides[1])[::step]
    foretold = sketch(*sides)
    for bounds in (foretold.around_eer(), foretold.around_min_dcf(OperatingPoint())):
        assert len(cut(*sides, bounds).nontargets) < 0.1 * len(sides[1])


def test_a_window_counts_what_it_leaves_out() -> None:
    targets, nontargets = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 5.0])
    part = cut(targets, nontargets, Bounds(2.0, 4.0))
    np.testing.assert_array_equal(part.targets, [2.0, 3.0])
    np.testing.assert_array_equal(part.nontargets, [2.0])
    assert (part.targets_below, part.nontargets_below) == (1, 2)
    assert (part.misses(3.0), part.false_alarms(3.0)) == (2, 1)
    assert (part.misses(4.0), part.false_alarms(4.0)) == (3, 1)
    whole = cut(targets, nontargets, Bounds())
    assert (whole.misses(math.inf), whole.false_alarms(-math.inf)) == (4, 4)
