"""The page's tables hold what the page promises, and the commands that fill it run."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from docs.marks import marks
from docs.simulation.health.__main__ import PAGE, TABLES, main
from docs.simulation.health.real import find_curves, summary
from docs.simulation.health.real import main as real_main
from harness.board.standing.figures import six_digits
from harness.health.advice import RULES
from harness.records.files import write_text

TEXT = PAGE.read_text(encoding="utf-8")


def rows(name: str) -> list[dict[str, str]]:
    begin, end = marks(name)
    table = TEXT[TEXT.index(begin) : TEXT.index(end)]
    lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    head, _, *cells = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in cells]


@pytest.mark.parametrize("noise", ["white", "0.7"])
def test_flat_curves_are_called_improving_at_most_five_times_in_a_hundred(noise: str):
    found = [row for row in rows("trend") if row["noise"] == noise]
    assert {row["validations"] for row in found} >= {"20"}
    assert all(float(row["flat"]) <= 5.0 for row in found)


def test_a_rise_of_two_deviations_over_twenty_is_found():
    (row,) = (r for r in rows("trend") if (r["noise"], r["validations"]) == ("white", "20"))
    assert float(row["rise of 2"]) >= 75


def test_the_intervals_hold_about_eight_of_ten_of_two_thousand():
    *each, every = rows("forecast")
    assert int(every["curves"]) == 2_000
    assert 75 <= float(every["held"]) <= 85
    # A row's own share is as sure as its standard error says.
    assert all(abs(float(r["held"]) - 80) < 5 + 3 * float(r["its standard error"]) for r in each)


def test_leaps_are_called_at_most_five_times_where_there_are_none():
    assert all(float(row["leap of 0"]) <= 5 + 3 * 0.5 for row in rows("leaps"))


def test_every_rule_of_the_advice_is_on_the_page():
    for rule in RULES:
        for finding in (*rule.needs, *rule.any_of):
            assert f"`{finding}`" in TEXT


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_command_makes_each_table(name: str, capsys: pytest.CaptureFixture[str]):
    assert main(["--table", name, "--curves", "20", "--slow-curves", "20"]) == 0
    head = capsys.readouterr().out.splitlines()[2]
    assert [cell.strip() for cell in head.strip("|").split("|")] == list(rows(name)[0])


def test_real_curves_are_found_once_and_few_give_no_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    random = np.random.default_rng(1)
    for number in range(3):
        count = 24 if number else 10
        values = [
            0.1 + 0.3 * math.exp(-step / 8) + 0.01 * random.standard_normal()
            for step in range(1, count + 1)
        ]
        for place, told in (("a", values), ("published", [six_digits(each) for each in values])):
            lines = ['{"series": 1, "facts": {}}'] + [
                f'{{"step": {step}, "epoch": {step}, "seconds": 1.0, "values": '
                f'{{"Test/eer": {value}}}}}'
                for step, value in enumerate(told, 1)
            ]
            (tmp_path / place / str(number)).mkdir(parents=True)
            write_text(tmp_path / place / str(number) / "series.jsonl", "\n".join(lines) + "\n")
    assert len(list(find_curves([tmp_path]))) == 2
    assert real_main([str(tmp_path)]) == 0
    assert "2 trainings" in capsys.readouterr().out
    assert "fewer than 40" in summary([("a", 0.8), ("b", 0.7), ("c", float("nan"))])
    many = [(str(number), share) for number, share in enumerate([0.8] * 39 + [0.6])]
    assert "no figure" not in summary(many)


def test_seeds_of_one_system_make_its_share_no_surer():
    """With as many of each, the interval is that of the systems' own means."""
    once = [("a", 0.7), ("b", 0.8), ("c", 0.9)]
    reach = 4.302652729911275 * 10 / math.sqrt(3)
    assert f"80.0 % held ({80 - reach:.1f} to {80 + reach:.1f})" in summary(once)
    assert f"80.0 % held ({80 - reach:.1f} to {80 + reach:.1f})" in summary(once * 14)
