"""The star of the kept weights stands on a curve that has a value for their step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.report.curve_marks import draw_marks, mark_kinds
from harness.report.drawing import drawing
from harness.report.run import Run
from harness.series.series import Mark, Series, scalar_frame

MARKS = (Mark("chosen", 480),)
KEPT = Run("kept", Path("kept"), series=Series("kept", scalar_frame([]), marks=MARKS))


@pytest.mark.parametrize(
    ("steps", "star"),
    [
        (np.arange(1.0, 481.0), 480.0),
        (np.arange(1.0, 481.0, 12.0), 481.0 - 12.0),  # the value of the epoch that holds the step
        (np.arange(1.0, 361.0), None),  # the series ended before
        (np.array([480.0]), 480.0),
        (np.array([12.0]), None),
        (np.array([37.0, 296.0, 481.0]), None),  # looked at before and after
    ],
)
def test_the_star_stands_on_the_value_of_the_step(steps: np.ndarray, star: float | None):
    with drawing() as figure:
        axes = figure.add_subplot()
        draw_marks(axes, KEPT, steps, np.ones(len(steps)), "blue")
        stars = [each.get_xdata()[0] for each in axes.lines if each.get_marker() == "*"]
        upright = [each.get_xdata()[0] for each in axes.lines if each.get_marker() != "*"]
    assert stars == ([] if star is None else [star])
    assert upright == [480.0]
    assert mark_kinds([KEPT]) == ["chosen"]
