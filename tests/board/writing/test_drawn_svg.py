"""Pictures that hold more than our drawing makes, on published ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.board.writing.charts import write_plot, wrong_plot
from harness.board.writing.drawn_svg import DESCRIPTION, read_drawing
from tests.places import ROOT

PICTURES = sorted((ROOT / "leaderboards" / "plots").rglob("*.svg"))
PICTURE = PICTURES[0].read_text()
DATA: dict[str, Any] = json.loads(read_drawing(PICTURES[0])[0][DESCRIPTION][0])

DRAWN_FROM = PICTURE.index("</metadata>")
COORDINATES = [*re.finditer(r"(?<=[ \"(])-?\d+\.\d+", PICTURE[DRAWN_FROM:])]

BOMB = '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
DOCTYPE = PICTURE[PICTURE.index("<!DOCTYPE") : PICTURE.index("<svg")]


def test_every_published_picture_is_of_our_drawing() -> None:
    assert len(PICTURES) >= 9
    assert {path.name: read_drawing(path)[1] for path in PICTURES} == {
        path.name: "" for path in PICTURES
    }
    assert wrong_plot(PICTURES[0], DATA) == ""


@pytest.mark.parametrize(
    ("mark", "instead", "said"),
    [
        ("</svg>", "<script>alert(1)</script></svg>", "<script> within <svg>"),
        ("</svg>", '<script href="data:,alert(1)"/></svg>', "<script> within <svg>"),
        ("</svg>", '<image href="https://a.example/x.png"/></svg>', "<image> within <svg>"),
        ("</svg>", "<foreignObject><p>x</p></foreignObject></svg>", "<foreignObject>"),
        ("</svg>", '<a href="https://a.example"><path d="M0 0"/></a></svg>', "<a> within <svg>"),
        ("</svg>", "<text>EER 0 %</text></svg>", "<text> within <svg>"),
        ("</svg>", '<set attributeName="href" to="javascript:0"/></svg>', "<set> within <svg>"),
        ("</svg>", '<x:script xmlns:x="http://www.w3.org/1999/xhtml"/></svg>', "<script>"),
        ("</svg>", "EER 0 %</svg>", "text within <svg>"),
        ("<svg ", '<svg onload="alert(1)" ', "<svg onload='alert(1)'>"),
        ("<svg ", '<svg xml:base="https://a.example/" ', "<svg base="),
        ('<g id="figure_1"', '<g onclick="x()" id="figure_1"', "<g onclick='x()'>"),
        ('<g id="figure_1"', '<g style="fill: url(https://a.example)" id="f"', "<g style='fill:"),
        ('<g id="figure_1"', '<g style="fill: \\75rl(#x)" id="f"', "<g style='fill:"),
        ('<g id="figure_1"', '<g clip-path="url(https://a.example#x)" id="f"', "<g clip-path="),
        ("*{stroke", "@import 'https://a.example/x.css';*{stroke", "text within <style>"),
        ("*{stroke", "*{background: url(//a.example)}*{stroke", "text within <style>"),
        ('xlink:href="#', 'xlink:href="https://a.example/x.svg#', "<use href="),
        ('xlink:href="#', 'xlink:href="#figure_1', "a use of what is no path"),
        ("<svg ", '<?xml-stylesheet href="https://a.example/x.css"?><svg ', "<?xml-stylesheet>"),
        (DOCTYPE, BOMB, "another document type"),
        (DOCTYPE, '<!DOCTYPE svg SYSTEM "file:///etc/passwd">', "another document type"),
        ('encoding="utf-8"', 'encoding="utf-7"', "another declaration of XML"),
        ("</metadata>", "</metadata><metadata/><title>EER 0 %</title>", "other data"),
        ("</svg>", "", "no element found"),
    ],
)
def test_what_no_drawing_of_ours_makes_is_named(
    tmp_path: Path, mark: str, instead: str, said: str
) -> None:
    assert mark in PICTURE
    path = tmp_path / "plot.svg"
    path.write_text(PICTURE.replace(mark, instead, 1))
    assert said in wrong_plot(path, DATA)


@settings(max_examples=60, deadline=None)
@given(which=st.integers(0, len(COORDINATES) - 1), by=st.sampled_from([-40.0, -0.002, 0.002, 3.0]))
def test_a_coordinate_that_was_moved_under_intact_data_is_named(
    tmp_path_factory: pytest.TempPathFactory, which: int, by: float
) -> None:
    path = tmp_path_factory.mktemp("moved") / "plot.svg"
    start, end = (DRAWN_FROM + place for place in COORDINATES[which].span())
    path.write_text(f"{PICTURE[:start]}{float(PICTURE[start:end]) + by:.6f}{PICTURE[end:]}")
    assert "not drawn as Matplotlib" in wrong_plot(path, DATA)


def test_a_mark_that_is_taken_out_coloured_or_drawn_twice_is_named(tmp_path: Path) -> None:
    path, mark = tmp_path / "plot.svg", re.search(r"<use [^>]*/>", PICTURE)
    assert mark
    for instead in ("", mark[0] * 2, mark[0].replace("stroke: #", "stroke: #f")):
        path.write_text(PICTURE.replace(mark[0], instead, 1))
        assert "not drawn as Matplotlib" in wrong_plot(path, DATA)


def test_rounding_of_another_machine_and_names_made_of_it_are_no_difference(tmp_path: Path) -> None:
    path, clip = tmp_path / "plot.svg", re.search(r'clipPath id="(p[0-9a-f]{10})"', PICTURE)
    assert clip
    start, end = (DRAWN_FROM + place for place in COORDINATES[0].span())
    near = f"{float(PICTURE[start:end]) + 1e-6:.6f}"
    path.write_text((PICTURE[:start] + near + PICTURE[end:]).replace(clip[1], "p0123456789"))
    assert wrong_plot(path, DATA) == ""


@settings(max_examples=40)
@given(place=st.integers(0, len(PICTURE)), text=st.text("<>&;'\"/#x :()=!-[]", max_size=12))
def test_what_is_inserted_anywhere_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, place: int, text: str
) -> None:
    path = tmp_path_factory.mktemp("drawn") / "plot.svg"
    path.write_text(PICTURE[:place] + text + PICTURE[place:])
    wrong_plot(path, DATA)


@pytest.mark.parametrize("content", [b"", b"\0", b"<svg/>", b"\xff\xfe<\0", b"<" * 100_000])
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plot.svg"
    assert wrong_plot(path, DATA) == "missing"
    path.write_bytes(content)
    assert "holds what no drawing of ours does" in wrong_plot(path, DATA)


def test_a_picture_that_was_drawn_here_is_of_our_drawing(tmp_path: Path) -> None:
    write_plot(tmp_path / "plot.svg", DATA)
    assert wrong_plot(tmp_path / "plot.svg", DATA) == ""
