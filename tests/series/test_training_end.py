"""How a training ended, read from its series."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.errors import DataError
from harness.series.training_end import TrainingEnd, read_training_end

Read = Callable[..., TrainingEnd]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a series of training accuracies, and EERs of validation by step, and read its end."""

    def written(accuracy: Sequence[float], eer: dict[int, float] | None = None) -> TrainingEnd:
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


def test_accuracy_that_rises_to_the_end_is_rising(read: Read) -> None:
    end = read([step / 100 for step in range(100)])
    assert end.accuracy == pytest.approx((0.845, 0.945))
    assert end.is_rising


def test_a_plateau_is_not_rising(read: Read) -> None:
    assert not read([step / 100 for step in range(50)] + [0.5] * 50).is_rising


def test_a_rise_within_the_noise_of_single_batches_is_none(read: Read) -> None:
    noisy = [0.5 + 0.2 * (-1) ** step for step in range(90)] + [
        0.55 + 0.2 * (-1) ** s for s in range(10)
    ]
    end = read(noisy)
    assert end.accuracy == pytest.approx((0.5, 0.55))
    assert not end.is_rising


def test_a_series_of_few_steps_tells_nothing_of_its_end(read: Read) -> None:
    assert read([0.0, 0.5, 1.0]).accuracy is None
    assert not read([0.0, 0.5, 1.0]).is_rising


def test_validation_near_the_end_tells_if_it_still_improved(read: Read) -> None:
    end = read([0.5] * 100, {90: 0.10, 100: 0.09})
    assert end.validation == {"eer": (0.10, 0.09)}
    assert end.is_improving("eer", higher_is_better=False)
    assert not end.is_improving("eer", higher_is_better=True)
    assert not end.is_improving("accuracy", higher_is_better=True)
    assert not read([0.5] * 100, {90: 0.10, 100: 0.099}).is_improving("eer", higher_is_better=False)


def test_validations_far_apart_say_nothing_of_the_end(read: Read) -> None:
    assert read([0.5] * 100, {50: 0.10, 100: 0.05}).validation == {}


def test_a_line_that_is_none_of_ours_is_named(tmp_path: Path) -> None:
    path = tmp_path / "series.jsonl"
    path.write_text('{"series": 1, "facts": {}}\n{"step": 1, "values": [1]}\n')
    with pytest.raises(DataError, match=r"series.jsonl:2: no line of a series"):
        read_training_end(path)
