"""Verdicts: a step needs two nights, noise is none, a missing value says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.registry.history.judging import QUALITY, FigureVerdict, judge
from tests.registry.history.conftest import Nightly, day, lines_of, night_of, real_record

HEAT = "slowed by heat, to 1,200 of 1,980 MHz"
NOISE = np.random.default_rng(1).normal(0, 0.01, size=40)


def speed(number: int, level: float = 76.0) -> float:
    return float(level * np.exp(NOISE[number]))


def verdicts(folder: Path, night: str | None = None) -> dict[str, FigureVerdict]:
    return {verdict.figure: verdict for verdict in judge(lines_of(folder), night)}


def run_nights(nightly: Nightly, levels: list[float], **changes: float) -> None:
    for number, level in enumerate(levels):
        record = night_of(
            real_record(), number, training_per_second=speed(number, level), **changes
        )
        nightly(number, record)


def test_noise_is_ok(folder: Path, nightly: Nightly) -> None:
    run_nights(nightly, [76.0] * 10)
    found = verdicts(folder)["training_per_second"]
    assert (found.answer, found.finding.change, found.finding.nights) == ("ok", None, 10)


def test_fewer_than_seven_nights_are_inconclusive(folder: Path, nightly: Nightly) -> None:
    run_nights(nightly, [76.0] * 4 + [40.0] * 2)
    found = verdicts(folder)["training_per_second"]
    assert found.answer == "inconclusive"
    assert found.finding.why == "6 of the 7 nights that a verdict needs"


def test_a_slowdown_is_inconclusive_for_one_night_and_regressed_after_two(
    folder: Path, nightly: Nightly
) -> None:
    run_nights(nightly, [76.0] * 9 + [62.0] * 2)
    first = verdicts(folder, day(9))["training_per_second"]
    assert first.answer == "inconclusive"
    assert "one night far from the level" in first.finding.why
    second = verdicts(folder)["training_per_second"]
    change = second.finding.change
    assert change is not None
    assert (second.answer, change.since, change.better) == ("regressed", day(9), False)
    assert change.relative == pytest.approx(62 / 76 - 1, abs=0.03)


def test_a_night_that_was_alone_is_forgotten_the_next(folder: Path, nightly: Nightly) -> None:
    run_nights(nightly, [*[76.0] * 9, 50.0, 76.0])
    assert verdicts(folder)["training_per_second"].answer == "ok"


def test_an_improvement_is_told_and_is_ok(folder: Path, nightly: Nightly) -> None:
    run_nights(nightly, [76.0] * 8 + [90.0] * 3)
    found = verdicts(folder)["training_per_second"]
    assert found.answer == "ok"
    assert found.finding.change is not None
    assert found.finding.change.better


def test_longer_latency_and_more_memory_are_worse(folder: Path, nightly: Nightly) -> None:
    record = real_record()
    memory = record.resources.training_memory
    assert memory is not None
    for number in range(10):
        late = number >= 8
        nightly(
            number,
            night_of(
                record,
                number,
                latency_p50=0.0085 * (1.3 if late else 1) * np.exp(NOISE[number]),
                training_memory=memory.model_copy(update={"bytes": 10**9 + late * 10**8}),
            ),
        )
    found = verdicts(folder)
    assert found["latency_p50"].answer == found["training_memory"].answer == "regressed"
    assert found["inference_memory"].answer == "ok"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "failed", "reason": "loss became NaN"}, "failed: loss became NaN"),
        ({"measuring_cpu_wait": 0.5}, "something else ran beside: 50% of the time"),
        (
            {"training_per_second": 20.0, "gpu_disturbed": {"training_per_second": HEAT}},
            f"its GPU was {HEAT}",
        ),
    ],
)
def test_a_night_without_a_value_says_why(
    folder: Path, nightly: Nightly, changes: dict[str, object], why: str
) -> None:
    run_nights(nightly, [76.0] * 8)
    nothing = {"training_per_second": None} if "state" in changes else {}
    nightly(8, night_of(real_record(), 8, **nothing, **changes))
    found = verdicts(folder)
    assert found["training_per_second"].answer == "not measured"
    assert why in found["training_per_second"].finding.why
    if "gpu_disturbed" in changes:
        assert found["latency_p50"].answer == "ok"
    assert found[QUALITY].answer == ("not measured" if "state" in changes else "ok")


def test_an_entry_that_did_not_run_last_night_is_not_measured(
    folder: Path, nightly: Nightly
) -> None:
    other = real_record("efficientnet-b1")
    for number in range(8):
        nightly(number, night_of(real_record(), number), night_of(other, number))
    nightly(8, night_of(other, 8))
    found = {v.series.entry: v for v in judge(lines_of(folder)) if v.figure == QUALITY}
    missing = found["efficientnet-b0 + softmax"]
    assert missing.answer == "not measured"
    assert missing.finding.why == f"no record of it; the last is of {day(7)}"
    assert found["efficientnet-b1 + softmax"].answer == "ok"


def quality(nightly: Nightly, values: list[list[float]]) -> None:
    """Nights of one accuracy a seed."""
    for number, seeds in enumerate(values):
        records = [
            night_of(real_record(), number, accuracy=value, seed=seed)
            for seed, value in enumerate(seeds)
        ]
        nightly(number, *records)


def test_equal_quality_is_ok_and_one_other_night_alone_is_not_judged(
    folder: Path, nightly: Nightly
) -> None:
    quality(nightly, [[0.98]] * 8 + [[0.90]])
    assert verdicts(folder, day(7))[QUALITY].answer == "ok"
    assert verdicts(folder)[QUALITY].answer == "inconclusive"


def test_a_change_within_the_interval_is_inconclusive_and_one_beyond_it_regressed(
    folder: Path, nightly: Nightly
) -> None:
    quality(nightly, [[0.98]] * 7 + [[0.97]] * 2 + [[0.90]] * 7)
    small = verdicts(folder, day(8))[QUALITY]
    assert small.answer == "inconclusive"
    assert small.finding.why == "within the interval over the test sample"
    assert verdicts(folder)[QUALITY].answer == "regressed"


def test_a_change_is_held_against_what_seeds_do_where_that_is_known(
    folder: Path, nightly: Nightly
) -> None:
    # Seeds are some 0.001 apart, so 0.97 is far from 0.98 though within the interval.
    quality(nightly, [[0.980, 0.981, 0.979]] * 8 + [[0.970, 0.971, 0.969]] * 2)
    assert verdicts(folder)[QUALITY].answer == "regressed"


def test_a_change_as_small_as_that_of_seeds_is_inconclusive(folder: Path, nightly: Nightly) -> None:
    quality(nightly, [[0.98, 0.95, 0.97]] * 8 + [[0.96, 0.97, 0.94]] * 2)
    found = verdicts(folder)[QUALITY]
    assert found.answer == "inconclusive"
    assert "other seeds do as much (p = 0." in found.finding.why


def test_better_quality_is_ok_with_its_direction(folder: Path, nightly: Nightly) -> None:
    quality(nightly, [[0.90]] * 8 + [[0.98]] * 2)
    found = verdicts(folder)[QUALITY]
    assert found.answer == "ok"
    assert found.finding.change is not None
    assert found.finding.change.better


def test_what_trains_nothing_has_no_noise_of_seeds(folder: Path, nightly: Nightly) -> None:
    baseline = real_record("nearest-class-mean")
    for number in range(10):
        value = 0.900 if number < 8 else 0.899
        nightly(number, night_of(baseline, number, accuracy=value))
    assert verdicts(folder)[QUALITY].answer == "regressed"


def test_a_mean_over_other_seeds_is_not_compared(folder: Path, nightly: Nightly) -> None:
    quality(nightly, [[0.98, 0.90]] * 8 + [[0.98]] * 2)
    found = verdicts(folder)[QUALITY]
    assert found.answer == "inconclusive"
    assert found.finding.nights == 2


def test_another_configuration_begins_anew(folder: Path, nightly: Nightly) -> None:
    run_nights(nightly, [76.0] * 9)
    changed = real_record().model_copy(update={"recipe": {"steps": 7}})
    nightly(9, night_of(changed, 9, training_per_second=30.0))
    found = verdicts(folder)["training_per_second"]
    assert (found.answer, found.finding.nights) == ("inconclusive", 1)
    assert found.series.earlier == 9


def test_environments_are_judged_apart(folder: Path, nightly: Nightly) -> None:
    elsewhere = real_record().model_copy(update={"environment_digest": "f" * 64})
    for number in range(9):
        nightly(
            number,
            night_of(real_record(), number, training_per_second=speed(number)),
            night_of(
                elsewhere, number, training_per_second=speed(number, 900 - 400 * (number > 6))
            ),
        )
    found = {
        verdict.series.table[3][:4]: verdict.answer
        for verdict in judge(lines_of(folder))
        if verdict.figure == "training_per_second"
    }
    assert found == {"0b35": "ok", "ffff": "regressed"}


def test_a_record_made_again_on_the_same_night_takes_the_place_of_the_first(
    folder: Path, nightly: Nightly
) -> None:
    run_nights(nightly, [76.0] * 8)
    again = night_of(real_record(), 7, training_per_second=80.0, code="2" * 40)
    nightly(99, again)
    assert verdicts(folder)["training_per_second"].finding.value == 80.0
