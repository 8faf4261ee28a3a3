"""Costs of a record as a report's table says them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.report.run import Run
from harness.report.section import ReportTable
from harness.report.sections import head, resources
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


def test_units_of_dialogues_have_words_of_their_own(turns):
    english, chinese = read_words("en"), read_words("zh-Hans")
    assert head.numbered(828, "dialogue", english) == "828 dialogues"
    assert head.numbered(828, "dialogue", chinese) == "828 段对话"
    told = rows(turns, "zh-Hans")
    assert told["推理速度"].endswith("个话轮")
    assert told["训练内存峰值"].endswith("GiB（整个进程）")
