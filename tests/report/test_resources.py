"""Costs of a record as a report's table says them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.records.costs import Prediction
from harness.report.run import Run
from harness.report.run_facts import numbered
from harness.report.section import ReportPicture, ReportTable
from harness.report.sections import resources
from harness.report.text import read_words


def rows(run: Run, language: str) -> dict[str, str]:
    section = resources.section([run], read_words(language))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, ReportTable))
    return dict(table.rows)


@pytest.fixture
def turns(published) -> Run:
    path, record = published("dialogue/full/sgd-da/fusion-umc")
    return Run("fusion + umc", path, record=record)


def test_the_latency_of_what_is_no_sound_is_that_of_an_item(turns):
    told = rows(turns, "en")
    assert not any("audio" in label for label in told)
    assert any(label.startswith("latency of one item, median") for label in told)
    costs = turns.record.resources
    spoken = tuple(each.model_copy(update={"seconds": 2.0}) for each in costs.latencies)
    heard = costs.model_copy(update={"latencies": spoken})
    record = turns.record.model_copy(update={"resources": heard})
    told = rows(replace(turns, record=record), "en")
    assert any(label.startswith("latency of 2 s of audio") for label in told)


def test_counts_have_the_letter_that_makes_them_readable(turns):
    costs = turns.record.resources.model_copy(update={"parameters": 283_264, "macs": 283_000})
    record = turns.record.model_copy(update={"resources": costs})
    told = rows(replace(turns, record=record), "en")
    assert told["parameters"] == "283 k"
    assert told["multiply-adds of one forward pass"] == "283 k"


@pytest.mark.parametrize(("times", "is_far"), [(2, False), (100, True)])
def test_a_peak_far_beyond_the_prediction_is_told_and_not_drawn(turns, times: int, is_far: bool):
    costs = turns.record.resources
    predicted = Prediction(
        parameters=9, inputs=1, activations=80, temporaries=10, peak=100, reserved=100
    )
    peak = costs.training_memory.model_copy(update={"bytes": 100 * times})
    changed = {"training_prediction": predicted, "training_memory": peak}
    changed |= {"inference_prediction": None, "inference_memory": None}
    record = turns.record.model_copy(update={"resources": costs.model_copy(update=changed)})
    section = resources.section([replace(turns, record=record)], read_words("en"))
    assert section is not None
    (picture,) = (block for block in section.blocks if isinstance(block, ReportPicture))
    assert ("lies far beyond this axis" in picture.caption) == is_far
    assert ("measured (process)" in section.drawn) != is_far


def test_units_of_dialogues_have_words_of_their_own(turns):
    english, chinese = read_words("en"), read_words("zh-Hans")
    assert numbered(828, "dialogue", english) == "828 dialogues"
    assert numbered(828, "dialogue", chinese) == "828 段对话"
    told = rows(turns, "zh-Hans")
    assert told["推理速度"].endswith("个话轮")
    assert told["训练内存峰值"].endswith("GiB（整个进程）")
