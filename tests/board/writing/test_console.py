"""The table in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.console import show


def shown(records: list, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(tables(FiledRecord(record) for record in records), console)
    return console.file.getvalue()


def test_every_row_fits_a_line_of_100(several):
    lines = shown(several).splitlines()
    assert max(len(line) for line in lines) <= 100
    row = next(line for line in lines if "campplus + aam" in line and "done" in line)
    for said in ("5.36 (4.29-6.43)", "0.268", "3.21 gpu", "812", "done"):
        assert said in row


def test_failed_rows_say_why(several):
    assert "eres2net + aam, seed 0: oom: out of memory at batch 128, fits 56" in shown(several)


def test_names_are_no_markup(make):
    assert "[red]x[/red] + aam" in shown([make("[red]x[/red]")])


def test_speeds_of_two_environments_are_not_shown_together(make):
    text = shown([make("a"), make("b", value=0.2, device="RTX 3060")])
    entries, on_h200, on_rtx = text.split("Speed and memory on ")
    assert "812" not in entries
    assert "a + aam" in on_h200
    assert "b + aam" not in on_h200
    assert on_rtx.startswith("RTX 3060")
