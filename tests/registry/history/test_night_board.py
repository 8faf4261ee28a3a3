"""Pages of a night: what moved since the night before, judged against other seeds and intervals."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

import pytest
from scipy import stats
from typer.testing import CliRunner

from harness.cli.app import app
from harness.errors import RequestError
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.check import check
from harness.registry.history.night_board import (
    SuiteNight,
    compare_night,
    pull_request_text,
    suite_page,
    write_night,
)
from tests.registry.history.conftest import ROOT, Nightly, day, night_of, real_record

LOSS = ROOT / "leaderboards" / "records" / "loss" / "quick" / "impacts"
FOLDS = ROOT / "leaderboards" / "records" / "matched" / "quick"


def night(folder: Path, number: int) -> SuiteNight:
    """The one suite of a night that `nightly` added."""
    (suite,) = compare_night(folder.parent / f"runs-{number}", folder, day(number))
    return suite


def quality_words(suite: SuiteNight) -> list[str]:
    moved = [each for table in suite.nights for each in table.moved]
    return [each.words for each in moved if each.verdict.figure == "quality"]


@pytest.mark.parametrize(("shift", "is_noise"), [(0.002, True), (-0.2, False)])
def test_a_change_is_held_against_other_seeds(
    folder: Path, nightly: Nightly, shift: float, is_noise: bool
) -> None:
    first, second = [0.955, 0.960, 0.968], [each + shift for each in (0.955, 0.960, 0.968)]
    for number, values in enumerate((first, second)):
        records = [
            night_of(real_record(), number, accuracy=value, seed=seed)
            for seed, value in enumerate(values)
        ]
        nightly(number, *records)
    mean = statistics.fmean(second)
    sd = statistics.stdev(second) / (mean * (1 - mean))  # of logits, to first order
    before = statistics.fmean(first)
    error = math.sqrt(2 / 3) * sd * before * (1 - before)
    p = 2 * stats.t.sf(abs(shift) / error, df=2)
    assert bool(p > 0.05) is is_noise
    told = f"not significant: other seeds do as much (p = {p:.2f})" if is_noise else "significant"
    assert quality_words(night(folder, 1)) == [told]


def test_what_trains_nothing_has_no_noise(folder: Path, nightly: Nightly) -> None:
    for number, value in enumerate((0.9012, 0.9013)):
        nightly(number, night_of(real_record("nearest-class-mean"), number, accuracy=value))
    assert quality_words(night(folder, 1)) == ["significant"]


def test_entries_that_came_went_or_failed_are_named(folder: Path, nightly: Nightly) -> None:
    names = [f"efficientnet-b{number}" for number in range(3)]
    own = [real_record(name) for name in names]
    nightly(0, night_of(own[0], 0), night_of(own[1], 0))
    failed = night_of(own[0], 1, state="failed", reason="RuntimeError: no kernel")
    nightly(1, failed, night_of(own[2], 1))
    suite = night(folder, 1)
    (table,) = suite.nights
    assert table.log.lines == (
        f"Not there on the night before: {names[2]} + softmax.",
        f"Without a record: {names[1]} + softmax.",
    )
    assert quality_words(suite) == ["not measured; failed: RuntimeError: no kernel"]
    assert pull_request_text([suite]).startswith(f"# Night of {day(1)}: 1 figure not measured\n")


def test_a_new_recipe_is_not_compared(folder: Path, nightly: Nightly) -> None:
    record = night_of(real_record(), 0, accuracy=0.9)
    nightly(0, record)
    nightly(1, night_of(record.model_copy(update={"recipe": {"steps": 1}}), 1, accuracy=0.8))
    (table,) = night(folder, 1).nights
    assert table.moved == ()
    (line,) = table.log.lines
    assert line.startswith("Not compared, as recipe, data, rules or adapter are others: ")


def test_nothing_moved_where_equal_seeds_gave_equal_figures(folder: Path, nightly: Nightly) -> None:
    for number in range(2):
        nightly(number, night_of(real_record(), number, training_per_second=76.0 - 30 * number))
    page = suite_page(night(folder, 1))
    assert "\nNo figure moved.\n" in page
    assert "No figure moved" not in suite_page(night(folder, 0))
    for number in range(2):
        write_night([night(folder, number)], folder)
        site = (folder / "nightly" / "site" / "image.html").read_text()
        assert ("No figure moved" in site) is (number == 1)
    assert " 46.0 (76.0) |" in page
    assert "A verdict needs 7 nights; an entry here has 2." in page


def test_folds_of_one_row_are_compared_apart(folder: Path, nightly: Nightly) -> None:
    folds = [
        read_record(
            next(FOLDS.glob(f"arabic-folds-{number}of3/ecapa-512-aam-seed0-*[0-9a-f].json"))
        )
        for number in (1, 2, 3)
    ]
    for number in range(2):
        nightly(number, *(night_of(each, number) for each in folds))
    ((table, (compared,)),) = night(folder, 1).tables
    assert len(table.rows) == 1
    names = [str(cell) for cell in compared.beside.grids[0].columns[0].cells]
    assert names == [f"ecapa-512 + aam, arabic-folds.{number}of3" for number in (1, 2, 3)]


def test_a_record_that_the_history_does_not_know_is_refused(folder: Path, nightly: Nightly) -> None:
    nightly(0, night_of(real_record(), 0))
    with pytest.raises(RequestError, match=f"history add --night {day(1)}"):
        compare_night(folder.parent / "runs-0", folder, day(1))


def test_pages_of_suites_that_did_not_run_stay_and_are_linked(
    folder: Path, nightly: Nightly
) -> None:
    loss: Record = read_record(next(LOSS.glob("*ghm-seed0-*[0-9a-f].json")))
    nightly(0, night_of(loss, 0))
    nightly(1, night_of(real_record(), 1))
    write_night([night(folder, 0)], folder)
    kept = (folder / "nightly" / "loss.md").read_text()
    write_night([night(folder, 1)], folder)
    assert (folder / "nightly" / "loss.md").read_text() == kept
    site = (folder / "nightly" / "site" / "image.html").read_text()
    assert '<a href="image.html" aria-current="page"><bdi>image</bdi></a>' in site
    assert '<a href="loss.html"><bdi>loss</bdi></a>' in site


def test_text_of_records_is_shown_as_text(folder: Path, nightly: Nightly) -> None:
    model = real_record().model.model_copy(update={"name": "<script>a|b"})
    evil = real_record().model_copy(update={"model": model})
    nightly(0, night_of(evil, 0, state="failed", reason="`[x](y)` | <b>"))
    suite = night(folder, 0)
    write_night([suite], folder)
    for text in (suite_page(suite), pull_request_text([suite])):
        assert "<script>" not in text
        assert "&lt;script&gt;a\\|b + softmax" in text
    site = (folder / "nightly" / "site" / "image.html").read_text()
    assert "&lt;script&gt;a|b + softmax" in site
    assert "<script>a" not in site


def test_the_command_gives_what_moved_and_the_pages_lie_nowhere_else(
    folder: Path, nightly: Nightly
) -> None:
    for number, value in enumerate((0.98, 0.90)):
        nightly(number, night_of(real_record(), number, accuracy=value))
    words = ["history", "board", "--runs", str(folder.parent / "runs-1"), "--night", day(1)]
    done = CliRunner().invoke(app, [*words, "--folder", str(folder), "--json"])
    assert done.exit_code == 0, done.exception
    given = json.loads(done.stdout)
    (moved,) = given["moved"]
    assert (moved["figure"], moved["before"], moved["value"]) == ("quality", 0.98, 0.90)
    assert moved["told"] == "significant"
    assert str(folder / "nightly" / "image.md") in given["written"]
    told = [line for line in check(folder) if line.startswith("nightly/")]
    assert len(told) == len(given["written"])
    assert "its branch alone holds it" in told[0]
