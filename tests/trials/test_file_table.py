"""read_table(): whole files, their bad lines by number, and one numbering for all blocks."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from harness.trials.file_table import read_table
from harness.trials.formats import SCORE_LAYOUTS, TRIAL_LAYOUTS
from harness.trials.text_lines import ScoreFileError

BAD = {
    3: ("a z", "2 columns, want 3"),
    5: ("a z nan", "score 'nan' is not a finite number"),
    6: ("a z -inf", "score '-inf' is not a finite number"),
    9: ("a z 1_000", "score '1_000' is not a finite number"),
    11: ("", "a blank line before the end"),
    14: ("a\0 z 0.5", "holds a control character"),
}


@pytest.mark.parametrize("size", [8, 1 << 20])
def test_bad_lines_are_counted_with_their_numbers(tmp_path, size):
    lines = [BAD[number][0] if number in BAD else f"a y{number} 0.5" for number in range(1, 31)]
    path = tmp_path / "scores.txt"
    path.write_text("\n".join(lines) + "\n\n\n", encoding="utf-8")
    with pytest.raises(ScoreFileError) as stopped:
        read_table(path, ("enrol test score",), size=size)
    message = str(stopped.value)
    assert f"{path}: 6 of 30 lines cannot be read as 'enrol test score'" in message
    for number in (3, 5, 6):
        line, why = BAD[number]
        assert f"line {number} ({line!r}): {why}" in message
    assert "and 3 more" in message
    assert "line 9" not in message


@pytest.mark.parametrize(("number", "why"), list(BAD.items()))
def test_each_kind_of_bad_line_says_why(tmp_path, number, why):
    path = tmp_path / "scores.txt"
    lines = [f"a y{line} 0.5" for line in range(1, 20)]
    lines[number - 1] = why[0]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ScoreFileError, match="1 of 19 lines") as stopped:
        read_table(path, SCORE_LAYOUTS)
    assert f"line {number} (" in str(stopped.value)
    assert why[1] in str(stopped.value)


@pytest.mark.parametrize(
    "text",
    [
        "enroll,test,score\na,x,0.5\na,y,0.25\n",
        "modelid\tsegmentid\tside\tLLR\r\na\tx\ta\t0.5\r\na\ty\ta\t0.25\r\n",
        "modelid\tsegmentid\tLLR\na\tx\t0.5\na\ty\t0.25\n",
        'Score;"Enrol";"Test"\n0.5;"a";"x"\n0.25;"a";"y"\n',
        "notes,test,,score,model\n,x,7,0.5,a\nlate,y,8,0.25,a\n",
        '"enrol" "test" "score"\n"a" "x" 0.5\n"a" "y" 0.25\n',
    ],
)
@pytest.mark.parametrize("size", [9, 1 << 20])
def test_a_header_names_the_columns(tmp_path, text, size):
    path = tmp_path / "scores.csv"
    path.write_text(text, encoding="utf-8", newline="")
    table = read_table(path, SCORE_LAYOUTS, size=size)
    assert [table.names["enrol"][code] for code in table.codes["enrol"]] == ["a", "a"]
    assert [table.names["test"][code] for code in table.codes["test"]] == ["x", "y"]
    assert table.scores.tolist() == [0.5, 0.25]
    assert set(table.codes) == {"enrol", "test"}


@pytest.mark.parametrize("header", ["", "enrol test score\n"])
def test_lines_are_counted_from_the_first_of_the_file(tmp_path, header):
    path = tmp_path / "scores.txt"
    path.write_text(f"{header}a x 0.5\na y ?\na z 0.25\nb z 1.5\n", encoding="utf-8")
    line = 3 if header else 2
    with pytest.raises(ScoreFileError, match=rf"line {line} \('a y \?'\)"):
        read_table(path, SCORE_LAYOUTS)


@pytest.mark.parametrize(
    ("header", "layouts", "message"),
    [
        ("modelid\tsegmentid\tside", SCORE_LAYOUTS, "that of trials without scores"),
        ("modelid\tsegmentid\tside\ttargettype", SCORE_LAYOUTS, "that of trials without scores"),
        ("modelid\tsegmentid\tside\tLLR", TRIAL_LAYOUTS, "trials without labels; give their key"),
        ("model\tmodelid\ttest\tscore", SCORE_LAYOUTS, "names the enrol twice"),
        ("score\tmodel\ttest", ("enrol test score",), "names the columns 'score enrol test'"),
        ("enrol\ttest\tscore", SCORE_LAYOUTS, "a header and no line below it"),
    ],
)
def test_a_header_that_does_not_do_is_called_by_its_name(tmp_path, header, layouts, message):
    path = tmp_path / "file"
    lines = [] if "no line below" in message else ["a\tx\ta\t0.5", "a\ty\ta\t0.25"]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    with pytest.raises(ScoreFileError, match=message):
        read_table(path, layouts)


def test_quotes_around_fields_are_no_part_of_them(tmp_path):
    rows = [("id, 1", "x;1", 0.5), ('a "b" c', "y", 0.25), ("plain", "z 9", -1.5)]
    path = tmp_path / "scores.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    table = read_table(path, SCORE_LAYOUTS)
    enrol = [table.names["enrol"][code] for code in table.codes["enrol"]]
    test = [table.names["test"][code] for code in table.codes["test"]]
    assert list(zip(enrol, test, table.scores.tolist(), strict=True)) == rows


def test_a_quote_within_a_name_is_part_of_it(tmp_path):
    path = tmp_path / "scores.txt"
    path.write_text('5"-reel x 0.5\n"q y 0.25\n', encoding="utf-8")
    assert tuple(sorted(read_table(path, SCORE_LAYOUTS).names["enrol"])) == ('"q', '5"-reel')


def test_only_the_first_line_can_be_a_header(tmp_path):
    path = tmp_path / "scores.txt"
    path.write_text("a x 0.5\na y 0.25\nenrol test score\n", encoding="utf-8")
    with pytest.raises(ScoreFileError, match=r"line 3 .*score 'score' is not a finite number"):
        read_table(path, SCORE_LAYOUTS)


def test_names_that_are_not_utf8_are_shown(tmp_path):
    path = tmp_path / "scores.txt"
    path.write_bytes(b"a x 0.5\ncaf\xe9 y 0.5\nb z 0.5\n")
    with pytest.raises(ScoreFileError, match=r"line 2 .*name 'caf\\\\xe9' is not UTF-8"):
        read_table(path, SCORE_LAYOUTS)


@pytest.mark.parametrize("size", [5, 64, 1 << 20])
def test_blocks_share_one_numbering(tmp_path, size):
    rows = [(f"m{i % 3}", f"t{i % 7}", i / 8 + 0.1) for i in range(50)]
    path = tmp_path / "scores.txt"
    path.write_text("".join(f"{e} {t} {s}\n" for e, t, s in rows), encoding="utf-8")
    table = read_table(
        path, SCORE_LAYOUTS, known={"enrol": ("m2",), "test": ("t5", "other")}, size=size
    )
    assert table.names["enrol"][0] == "m2"
    assert table.names["test"][:2] == ("t5", "other")
    enrol = [table.names["enrol"][code] for code in table.codes["enrol"]]
    test = [table.names["test"][code] for code in table.codes["test"]]
    assert list(zip(enrol, test, table.scores.tolist(), strict=True)) == rows
    assert len(table) == 50
    assert table.scores.dtype == np.float64


def test_scores_are_read_to_the_last_digit(tmp_path):
    scores = np.random.default_rng(0).normal(size=2000) * 10.0 ** np.arange(-20, 20).repeat(50)
    path = tmp_path / "scores.txt"
    path.write_text("".join(f"m t{i} {s!r}\n" for i, s in enumerate(scores.tolist())))
    assert read_table(path, SCORE_LAYOUTS).scores.tolist() == scores.tolist()
