"""Whether a training was still getting better when it ended, read from its series."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.errors import DataError
from harness.health.training_end import TrainingEnd, mean_end, read_training_end

Read = Callable[..., TrainingEnd]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a series of training accuracies, and EERs of validation by step, and read its end."""

    def written(accuracy: Sequence[float], eer: Mapping[int, float] | None = None) -> TrainingEnd:
        lines = [{"series": 1, "facts": {}}]
        for step, value in enumerate(accuracy, 1):
            values = {"Train/Accuracy": value, "Train/Loss": 1.0}
            values |= {"Test/eer": eer[step]} if eer and step in eer else {}
            lines.append({"step": step, "epoch": 0.1, "seconds": 1.0, "values": values})
        lines.append({"step": len(accuracy), "epoch": 1.0, "mark": "chosen", "text": "best"})
        path = tmp_path / "series.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return read_training_end(path)

    return written


def noise(count: int, deviation: float, seed: int = 0) -> np.ndarray:
    return deviation * np.random.default_rng(seed).normal(size=count)


def test_accuracy_that_rises_to_the_end_is_told_with_both_halves_of_the_end(read: Read) -> None:
    assert read([step / 100 for step in range(100)]).rise == pytest.approx((0.845, 0.945))


def test_a_plateau_does_not_rise(read: Read) -> None:
    assert read([step / 100 for step in range(50)] + [0.5] * 50).rise is None


def test_a_rise_within_the_noise_of_single_batches_is_none(read: Read) -> None:
    raised = np.repeat([0.5, 0.525], [90, 10])
    assert read((raised + noise(100, 0.2)).tolist()).rise is None


def test_a_sure_rise_that_is_small_is_not_told(read: Read) -> None:
    assert read(np.linspace(0.90, 0.95, 100).tolist()).rise is None


def test_a_series_of_few_steps_tells_nothing_of_its_end(read: Read) -> None:
    few = read(np.linspace(0, 1, 59).tolist())
    assert few.accuracy == ()
    assert few.rise is None
    assert read(np.linspace(0, 1, 60).tolist()).rise is not None


def test_a_validation_that_improves_over_its_later_half_is_told(read: Read) -> None:
    steps = range(5, 101, 5)
    falling = np.linspace(0.30, 0.11, 20)
    end = read([0.5] * 100, dict(zip(steps, falling, strict=True)))
    halves = falling[10:15].mean(), falling[15:].mean()
    assert end.gain("eer", higher_is_better=False) == pytest.approx(halves)
    assert end.gain("eer", higher_is_better=True) is None
    assert end.gain("accuracy", higher_is_better=True) is None


def test_a_validation_that_scatters_about_its_level_is_not_told(read: Read) -> None:
    steps = range(5, 101, 5)
    level = np.r_[np.linspace(0.3, 0.1, 10), np.full(10, 0.1)] + noise(20, 0.01)
    end = read([0.5] * 100, dict(zip(steps, level, strict=True)))
    assert end.gain("eer", higher_is_better=False) is None


def test_two_validations_are_too_few_to_tell_a_trend_from_noise(read: Read) -> None:
    end = read([0.5] * 100, {90: 0.10, 100: 0.05})
    assert end.validation == {}
    assert end.gain("eer", higher_is_better=False) is None


def test_a_line_that_is_none_of_ours_is_named(tmp_path: Path) -> None:
    path = tmp_path / "series.jsonl"
    path.write_text('{"series": 1, "facts": {}}\n{"step": 1, "values": [1]}\n')
    with pytest.raises(DataError, match=r"series.jsonl:2: neither values nor"):
        read_training_end(path)


def test_one_fold_that_rises_among_others_that_do_not_is_no_rise_of_the_entry() -> None:
    rising, level = np.linspace(0.90, 0.96, 8), np.full(8, 0.95)
    ends = [TrainingEnd(validation={"accuracy": tuple(each)}) for each in (rising, *[level] * 3)]
    assert ends[0].gain("accuracy", higher_is_better=True) is not None
    assert mean_end(ends).gain("accuracy", higher_is_better=True) is None
    assert mean_end(ends[:1]) == ends[0]


def test_ends_of_another_length_are_taken_together_from_the_last_value_on() -> None:
    ends = [TrainingEnd((0.1, 0.2, 0.4), {"eer": (0.3,)}), TrainingEnd((0.6, 0.8)), TrainingEnd()]
    found = mean_end(ends)
    assert found.accuracy == pytest.approx((0.4, 0.6))
    assert found.validation == {"eer": (0.3,)}
    assert mean_end([]) == TrainingEnd()
