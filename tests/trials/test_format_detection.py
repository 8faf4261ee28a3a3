"""detect_format(): each layout by its content, and no guess where the content does not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import RequestError
from harness.trials.format_detection import detect_format
from harness.trials.formats import (
    DIGITS,
    LABELS,
    SCORE_LAYOUTS,
    TRIAL_LAYOUTS,
    WORDS,
    Format,
    select_layouts,
)
from harness.trials.text_lines import ScoreFileError

FILE = Path("some.file")


def told(text: str, layouts: tuple[str, ...], **names: set[str]) -> Format:
    return detect_format(text.encode().split(b"\n"), layouts, FILE, names=names)


@pytest.mark.parametrize("separator", [" ", "\t", ","])
@pytest.mark.parametrize(
    ("lines", "layout", "labels"),
    [
        (["a x 1", "b x 0"], "enrol test label", DIGITS),
        (["a x target", "b x nontarget"], "enrol test label", WORDS),
        (["1 a x", "0 b x"], "label enrol test", DIGITS),
        (["target a x", "nontarget b x"], "label enrol test", WORDS),
        (["0 x 0", "1 17 1", "0 y 1", "2 z 1", "3 z 0"], "enrol test label", DIGITS),
    ],
)
def test_trial_layouts(lines, layout, labels, separator):
    text = "\n".join(lines).replace(" ", separator)
    assert told(text, TRIAL_LAYOUTS) == Format(layout, separator, labels)


@pytest.mark.parametrize("separator", [" ", "\t", ","])
@pytest.mark.parametrize(
    ("lines", "layout", "labels"),
    [
        (["a x 0.5", "b x -1e-3"], "enrol test score", DIGITS),
        (["a x 3", "b x -2"], "enrol test score", DIGITS),
        (["0.5 a x", ".1 b x"], "score enrol test", DIGITS),
        (["a x 0.5 1", "b x 1 0"], "enrol test score label", DIGITS),
        (["a x 0.5 target", "b x 1 nontarget"], "enrol test score label", WORDS),
        (["a x 1 0.5", "b x 0 1"], "enrol test label score", DIGITS),
        (["a x target 1", "b x nontarget 0.2"], "enrol test label score", WORDS),
        (["17 18 0.5", "18 19 2"], "enrol test score", DIGITS),
        (["0.5 17 18", "2 18 19"], "score enrol test", DIGITS),
        (["a x 0.5", "b x nan", "c x inf"], "enrol test score", DIGITS),
    ],
)
def test_score_layouts(lines, layout, labels, separator):
    text = "\n".join(lines).replace(" ", separator)
    assert told(text, SCORE_LAYOUTS) == Format(layout, separator, labels)


def test_known_names_tell_where_all_columns_are_numbers():
    text = "17 18 3\n18 19 4"
    with pytest.raises(
        ScoreFileError, match=r"'enrol test score' or as 'score enrol test'.*layout"
    ):
        told(text, SCORE_LAYOUTS)
    left = told(text, SCORE_LAYOUTS, enrol={"17", "18"}, test={"18", "19"})
    assert left.layout == "enrol test score"
    right = told(text, SCORE_LAYOUTS, enrol={"18", "19"}, test={"3", "4"})
    assert right.layout == "score enrol test"


def test_known_names_come_before_fractions():
    text = "1.5 18 3\n2.5 19 4"
    assert told(text, SCORE_LAYOUTS).layout == "score enrol test"
    names = {"enrol": {"1.5", "2.5"}, "test": {"18", "19"}}
    assert told(text, SCORE_LAYOUTS, **names).layout == "enrol test score"


@pytest.mark.parametrize(
    ("text", "layouts"),
    [
        ("0 x 1\n1 y 0", TRIAL_LAYOUTS),
        ("a x 1 0\na y 0 1", SCORE_LAYOUTS),
        ("1 2 3\n4 5 6", SCORE_LAYOUTS),
    ],
)
def test_ambiguous_files_are_refused_unless_the_layout_is_given(text, layouts):
    with pytest.raises(ScoreFileError, match=r"can be read as .* giving the layout"):
        told(text, layouts)
    for layout in layouts:
        if len(layout.split()) == len(text.split("\n")[0].split()):
            assert told(text, (layout,)).layout == layout


def test_a_trial_list_is_not_taken_for_scores():
    with pytest.raises(ScoreFileError, match="all 0 or 1, like the labels"):
        told("a x 1\na y 0", SCORE_LAYOUTS)
    assert told("a x 1\na y 0", ("enrol test score",)).layout == "enrol test score"
    with pytest.raises(ScoreFileError, match="it reads as 'enrol test label'"):
        told("a x target\na y nontarget", SCORE_LAYOUTS)


@pytest.mark.parametrize(
    "text", ["a x\nb y", "a x 0.5\nb y 0.6", "a x male\nb x male", "a x 1 1 1"]
)
def test_files_of_no_trial_layout_are_refused(text):
    with pytest.raises(ScoreFileError, match=r"line 1 \('a x.*none of the layouts"):
        told(text, TRIAL_LAYOUTS)


def test_few_bad_lines_do_not_hide_the_layout():
    assert told("enrol test label\na x 1\na y 0\n??", ("enrol test label",)).separator == " "
    assert told("enrol,test,score\na,x,.1\na,y,.2", SCORE_LAYOUTS).layout == "enrol test score"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("my model\tx\t0.5\nyour model\ty\t0.6", Format("enrol test score", "\t")),
        ("my model, x, 0.5\nyour model, y, 0.6", Format("enrol test score", ",")),
        ("a,1 x,1 0.5\nb,1 y,1 0.6", Format("enrol test score", " ")),
        ("a \t x  0.5\nb y\t0.6", Format("enrol test score", " ")),
    ],
)
def test_separator_is_the_one_that_gives_a_layout(text, form):
    assert told(text, SCORE_LAYOUTS) == form


@pytest.mark.parametrize("separator", [" ", "\t", ",", ";"])
@pytest.mark.parametrize(("no", "yes"), LABELS)
def test_every_pair_of_labels_in_either_place(no, yes, separator):
    for layout, line in (("enrol test label", "{n} x {v}"), ("label enrol test", "{v} {n} x")):
        text = "\n".join(line.format(n=f"m{n}", v=v) for n, v in enumerate([yes, no, no, yes]))
        form = told(text.replace(" ", separator), TRIAL_LAYOUTS)
        assert form == Format(layout, separator, (no, yes))


@pytest.mark.parametrize(
    ("text", "layouts"),
    [
        ("a x 1 -1\na y -1 1", SCORE_LAYOUTS),
        ("a x 1 1\na y -1 0\na z -1 1", SCORE_LAYOUTS),
        ("a x 0.0 1.0\na y 1.0 0.0", SCORE_LAYOUTS),
        ("1 x -1\n-1 y 1", TRIAL_LAYOUTS),
        ("true x false\nfalse y true", TRIAL_LAYOUTS),
    ],
)
def test_labels_that_may_be_scores_or_names_are_not_guessed(text, layouts):
    with pytest.raises(ScoreFileError, match=r"can be read as .* giving the layout"):
        told(text, layouts)


@pytest.mark.parametrize("text", ["a x 1\na y -1", "-1 a x\n1 a y", "a;x;-1\na;y;1"])
def test_signs_alone_are_not_taken_for_scores(text):
    with pytest.raises(ScoreFileError, match="all -1 or 1, like the labels"):
        told(text, SCORE_LAYOUTS)


def test_labels_beside_scores():
    told_labels = {
        text: told(text, SCORE_LAYOUTS)
        for text in ("a x 0.7 1\nb x -0.2 -1", "a x imp 3\nb x tgt 4", "a,x,0.1,False\nb,x,2,True")
    }
    assert [(form.layout, form.labels) for form in told_labels.values()] == [
        ("enrol test score label", ("-1", "1")),
        ("enrol test label score", ("imp", "tgt")),
        ("enrol test score label", ("False", "True")),
    ]


def test_decimal_commas_are_called_so():
    with pytest.raises(ScoreFileError, match="write decimal points, not commas"):
        told("a;x;0,5\nb;x;1,5", SCORE_LAYOUTS)


def test_line_ends_of_old_macs_are_called_so():
    with pytest.raises(ScoreFileError, match=r"end in .r alone"):
        told("a x 0.5\ra y 0.6\rb x 0.7", SCORE_LAYOUTS)


def test_unknown_layout_names_those_that_are_known():
    with pytest.raises(RequestError, match=r"'test enrol label' is not known.*'label enrol test'"):
        select_layouts("test enrol label", TRIAL_LAYOUTS)
