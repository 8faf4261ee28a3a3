"""A benchmark that cannot fail says nothing: bounds, and times of a part of the work."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.side_by_side import Contestant


@pytest.mark.parametrize(
    ("value", "least", "most", "holds"),
    [
        (12.0, 12, None, True),
        (11.9, 12, None, False),
        (5.0, None, 5, True),
        (5.1, None, 5, False),
        (math.nan, 12, None, False),
        (0.1, None, None, True),
    ],
)
def test_a_bound_that_is_broken_is_told(
    value: float, least: float | None, most: float | None, holds: bool
) -> None:
    figure = Figure("speed", value, "s", least=least, most=most)
    assert missed([figure]) == ([] if holds else [figure.row()])


def test_a_row_shows_figure_and_bound() -> None:
    assert Figure("reading", 1234.5, "MiB", most=2048).row() == (
        "| reading | 1,234 MiB | at most 2048 |"
    )


def test_the_best_run_counts_and_is_extrapolated() -> None:
    rival = Contestant(lambda: "read", share=0.1, seconds=[3.0, 1.0, 2.0])
    assert rival.best == pytest.approx(10.0)
    assert rival() == "read"
    assert len(rival.seconds) == 4
