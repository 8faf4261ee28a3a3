"""read_trials(): every layout and separator, plain and gzip, and lists that are wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RequestError
from harness.trials.text_lines import ScoreFileError
from harness.trials.trial_list import TrialList, find_repeats, pair_keys, read_trials

ROWS = [
    ("id00800-enroll", "test/id00800-singing-01-002.wav", True),
    ("id00800-enroll", "test/id00999-singing-01-002.wav", False),
    ("id00999-enroll", "test/id00999-singing-01-002.wav", True),
    ("007", "7", False),
]


def spelled(trials: TrialList) -> list[tuple[str, str, bool]]:
    return [(*trials.pair(i), bool(target)) for i, target in enumerate(trials.is_target)]


def written(path: Path, lines: list[str], separator: str = " ", end: str = "\n") -> Path:
    text = end.join(line.replace(" ", separator) for line in lines) + end
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("separator", [" ", "\t", ","])
@pytest.mark.parametrize("order", ["{e} {t} {label}", "{label} {e} {t}"])
@pytest.mark.parametrize("words", [("0", "1"), ("nontarget", "target")])
def test_every_way_to_write_a_list(tmp_path, words, order, separator, end, packed):
    lines = [order.format(e=e, t=t, label=words[target]) for e, t, target in ROWS]
    text = ("\n".join(lines) + "\n").replace(" ", separator).replace("\n", end)
    if end == "\n\n":  # a blank line is none of the list's only at its end
        text = "\n".join(lines).replace(" ", separator) + end
    content = b"\xef\xbb\xbf" + text.encode()
    path = tmp_path / "trials"
    path.write_bytes(gzip.compress(content) if packed else content)
    trials = read_trials(path)
    assert spelled(trials) == ROWS
    assert len(trials) == 4
    assert set(trials.enrol_names) == {"id00800-enroll", "id00999-enroll", "007"}
    assert trials.describe(2) == "line 3 (id00999-enroll test/id00999-singing-01-002.wav)"


def test_names_of_zero_and_one_need_the_layout(tmp_path):
    path = written(tmp_path / "trials", ["0 x 1", "1 y 0", "0 z 0"])
    with pytest.raises(ScoreFileError, match="'enrol test label' or as 'label enrol test'"):
        read_trials(path)
    front = read_trials(path, layout="label enrol test")
    assert spelled(front) == [("x", "1", False), ("y", "0", True), ("z", "0", False)]
    back = read_trials(path, layout="enrol test label")
    assert spelled(back) == [("0", "x", True), ("1", "y", False), ("0", "z", False)]
    with pytest.raises(RequestError, match="'enrol label test' is not known"):
        read_trials(path, layout="enrol label test")


def test_repeated_trials_stop_with_their_lines(tmp_path):
    lines = ["a x 1", "a y 0", "b x 0", "a x 1", "a y 1", "x a 0", "a x 1"]
    with pytest.raises(ScoreFileError) as stopped:
        read_trials(written(tmp_path / "trials", lines))
    message = str(stopped.value)
    assert "3 lines of 7 repeat a trial, 1 of them with the other label" in message
    assert "line 4 (a x) as line 1; line 5 (a y) as line 2; line 7 (a x) as line 1" in message


def test_labels_of_two_kinds_do_not_mix(tmp_path):
    lines = ["a x target", "a y nontarget", "b x 0", "b y target"]
    with pytest.raises(ScoreFileError, match=r"line 3 .* label '0', want nontarget or target"):
        read_trials(written(tmp_path / "trials", lines))


@pytest.mark.parametrize(("label", "word"), [("1", "target"), ("0", "nontarget")])
def test_a_list_of_one_label_is_refused(tmp_path, label, word):
    path = written(tmp_path / "trials", [f"a x {label}", f"b y {label}"])
    with pytest.raises(ScoreFileError, match=f"all 2 trials are {word};"):
        read_trials(path)


def test_a_blind_list_and_a_score_file_are_no_trial_list(tmp_path):
    with pytest.raises(ScoreFileError, match=r"line 1 \('a x'\)"):
        read_trials(written(tmp_path / "blind", ["a x", "b y"]))
    with pytest.raises(ScoreFileError, match="it reads as 'enrol test score'"):
        read_trials(written(tmp_path / "scores", ["a x 0.5", "b y 0.1"]))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_repeats_are_those_that_stood_before(values):
    places, firsts = find_repeats(np.array(values))
    wanted = [(i, values.index(v)) for i, v in enumerate(values) if v in values[:i]]
    assert list(zip(places.tolist(), firsts.tolist(), strict=True)) == wanted


@given(st.lists(st.tuples(*[st.integers(0, 2**31 - 1)] * 2), unique=True, min_size=1))
def test_keys_differ_where_pairs_do(pairs):
    enrol, test = np.array(pairs, dtype=np.int32).T
    assert len(set(pair_keys(enrol, test).tolist())) == len(pairs)
