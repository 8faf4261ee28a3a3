"""The report of a log that another program wrote, in every language."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.report.drawing import drawing, scale_values
from harness.report.page import html_page, make_report, markdown_page
from harness.report.run import Run, find_runs
from harness.report.section import ReportPicture, ReportTable
from harness.report.sections import conclusions, curves, health
from harness.report.text import LANGUAGES, read_words
from tests.foreign_logs import BEST, EPOCHS, write_campplus


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("logs") / "campplus"
    write_campplus(folder)
    (run,) = find_runs([str(folder)], folder.parent / "runs", None)
    return run


def test_a_training_of_another_program_is_reported(log: Run):
    words = read_words("zh-Hant")
    report = make_report([log], words)
    keys = [section.key for section in report.sections]
    assert keys == ["head", "conclusions", "health", "curves"]
    text, pictures = markdown_page(report, "pictures")
    assert len(pictures) == 6
    for name in ("Train/lr", "Train/Loss", "Train/Accuracy", "Test/threshold", "Test/min_dcf"):
        assert f"`{name}`" in text
    page = html_page(report)
    assert '<html lang="zh-Hant">' in page
    assert "日誌中的曲線產生" in page
    assert "實驗紀錄、" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_conclusions_are_those_of_its_numbers_in_every_language(log: Run, language: str):
    words = read_words(language)
    found = conclusions.section([log], words)
    assert found is not None
    said = str(found.blocks)
    at = words("health.step", number=BEST)
    end = words("health.step", number=EPOCHS - 1)
    best = {"name": "Test/eer", "best": "20.0 %", "at": at, "last": "20.8 %"}
    assert words("advice.keep_best", **best) in said
    assert words("findings.best_before", **best, end=end, count=EPOCHS) in said
    assert words("findings.memorised_eer", accuracy="99.9 %", value="20.8 %") in said


@pytest.mark.parametrize(("metric", "asked"), [("accuracy", False), ("eer", True)])
def test_only_decisions_at_a_threshold_are_asked_for_theirs(
    metric: str, asked: bool, tmp_path: Path
):
    rows = [f"{epoch},{4 - epoch},0.1,0.{epoch}" for epoch in range(1, 4)]
    (tmp_path / "log.csv").write_text("\n".join([f"epoch,train_loss,lr,val_{metric}", *rows]))
    words = read_words("en")
    section = health.section(find_runs([str(tmp_path / "log.csv")], tmp_path / "runs", None), words)
    assert section is not None
    checks = section.blocks[-1]
    assert isinstance(checks, ReportTable)
    assert (words("checks.threshold_settled") in {row[0] for row in checks.rows}) == asked


def test_two_logs_side_by_side_are_told_apart_without_colour(log: Run, tmp_path: Path):
    shutil.copytree(log.place, tmp_path / "other")
    runs = find_runs([str(log.place), str(tmp_path / "other")], tmp_path / "runs", None)
    assert [run.name for run in runs] == ["campplus", "other"]
    held = [run.series for run in runs if run.series is not None]
    few = [replace(each, scalars=each.scalars[each.scalars["name"] == "Test/eer"]) for each in held]
    runs = tuple(replace(run, series=series) for run, series in zip(runs, few, strict=True))
    one, again = (curves.section(runs, read_words("en")) for _ in range(2))
    assert one == again  # to the byte
    assert one is not None
    pictures = {each.name: each.content for each in one.blocks if isinstance(each, ReportPicture)}
    assert pictures.keys() == {"curves-legend", "curve-test-eer"}
    assert b"stroke-dasharray" in pictures["curve-test-eer"]


def test_one_checklist_answers_for_all_runs(log: Run, tmp_path: Path):
    words, once = read_words("en"), tmp_path / "once.csv"
    once.write_text("epoch,train_loss,lr,val_eer\n1,4.0,0.1,0.4\n")
    runs = find_runs([str(log.place), str(once)], tmp_path / "runs", None)
    section = health.section(runs, words)
    assert section is not None
    tables = [each for each in section.blocks if isinstance(each, ReportTable)]
    (checks,) = [each for each in tables if each.head[0] == words("health.question")]
    assert checks.head[1:] == ("campplus", "once.csv")
    assert checks.rows[1][1:] == ("yes (1)", "cannot tell")
    columns = {each.caption.partition(":")[0]: each.head for each in tables if each is not checks}
    assert columns["campplus"][-1] == words("health.sign")
    assert columns["once.csv"][-1] == words("health.finding")  # no sign, so no column for it


def test_what_rounding_alone_moves_is_in_the_table_and_not_drawn(tmp_path: Path):
    rows = ["step,Train/Loss,Test/loss_ratio", "1,4.0,1.0", "2,3.0,1.00000002", "3,2.0,1.00000001"]
    (tmp_path / "log.csv").write_text("\n".join(rows))
    runs = find_runs([str(tmp_path / "log.csv")], tmp_path / "runs", None)
    section = curves.section(runs, read_words("en"))
    assert section is not None
    drawn = [each.name for each in section.blocks if isinstance(each, ReportPicture)]
    assert drawn == ["curve-train-loss"]
    (table,) = [each for each in section.blocks if isinstance(each, ReportTable)]
    assert [row[0] for row in table.rows] == ["`Train/Loss`", "`Test/loss_ratio`"]
    assert table.rows[1][-2:] == ("1 (step 1)", "1 (step 1)")  # neither lower nor higher elsewhere


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rate_is_a_rate_however_a_program_spells_it(language: str):
    words = read_words(language)
    spelt = ("Train/lr", "Train/LearningRate", "learning_rate", "train-learning_rate")
    assert {curves.meaning(name, words) for name in spelt} == {words("glossary.lr")}
    assert curves.meaning("Train/Unheard", words) == words("glossary.other")


@pytest.mark.parametrize(
    ("primary", "told"),
    [
        ("eer", "such as known speakers, not new ones"),
        ("accuracy", "share of the training batch whose true class has the highest score;"),
        ("pair_accuracy", "whose order is right"),
    ],
)
def test_what_a_series_means_is_that_of_its_task(published, primary: str, told: str):
    path, record = published("speaker/quick/speechocean762/campplus-aam")
    protocol = record.protocol.model_copy(update={"primary": primary})
    run = Run("one", path, record.model_copy(update={"protocol": protocol}))
    said = curves.meaning("Train/Accuracy", read_words("en"), curves.glossary_of([run]))
    assert told in said
    assert ("speakers" in said) is (primary == "eer")
    assert curves.glossary_of([run, Run("log", path)]) == ""


def test_a_single_point_is_told_once(tmp_path: Path):
    (tmp_path / "log.csv").write_text("step,Train/Loss,Test/eer\n1,4.0,\n2,3.0,0.00001\n")
    runs = find_runs([str(tmp_path / "log.csv")], tmp_path / "runs", None)
    section = curves.section(runs, read_words("en"))
    assert section is not None
    (table,) = [each for each in section.blocks if isinstance(each, ReportTable)]
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["`Test/eer`"] == ("1", "", "1e-5 (step 2)", "", "")
    assert rows["`Train/Loss`"][1:3] == ("4 (step 1)", "3 (step 2)")


@pytest.mark.parametrize(
    ("lowest", "labels"), [(1e-6, ["1e-6", "1e-5", "1e-4", "0.001"]), (0.002, ["0.01", "0.1", "1"])]
)
def test_a_logarithmic_axis_has_short_labels(lowest: float, labels: list[str]):
    with drawing() as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [lowest, 1.0 if lowest > 1e-4 else 1e-3])
        scale_values(axes, lowest, 1.0)
        figure.canvas.draw()
        assert set(labels) <= {each.get_text() for each in axes.get_yticklabels()}


def test_a_long_series_is_drawn_within_the_band_of_its_values():
    steps, values = np.arange(90_000.0), np.tile([1.0, 2.0, 9.0], 30_000)
    middle, mean, low, high = curves.binned(steps, values)
    assert len(middle) == len(mean) <= 1000
    assert mean == pytest.approx(4.0)
    assert (set(low), set(high)) == ({1.0}, {9.0})
