"""The rules by which sounds are warned of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.use.sound_facts import SoundFacts, measure_sound
from harness.use.sound_warnings import warnings_of
from harness.use.training_sounds import TrainingSounds, UsualRange
from tests.use.sounds import RATE, spoken

PLAIN = SoundFacts(
    seconds=3.0,
    rate=16_000,
    channels=1,
    speech_seconds=2.0,
    level_db=-22.0,
    range_db=40.0,
    high_db=-20.0,
    clipped=0.0,
    channels_alike=1.0,
)
TRAINING = TrainingSounds(
    measured=100,
    seconds=UsualRange(low=2.0, high=6.0),
    level_db=UsualRange(low=-30.0, high=-15.0),
    range_db=UsualRange(low=25.0, high=60.0),
    high_db=UsualRange(low=-40.0, high=-5.0),
)


def rules(training: TrainingSounds | None = TRAINING, **facts: Any) -> list[str]:
    return [each.rule for each in warnings_of(PLAIN.model_copy(update=facts), training)]


def test_a_plain_sound_is_not_warned_of() -> None:
    assert rules() == []


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"level_db": -61.0}, "silent"),
        ({"speech_seconds": 0.9}, "short"),
        ({"range_db": 19.0}, "noisy"),
        ({"clipped": 0.002}, "clipped"),
        ({"rate": 8_000, "high_db": -90.0}, "narrow-band"),
        ({"high_db": -55.0}, "narrow-band"),
        ({"channels": 2, "channels_alike": 0.5}, "channels"),
    ],
)
def test_a_fault_is_told_without_the_training_too(facts: dict[str, Any], rule: str) -> None:
    assert rules(None, **facts) == [rule]


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"seconds": 1.9}, "duration"),
        ({"seconds": 6.1}, "duration"),
        ({"level_db": -37.0}, "loudness"),
        ({"level_db": -8.0}, "loudness"),
        ({"range_db": 24.0}, "noisy"),
    ],
)
def test_another_kind_than_the_trainings_is_told(facts: dict[str, Any], rule: str) -> None:
    assert rules(None, **facts) == []
    assert rules(TRAINING, **facts) == [rule]


def test_of_a_sound_without_speech_nothing_is_said_about_its_band() -> None:
    assert rules(None, level_db=-100.0, speech_seconds=0.0, high_db=-100.0) == ["silent", "short"]


def test_noise_as_training_had_is_not_told() -> None:
    noisy = TRAINING.model_copy(update={"range_db": UsualRange(low=5.0, high=20.0)})
    assert rules(None, range_db=10.0) == ["noisy"]
    assert rules(noisy, range_db=10.0) == []


def test_a_warning_names_both_numbers() -> None:
    (warning,) = warnings_of(PLAIN.model_copy(update={"speech_seconds": 0.42}), TRAINING)
    assert warning.text == "0.42 s of speech, below 1 s"


def test_measured_faults_are_told() -> None:
    clean = spoken(seconds=3.0, pause=1.0)
    noise = np.random.default_rng(1).normal(scale=800, size=clean.shape)
    height = 0.2 * np.abs(clean).max()

    def told(sound: Any) -> set[str]:
        return {each.rule for each in warnings_of(measure_sound(sound, RATE), None)}

    assert told(clean) == set()
    assert told(clean + noise) == {"noisy"}
    assert "clipped" in told(clean.clip(-height, height))
    assert told(clean[: RATE // 5]) >= {"short"}
    assert told(1e-3 * clean) >= {"silent"}
