"""The report of a log that another program wrote, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report.page import html_page, make_report, markdown_page
from harness.report.run import find_runs
from harness.report.sections.curves import binned
from harness.report.text import LANGUAGES, read_words
from tests.foreign_logs import BEST, write_campplus


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs") / "campplus"
    write_campplus(folder)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_training_of_another_program_is_reported(log: Path, language: str):
    words = read_words(language)
    runs = find_runs([str(log)], log.parent / "runs", None)
    report = make_report(runs, words)
    assert [section.key for section in report.sections] == ["head", "conclusions", "curves"]
    text, pictures = markdown_page(report, "pictures")
    assert len(pictures) == 6
    best = {"name": "Test/eer", "best": "0.2", "step": BEST, "last": "0.2083"}
    assert words("conclusions.step_keep", **best) in text
    assert words("conclusions.log_gap", accuracy="100.0 %", eer="20.8 %") in text
    for name in ("Train/lr", "Train/Loss", "Train/Accuracy", "Test/threshold", "Test/min_dcf"):
        assert f"`{name}`" in text
    assert f'<html lang="{language}">' in html_page(report)


def test_a_report_is_the_same_each_time(log: Path):
    pages = {
        html_page(make_report(find_runs([str(log)], log, None), read_words("en"))) for _ in range(2)
    }
    assert len(pages) == 1


def test_two_logs_side_by_side_are_told_apart_without_colour(log: Path, tmp_path: Path):
    write_campplus(tmp_path / "other")
    runs = find_runs([str(log), str(tmp_path / "other")], log.parent / "runs", None)
    assert [run.name for run in runs] == ["campplus", "other"]
    (curves,) = (s for s in make_report(runs, read_words("en")).sections if s.key == "curves")
    pictures = {block.name: block for block in curves.blocks if hasattr(block, "content")}
    assert "curves-legend" in pictures
    assert b"stroke-dasharray" in pictures["curve-test-eer"].content


def test_a_long_series_is_drawn_within_the_band_of_its_values():
    import numpy as np

    steps, values = np.arange(90_000.0), np.tile([1.0, 2.0, 9.0], 30_000)
    middle, mean, low, high = binned(steps, values)
    assert len(middle) == len(mean) <= 1000
    assert mean == pytest.approx(4.0)
    assert (set(low), set(high)) == ({1.0}, {9.0})
