"""The page of a history: a function of its files, with records' text as text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.registry.history.line_chain import read_history
from harness.registry.history.night_page import PAGE, build, differences, history_page, sparkline
from tests.registry.history.conftest import Nightly, day, night_of, real_record


@pytest.fixture
def slower(folder: Path, nightly: Nightly) -> Path:
    """A folder with an entry that got slower on the ninth night."""
    for number in range(10):
        speed = 76.0 + number % 3 - (20.0 if number >= 8 else 0)
        nightly(number, night_of(real_record(), number, training_per_second=speed))
    return folder


def test_the_page_is_written_once_and_says_what_regressed(slower: Path) -> None:
    assert differences(slower) == [f"{PAGE}: missing; `harness history build` writes it"]
    assert build(slower) == [slower / PAGE]
    assert build(slower) == []
    assert differences(slower) == []
    (row,) = [line for line in (slower / PAGE).read_text().splitlines() if "| training  " in line]
    assert f"regressed; worse since {day(8)}: " in row
    assert "| ████████▁▁ |" in row


def test_the_page_does_not_depend_on_the_order_of_files(slower: Path) -> None:
    history = read_history(slower)
    other = dict(reversed(history.items()))
    assert history_page(other) == history_page(history)


def test_no_history_has_no_page(folder: Path) -> None:
    assert build(folder) == []
    assert differences(folder) == []


def test_text_of_records_is_shown_as_text(folder: Path, nightly: Nightly) -> None:
    record = real_record()
    evil = record.model_copy(
        update={"model": record.model.model_copy(update={"name": "<script>a|b"})}
    )
    nightly(0, night_of(evil, 0, state="failed", reason="`[x](y)` | <b>"))
    build(folder)
    page = (folder / PAGE).read_text()
    assert "&lt;script&gt;a\\|b + softmax" in page
    assert "<script>" not in page
    assert "failed: \\`\\[x\\](y)\\` \\| &lt;b&gt;" in page


def test_bars_go_from_the_least_to_the_greatest_and_small_noise_looks_small() -> None:
    assert sparkline([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) == "▁▂▃▄▅▆▇█"
    assert set(sparkline([100.0, 100.5, 99.8])) <= {"▄", "▅"}
    assert sparkline([None, 3.0, None]) == "·▅·"
    assert sparkline([0.0, 0.0]) == "▅▅"
    assert sparkline([]) == ""


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def test_judging_ends_with_1_where_something_regressed(slower: Path, runner: CliRunner) -> None:
    bad = runner.invoke(app, ["history", "judge", "--folder", str(slower), "--json"])
    assert bad.exit_code == 1
    found = {each["figure"]: each for each in json.loads(bad.stdout)["verdicts"]}
    assert found["training_per_second"]["verdict"] == "regressed"
    assert found["training_per_second"]["direction"] == "worse"
    assert found["training_per_second"]["step"]["since"] == day(8)
    assert found["quality"]["verdict"] == "ok"
    assert found["quality"]["step"] is None
    good = runner.invoke(app, ["history", "judge", "--folder", str(slower), "--night", day(7)])
    assert good.exit_code == 0
    assert "training memory" in good.stdout


def test_lines_are_shown_and_checked(slower: Path, runner: CliRunner) -> None:
    built = runner.invoke(app, ["history", "build", "--folder", str(slower), "--json"])
    assert json.loads(built.stdout) == {"schema": 1, "written": [str(slower / PAGE)]}
    assert runner.invoke(app, ["history", "check", "--folder", str(slower)]).exit_code == 0
    shown = runner.invoke(app, ["history", "show", "--folder", str(slower), "--json"])
    ((path, lines),) = json.loads(shown.stdout)["files"].items()
    assert len(lines) == 10
    (slower / path).write_text((slower / path).read_text().replace("76.0", "96.0", 1))
    checked = runner.invoke(app, ["history", "check", "--folder", str(slower), "--json"])
    assert checked.exit_code == 1
    assert "line 2 does not follow" in json.loads(checked.stdout)["differences"][0]


def test_a_day_that_is_none_is_refused(slower: Path, runner: CliRunner) -> None:
    wrong = runner.invoke(
        app, ["history", "judge", "--folder", str(slower), "--night", "yesterday"]
    )
    assert "write a day as 2026-11-21" in str(wrong.exception)
