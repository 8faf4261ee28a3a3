"""parse_fast() against parse_lines(), and both against the fields that were written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.trials.formats import SCORE_LAYOUTS, SPEAKER_LAYOUTS, TRIAL_LAYOUTS, Format
from harness.trials.parsing import Columns, Numbering, parse_fast, parse_lines
from harness.trials.text_lines import LineBlock, LineErrors

LAYOUTS = (*TRIAL_LAYOUTS, *SCORE_LAYOUTS, *SPEAKER_LAYOUTS)
FORMS = st.builds(Format, st.sampled_from(LAYOUTS), st.sampled_from([" ", "\t", ","]))
NAMES = ["a", "007", "7", "NA", "é", '"q', "true", "#1"]
QUIRKS = [
    *("a", "007", "7", "1", "0", "0.5", "-1e-3", "1e400", "nan", "-inf", "TRUE", "False", "NA", ""),
    *('"q"', "'", "#", "\\", "1_0", "0x10", "1e", ".", "5.", "+.5", "é", "\u00a0", "\x01", "\x1f"),
    *(" ", "  ", "\t", ",", "\r", "\v", "\0", "2020-01-01", "٣", "1,5"),
]


def numberings(form: Format) -> dict[str, Numbering]:
    return {name: Numbering() for name in form.columns} | {"label": Numbering(form.labels)}


def decoded(columns: Columns, numbers: Mapping[str, Numbering]) -> dict[str, list[object]]:
    names = {name: list(numbers[name]) for name in columns if name != "score"}
    found = {name: [names[name][i] for i in columns[name]] for name in names}
    return {**found, "score": columns.get("score", np.empty(0)).tolist()}


def slowly(block: LineBlock, form: Format) -> tuple[dict[str, list[object]], LineErrors]:
    numbers, errors = numberings(form), LineErrors(Path("f"))
    return decoded(parse_lines(block, form, numbers, errors), numbers), errors


def fast(block: LineBlock, form: Format) -> dict[str, list[object]] | None:
    numbers = numberings(form)
    columns = parse_fast(block, form, numbers)
    return None if columns is None else decoded(columns, numbers)


def value(draw: st.DrawFn, column: str) -> str:
    if column == "score":
        return repr(draw(st.floats(allow_nan=False, allow_infinity=False)))
    return draw(st.sampled_from(["0", "1"] if column == "label" else NAMES))


@st.composite
def regular(draw: st.DrawFn) -> tuple[LineBlock, Format, list[list[str]]]:
    form = draw(FORMS)
    count = draw(st.integers(1, 6))
    rows = [[value(draw, name) for name in form.columns] for _ in range(count)]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = "".join(form.separator.join(row) + end for row in rows)
    return LineBlock.starting_at(1, text.encode()), form, rows


@st.composite
def quirky(draw: st.DrawFn) -> tuple[LineBlock, Format]:
    form = draw(FORMS)
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        fields = [value(draw, name) for name in form.columns]
        if draw(st.booleans()):
            fields[draw(st.integers(0, len(fields) - 1))] = draw(st.sampled_from(QUIRKS))
        lines.append(form.separator.join(fields[: draw(st.integers(0, 9)) or None]))
    text = "".join(line + draw(st.sampled_from(["\n", "\r\n", " \n", " x\n"])) for line in lines)
    return LineBlock.starting_at(1, text.encode()), form


@given(regular())
def test_regular_lines_are_read_fast_and_right(case):
    block, form, rows = case
    wanted: dict[str, list[object]] = {
        name: [row[place] for row in rows] for place, name in enumerate(form.columns)
    }
    wanted["score"] = [float(str(score)) for score in wanted.get("score", [])]
    assert fast(block, form) == wanted
    found, errors = slowly(block, form)
    assert found == wanted
    assert errors.count == 0


@settings(max_examples=300, deadline=None)
@given(quirky())
def test_what_is_read_fast_is_read_slowly_the_same_without_complaint(case):
    block, form = case
    quick = fast(block, form)
    found, errors = slowly(block, form)
    if quick is not None:
        assert errors.count == 0
        assert quick == found


@pytest.mark.parametrize("text", ["a x 1e400", "a x TRUE", "a x 0.5 y", "a x", "a  0.5"])
def test_every_line_is_accounted_for(text):
    form = Format("enrol test score", " ")
    block = LineBlock.starting_at(8, f"{text}\nb y 0.5\n{text}\n".encode())
    assert fast(block, form) is None
    found, errors = slowly(block, form)
    assert found == {"enrol": ["b"], "test": ["y"], "score": [0.5]}
    assert errors.count == 2
    assert errors.examples[0].startswith(f"line 8 ({text!r}): ")
    assert errors.examples[1].startswith("line 10 ")


@pytest.mark.parametrize(
    ("layout", "separator", "line"),
    [
        ("score enrol test", " ", "0.5 a"),
        ("score enrol test", " ", ""),
        ("score enrol test", ",", "0.5,,x"),
        ("enrol test score", ",", "a, ,0.5"),
        ("enrol test score", " ", "TRUE x 1 0.5"),
        ("enrol test score", " ", "\x01 x 0.5"),
        ("enrol test label", " ", "a x 01"),
        ("enrol test label", " ", "a x"),
        ("utterance speaker", "\t", "a"),
    ],
)
@pytest.mark.parametrize("before", [0, 1])
def test_lines_that_the_fast_reader_must_not_take(layout, separator, line, before):
    form = Format(layout, separator)
    fine = {"score": "0.5", "label": "1"}
    good = separator.join(fine.get(name, "n") for name in form.columns)
    block = LineBlock.starting_at(
        1, "".join(f"{text}\n" for text in [good] * before + [line, good]).encode()
    )
    assert fast(block, form) is None
    _, errors = slowly(block, form)
    assert errors.count == 1
    assert errors.examples[0].startswith(f"line {before + 1} (")
