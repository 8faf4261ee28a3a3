"""`harness board diff`: what is printed, and the exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = "records/matched/quick/speechocean762"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    """Published tables, and the same without one entry."""
    for name in ("before", "after"):
        shutil.copytree(ROOT / "leaderboards" / PLACE, tmp_path / name / PLACE)
    for path in (tmp_path / "after" / PLACE).glob("eres2net-*.json"):
        path.unlink()
    return str(tmp_path / "before"), str(tmp_path / "after")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["harness", "board", "diff", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_differences_are_printed_as_markdown(folders, monkeypatch, capsys):
    assert run(monkeypatch, *folders) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"# Changes from {folders[0]}".replace("_", r"\_"))
    assert "- No longer there: eres2net + aam." in text
    assert text.endswith("\n")


def test_json_is_one_document_and_nothing_else(folders, monkeypatch, capsys):
    assert run(monkeypatch, *folders, "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["schema"] == 1
    assert document["tables"][0]["changes"]["went"] == ["eres2net + aam"]
    assert captured.err == ""


def test_no_difference_is_said_and_no_error(folders, monkeypatch, capsys):
    assert run(monkeypatch, folders[0], folders[0]) == 0
    assert "Nothing changed." in capsys.readouterr().out


def test_a_wrong_request_says_what_is_wrong(folders, monkeypatch, capsys):
    assert run(monkeypatch, "speker@1", folders[0], "--folder", folders[0]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "has no suite 'speker'" in captured.err
