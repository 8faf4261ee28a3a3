"""A corpus's trial list is read in full, or refused with its lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import DataError
from harness.trials import trial_list
from harness.trials.text_lines import read_blocks
from harness.trials.trial_list import read_corpus_trials, word_column

GOOD = ["m1 test/a.wav 1", "m1 test/b.wav 0", "m2 test/a.wav 0", "m2 test/b.wav 1"]
PAIRS = [("m1", "test/a.wav"), ("m1", "test/b.wav"), ("m2", "test/a.wav"), ("m2", "test/b.wav")]


def read(tmp_path, text, layout="enrol test label"):
    path = tmp_path / "trials.lst"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_corpus_trials(path, layout)


def pairs(trials):
    enrol = [trials.enrol_names[code] for code in trials.enrol]
    return list(zip(enrol, (trials.test_names[code] for code in trials.test), strict=True))


def refused(tmp_path, text, message, **options):
    with pytest.raises(DataError, match=rf"trials\.lst: {message}"):
        read(tmp_path, text, **options)


def test_every_line_is_a_trial(tmp_path):
    trials = read(tmp_path, "\n".join(GOOD) + "\n")
    assert pairs(trials) == PAIRS
    assert trials.is_target.tolist() == [True, False, False, True]
    assert list(trials.lines) == [1, 2, 3, 4]


def test_the_label_may_come_first(tmp_path):
    trials = read(tmp_path, "1 a/1.wav b/1.wav\n0 b/1.wav a/1.wav\n", "label enrol test")
    assert pairs(trials) == [("a/1.wav", "b/1.wav"), ("b/1.wav", "a/1.wav")]
    assert trials.is_target.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("\r\n".join(GOOD) + "\r\n", [1, 2, 3, 4]),
        ("\ufeff" + "\n".join(GOOD), [1, 2, 3, 4]),
        (" \t\n".join(GOOD) + "  \n\n \n", [1, 2, 3, 4]),
        ("\n" + "\n\n".join(GOOD), [2, 4, 6, 8]),
        ("\n".join([*GOOD[:2], " ", "\t", *GOOD[2:]]), [1, 2, 5, 6]),
        ("\r\n\r\n".join(GOOD).replace(" ", "\t"), [1, 3, 5, 7]),
    ],
)
def test_blanks_and_line_ends_are_no_part_of_a_list(tmp_path, text, lines):
    trials = read(tmp_path, text)
    assert pairs(trials) == PAIRS
    assert list(trials.lines) == lines


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("m1 test/c.wav", "2 columns, want 3"),
        ("m1 test/c.wav 1 x", "4 columns, want 3"),
        ("m1 test/c.wav 2", "label '2', want 0 or 1"),
        ("m1 test/c.wav target", "label 'target', want 0 or 1"),
        ("m1 test/\0.wav 1", "holds a control character"),
    ],
)
@pytest.mark.parametrize("blanks", ["", "\n\n"])
def test_an_unreadable_line(tmp_path, line, message, blanks):
    text = "\n".join([*GOOD[:2], blanks + line, *GOOD[2:]])
    refused(tmp_path, text, rf"1 of 5 lines.*line {3 + len(blanks)} \(.*{message}")


def test_no_list_or_nothing_in_it(tmp_path):
    with pytest.raises(DataError, match=r"absent\.lst: no such trial list; it comes with"):
        read_corpus_trials(tmp_path / "absent.lst", "enrol test label")
    refused(tmp_path, "", "is empty")
    refused(tmp_path, "\n \n", "is empty")


def test_a_trial_with_both_labels(tmp_path):
    text = "\n".join(["", *GOOD, "m1 test/b.wav 1"])
    refused(tmp_path, text, "1 of 5 trials stand there with the other label.*line 6 against line 3")


def test_a_trial_listed_twice_counts_twice(tmp_path):
    assert pairs(read(tmp_path, "\n".join([*GOOD, GOOD[0]]))) == [*PAIRS, PAIRS[0]]


def test_where_each_name_stands_first(tmp_path):
    text = "1 a b\n\n0 b c\n1 c a\n0 a c\n"
    first = read(tmp_path, text, "label enrol test").first_lines()
    assert first == {"a": 1, "b": 1, "c": 3}


def test_a_table_of_other_names(tmp_path):
    trials = read(tmp_path, "\n".join(GOOD))
    enrol, test = ([name.upper() for name in names] for names in (trials.enrol_names, "ab"))
    kinds = word_column(trials.test, ["song"] * 2)
    table = trials.table(enrol, test, kinds)
    assert table.to_numpy().tolist() == [
        ["M1", "A", True, "song"],
        ["M1", "B", False, "song"],
        ["M2", "A", False, "song"],
        ["M2", "B", True, "song"],
    ]


def test_models_that_nothing_enrols(tmp_path):
    trials = read(tmp_path, "\n\n".join(GOOD))
    trials.check_enrolled({"m1", "m2", "m3"}, "enroll.map")
    message = r"2 of 4 trials name models that enroll\.map does not have: line 5 \(m2\); line 7"
    with pytest.raises(DataError, match=message):
        trials.check_enrolled({"m1"}, "enroll.map")


def test_a_list_that_changed_is_read_again(tmp_path):
    assert len(read(tmp_path, "\n".join(GOOD))) == 4
    assert len(read(tmp_path, "\n".join(GOOD[:2]))) == 2


@settings(deadline=None)
@given(
    st.lists(st.tuples(*[st.sampled_from("abc")] * 2), min_size=1, max_size=20),
    st.lists(st.sampled_from(["\n", "\n\n", "\r\n", " \n \n"]), min_size=20, max_size=20),
    st.integers(1, 40),
)
def test_lists_in_small_blocks(tmp_path_factory, listed, ends, size):
    """Whatever is blank and wherever a block ends, the same trials stand in the same lines."""
    written = [f"{enrol} {test} {int(enrol == test)}" for enrol, test in listed]
    text = "".join(line + end for line, end in zip(written, ends, strict=False))
    path = tmp_path_factory.mktemp("lists") / "trials.lst"
    path.write_bytes(text.encode())
    lines = [n for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_list, "read_blocks", lambda path: read_blocks(path, size))
        trials = read_corpus_trials(path, "enrol test label")
    assert pairs(trials) == listed
    assert list(trials.lines) == lines


def test_words_may_repeat():
    assert word_column(np.array([1, 0, 2, 1]), ["song", "talk", "song"]).tolist() == [
        "talk",
        "song",
        "song",
        "talk",
    ]
