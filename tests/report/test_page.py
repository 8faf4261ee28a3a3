"""A report's page: one file that loads nothing, in which nothing from elsewhere runs."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import html5lib
import pytest

from harness.errors import RequestError
from harness.report.page import Report, explained, html_page, markdown_page, write_report
from harness.report.section import (
    Block,
    Bullets,
    Facts,
    Paragraph,
    ReportPicture,
    ReportTable,
    Section,
    Widget,
)
from harness.report.table_shape import table_classes
from harness.report.text import read_words
from tests.places import ROOT

SECTIONS = ROOT / "harness" / "report" / "sections"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = "<script>alert(1)</script> | `a|b` *stars*"


def example() -> Report:
    widget = Widget(
        "<p class='own'>here</p>", ".own { color: red; }", "own();", (Paragraph("else"),)
    )
    blocks = (
        Paragraph(HOSTILE),
        Bullets((HOSTILE,)),
        Facts((("name", "in `code` here"),)),
        ReportTable(("first", HOSTILE), (("a", HOSTILE),), "A table", frozenset({1})),
        ReportPicture("whole", SVG, HOSTILE, "below"),
        ReportPicture("left", SVG, "left", width=0.5),
        ReportPicture("right", PNG, "right", width=0.5),
        widget,
        widget,
    )
    return Report("Title", read_words("en"), (Section("one", "One", blocks),))


def test_the_page_is_sound_html_and_loads_nothing():
    page = html_page(example())
    html5lib.HTMLParser(strict=True).parse(page)
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert "url(" not in page
    assert "@import" not in page


def test_only_the_pages_own_program_may_run():
    page = html_page(example())
    (program,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    allowed = re.search(r"script-src 'sha256-([^']+)'", page)
    assert allowed is not None
    assert b64decode(allowed[1]) == sha256(program.encode()).digest()
    assert "alert(1)" not in program
    assert program.count("own();") == 1
    assert page.count(".own { color: red; }") == 1


def test_pictures_are_within_the_page_and_narrow_ones_stand_together():
    page = html_page(example())
    assert f"data:image/svg+xml;base64,{b64encode(SVG).decode()}" in page
    assert f"data:image/png;base64,{b64encode(PNG).decode()}" in page
    (gallery,) = re.findall(r'<div class="gallery">(.*?)</div>', page, flags=re.DOTALL)
    assert gallery.count("<img") == 2
    assert "<code>code</code>" in page


def paged(*blocks: Block) -> str:
    return html_page(Report("Title", read_words("en"), (Section("one", "One", blocks),)))


def test_numbers_stay_with_their_units_and_code_stays_as_it_is():
    page = paged(Paragraph("9.3 % of `9.3 % --set lr=1 -x` in 1.5 GiB, 2 minutes, 3 marks"))
    text = re.findall("<p>(.*?)</p>", page)[0]
    assert "9.3\u00a0% of" in text
    assert "1.5\u00a0GiB, 2 minutes, 3 marks" in text
    (code,) = re.findall("<code>(.*?)</code>", text)
    assert code == "9.3 % <span>--set</span> lr=1 -x"


@pytest.mark.parametrize(
    ("head", "numeric", "kinds"),
    [
        (("metric", "value", "what it is"), {1}, ["noted"]),
        (("metric", "one", "two", "what it is"), {1, 2}, ["noted", "several"]),
        (("class", "recall", "taken for"), {1}, []),
        (("label", "items", "cluster", "recovered", "purity"), {1, 3, 4}, ["stacked"]),
        (("when", "likely", "low", "high"), {1, 2, 3}, []),
        (("", "norms", "weights, TrainEval", "norms, Test"), {1, 2, 3}, ["stacked", "broad"]),
        (("about", "finding", "sign"), set(), ["texts"]),
    ],
)
def test_a_table_of_numbers_with_a_note_is_told_from_others(head, numeric, kinds: list[str]):
    rows = (("a long name", *head[1:]),)
    page = paged(ReportTable(head, rows, "", frozenset(numeric), noted="noted" in kinds))
    (found,) = re.findall('<table class="grid([^"]*)">', page)
    assert found.split() == kinds
    cells = re.findall(r'data-head="([^"]*)"', page)
    assert cells == ([] if kinds in ([], ["noted"]) else list(head[1:]))


def test_a_table_that_a_phone_would_cut_becomes_cards():
    head = ("等級之差", "樣本對準確率", "物體", "樣本數")
    wide = ReportTable(
        head, (("差距中等", "82.63 (80.04–84.94)", "120", "600"),), "", frozenset({1})
    )
    assert "stacked" in table_classes(wide)
    narrow = ReportTable(
        head[:3], (("差距中等", "82.63 (80.04–84.94)", "120"),), "", frozenset({1})
    )
    assert table_classes(narrow) == []
    cell = "8, in 2 parts (predicted to fit: 1,342)"
    long = ReportTable(("", "value"), (("batch", cell),), "", frozenset({1}))
    assert table_classes(long) == ["paired"]


def test_english_words_of_pictures_are_explained_before_them_in_other_languages():
    blocks = (Paragraph("lead"), ReportPicture("one", SVG, "alt"), Paragraph("after"))
    section = Section("one", "One", blocks, ("step", "target", "no such word"))
    assert explained(section, read_words("en")) is section
    lead, line, *rest = explained(section, read_words("zh-Hans")).blocks
    assert isinstance(line, Paragraph)
    assert "`step` 步；`same speaker` 同一说话人" in line.text
    assert (lead, *rest) == blocks
    assert explained(Section("none", "None", (), ("step",)), read_words("zh-Hans")).blocks == ()


@pytest.mark.parametrize("path", sorted(SECTIONS.glob("*.py")), ids=lambda path: path.stem)
def test_words_that_a_section_draws_have_translations(path: Path):
    drawn = getattr(import_module(f"harness.report.sections.{path.stem}"), "DRAWN", ())
    texts = read_words("zh-Hant").texts
    assert [each for each in drawn if f"drawn.{each}" not in texts] == []


def test_markdown_holds_the_same_with_pictures_beside_it():
    text, pictures = markdown_page(example(), "pictures")
    assert pictures == {
        "pictures/whole.svg": SVG,
        "pictures/left.svg": SVG,
        "pictures/right.png": PNG,
    }
    assert all(f"]({path})" in text for path in pictures)
    assert "<script>" not in text
    assert "- **name**: in `code` here" in text
    assert "else" in text
    assert "here</p>" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("| a |")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3


def test_files_are_written_where_they_were_asked_for(tmp_path):
    written = write_report(example(), tmp_path / "folder", with_markdown=True)
    assert written[0] == tmp_path / "folder" / "report.html"
    assert all(path.is_file() for path in written)
    assert write_report(example(), tmp_path / "own.html", with_markdown=False) == [
        tmp_path / "own.html"
    ]
    (tmp_path / "file.txt").touch()
    with pytest.raises(RequestError, match=r"file\.txt: is a file; give a folder"):
        write_report(example(), tmp_path / "file.txt", with_markdown=False)
