"""EER against the length of the utterances, and against crops that were kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.config.loader import load
from harness.metrics.detection import eer
from harness.records.files import write_text
from harness.records.record import Metric
from harness.registry.crop_curve import CURVE, CropCurve, CropPoint, crop_key
from harness.report.judged import judged_runs
from harness.report.run import Run, find_runs
from harness.report.section import Paragraph, ReportPicture, ReportTable
from harness.report.sections import by_duration, crops
from harness.report.text import read_words
from harness.tasks.groupings import shorter_side
from tests.published import newest

WORDS = read_words("en")


@pytest.fixture(scope="module")
def run() -> Run:
    return find_runs(
        [str(newest("speaker/quick/open-26666/campplus-aam"))], Path("no-runs"), load(None)
    )[0]


def test_parts_hold_about_as_many_trials_and_each_trial_once():
    rng = np.random.default_rng(0)
    seconds = rng.choice([1.5, 2.0, 2.5, 3.0, 7.0], size=3000)
    target = rng.random(3000) < 0.5
    seconds[:10] = 0.0
    parts = by_duration.parts_of(seconds, target)
    assert np.sum([mask for *_, mask in parts], axis=0).tolist() == (seconds > 0).tolist()
    for low, high, mask in parts:
        assert seconds[mask].min() == low
        assert seconds[mask].max() <= high


def test_few_targets_and_equal_lengths_are_not_cut():
    assert len(by_duration.edges_of(np.linspace(1, 9, 500), by_duration.LEAST)) == 2
    assert by_duration.parts_of(np.full(900, 2.0), np.ones(900, bool)) == []
    assert by_duration.parts_of(np.zeros(900), np.ones(900, bool)) == []


def test_each_part_has_the_eer_of_its_trials(run):
    found = by_duration.section([run], WORDS)
    assert found is not None
    (table,) = [block for block in found.blocks if isinstance(block, ReportTable)]
    (each,) = judged_runs([run])
    parts = by_duration.parts_of(shorter_side(each.items, each.trials), each.trials.target)
    assert len(table.rows) == len(parts) == by_duration.PARTS
    for row, (_, _, mask) in zip(table.rows, parts, strict=True):
        target = each.trials.target
        expected = eer(each.scores[mask & target], each.scores[mask & ~target]).value
        assert row[1].startswith(f"{100 * expected:.2f} % (")
        assert row[2:] == (f"{mask.sum():,}", f"{(mask & target).sum():,}")


def point(seconds: float | None, count: int, value: float) -> CropPoint:
    metric = Metric(value=value, low=value - 0.01, high=value + 0.01, unit="%")
    return CropPoint(seconds=seconds, count=count, longer=0.9, metric=metric)


def test_kept_crops_are_drawn_by_length_and_by_number(run, tmp_path):
    points = (point(None, 1, 0.1), point(0.5, 1, 0.3), point(1.0, 1, 0.2), point(1.0, 4, 0.15))
    curve = CropCurve(key=crop_key(run.record), points=points)
    write_text(tmp_path / CURVE, curve.model_dump_json())
    kept = replace(run, stages={"evaluate": tmp_path, "train": tmp_path})
    section = crops.section([kept], WORDS)
    assert section is not None
    pictures = [block.name for block in section.blocks if isinstance(block, ReportPicture)]
    by_length, by_count = [block for block in section.blocks if isinstance(block, ReportTable)]
    assert pictures == ["crops-length", "crops-count"]
    assert [row[0] for row in by_length.rows] == ["1 × 0.5 s", "1 × 1 s", "whole utterances"]
    assert [row[0] for row in by_count.rows] == ["1 × 1 s", "4 × 1 s"]
    assert by_length.rows[0][-1] == "30.00 % (29.00–31.00)"


def test_a_curve_of_other_weights_is_none_and_the_page_tells_how_to_get_one(run, tmp_path):
    curve = CropCurve(key="0" * 64, points=(point(None, 1, 0.1),))
    write_text(tmp_path / CURVE, curve.model_dump_json())
    other = replace(run, stages={"evaluate": tmp_path, "train": tmp_path})
    assert other.crop_curve is None
    section = crops.section([other], WORDS)
    assert section is not None
    (hint,) = section.blocks
    assert isinstance(hint, Paragraph)
    assert "--test-crops" in hint.text
    assert crops.section([run], WORDS) is None  # a published record has no weights to embed by
