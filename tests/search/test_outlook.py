"""What a training under way will be, and which can no longer win."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.records.record import MetricFacts
from harness.search.outlook import Outlook, cannot_win, forecast_end
from harness.series.series import Series

EER = MetricFacts(title="EER", unit="%", higher_is_better=False)
STEPS = 4000


def series(values: np.ndarray, metric: str = "eer") -> Series:
    """A validation every 100 steps, ten to an epoch."""
    steps = np.arange(1, len(values) + 1) * 100
    columns = {"name": f"Test/{metric}", "step": steps, "epoch": steps / 1000.0}
    return Series("here", pd.DataFrame({**columns, "seconds": steps / 10.0, "value": values}))


def falling(limit: float, count: int, noise: float = 1e-4) -> np.ndarray:
    random = np.random.default_rng(2)
    curve = limit + 0.3 * np.arange(1.0, 41) ** -0.8
    return (curve + noise * random.standard_normal(40))[:count]


def test_the_end_is_foretold_from_half_way_on() -> None:
    assert forecast_end(series(falling(0.05, 19)), STEPS, EER) is None
    found = forecast_end(series(falling(0.05, 24)), STEPS, EER)
    assert found is not None
    assert found.done == 0.6
    assert found.best <= found.value <= found.worst
    assert abs(found.value - falling(0.05, 40)[-1]) < 0.006
    # Of another metric than the one that weights are selected by nothing is said.
    higher = EER.model_copy(update={"higher_is_better": True})
    assert forecast_end(series(falling(0.05, 24)), STEPS, higher) is None


def test_what_was_reached_bounds_the_end() -> None:
    values = falling(0.05, 30, noise=4e-3)
    values[20] = 0.01  # one lucky validation, whose weights are kept
    found = forecast_end(series(values), STEPS, EER)
    assert found is None or found.worst <= 0.01


def test_one_whose_best_is_behind_the_leaders_worst_cannot_win() -> None:
    ahead, behind = Outlook(0.05, 0.045, 0.055, 0.7), Outlook(0.09, 0.08, 0.1, 0.6)
    close = Outlook(0.06, 0.05, 0.07, 0.6)
    outlooks = {"a": [ahead], "b": [behind], "c": [close], "d": []}
    assert cannot_win(outlooks, EER) == {"b": "a"}
    accuracy = EER.model_copy(update={"higher_is_better": True})
    better = {"a": [Outlook(0.9, 0.95, 0.85, 0.7)], "b": [Outlook(0.7, 0.8, 0.6, 0.7)]}
    assert cannot_win(better, accuracy) == {"b": "a"}


def test_those_that_are_done_are_left_to_the_test() -> None:
    done = {"a": [Outlook(0.05, 0.05, 0.05, 1.0)], "b": [Outlook(0.06, 0.06, 0.06, 1.0)]}
    assert cannot_win(done, EER) == {}
    assert cannot_win({"a": done["a"]}, EER) == {}
