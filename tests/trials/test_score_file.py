"""read_scores(): joined by pair whatever the order, and everything that keeps it from joining."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RequestError
from harness.trials.score_file import read_scores
from harness.trials.text_lines import ScoreFileError
from harness.trials.trial_list import TrialList, read_trials

PAIRS = [(enrol, test) for enrol in ("m1", "m2", "3") for test in ("t1", "2", "t3", "m1")]
LABEL = {pair: place % 3 == 0 for place, pair in enumerate(PAIRS)}
SCORE = {pair: place / 7 - 0.3 for place, pair in enumerate(PAIRS)}


def put(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> TrialList:
    lines = [f"{enrol} {test} {int(LABEL[enrol, test])}" for enrol, test in PAIRS]
    return read_trials(put(tmp_path_factory.mktemp("list") / "trials.txt", lines))


def score_lines(pairs: list[tuple[str, str]] = PAIRS) -> list[str]:
    return [f"{enrol} {test} {SCORE[enrol, test]!r}" for enrol, test in pairs]


def refused(path: Path, lines: list[str], trials: TrialList) -> str:
    with pytest.raises(ScoreFileError) as stopped:
        read_scores(put(path, lines), trials)
    message = str(stopped.value)
    assert str(path) in message
    assert str(trials.path) in message
    return message


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("separator", [" ", "\t", ",", "  \t"])
@pytest.mark.parametrize(
    "layout", ["{e} {t} {s}", "{s} {e} {t}", "{e} {t} {s} {label}", "{e} {t} {label} {s}"]
)
@pytest.mark.parametrize("words", [("0", "1"), ("nontarget", "target")])
def test_every_way_to_write_scores(tmp_path, trials, words, layout, separator, packed):
    lines = [
        layout.format(e=e, t=t, s=SCORE[e, t], label=words[LABEL[e, t]]) for e, t in PAIRS[::-1]
    ]
    content = "\r\n".join(lines).replace(" ", separator).encode()
    path = tmp_path / "scores"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert read_scores(path, trials).scores.tolist() == [SCORE[pair] for pair in PAIRS]


@given(order=st.permutations(PAIRS))
def test_any_order_gives_the_same_scores(tmp_path_factory, trials, order):
    path = put(tmp_path_factory.mktemp("any") / "scores.txt", score_lines(order))
    joined = read_scores(path, trials)
    assert joined.scores.tolist() == [SCORE[pair] for pair in PAIRS]
    assert joined.trials is trials


def test_systems_share_one_list(tmp_path, trials):
    paths = [put(tmp_path / f"system{k}", score_lines()[k:] + score_lines()[:k]) for k in (0, 5)]
    first, second = (read_scores(path, trials) for path in paths)
    assert first.trials is second.trials
    assert first.scores.tolist() == second.scores.tolist()


def test_missing_unknown_and_repeated_lines_are_all_told(tmp_path, trials):
    lines = score_lines()
    lines[2], lines[7] = "m1 stranger 0.5", lines[0]
    lines += [lines[3], "nobody t1 0.5", lines[3]]
    message = refused(tmp_path / "scores.txt", lines, trials)
    assert (
        "3 lines of 15 repeated: line 8 (m1 t1) as line 1; line 13 (m1 m1) as line 4; "
        "line 15 (m1 m1) as line 4" in message
    )
    assert (
        "2 lines of 15 of no trial in the list: line 3 (m1 stranger); line 14 (nobody t1)"
        in message
    )
    assert "2 lines of 12 of the list without a score: line 3 (m1 t3); line 8 (m2 m1)" in message
    assert "test swapped" not in message


def test_many_missing_trials_are_counted_and_three_shown(tmp_path, trials):
    message = refused(tmp_path / "scores.txt", score_lines(PAIRS[:2] + PAIRS[9:]), trials)
    assert "7 lines of 12 of the list without a score: line 3 (m1 t3); line 4" in message
    assert "line 5 (m2 t1); and 4 more" in message


def test_known_names_in_an_unlisted_pair_are_unknown(tmp_path):
    short = read_trials(put(tmp_path / "short.txt", ["a x 1", "b y 0"]))
    message = refused(tmp_path / "scores.txt", ["b y 0.1", "a x 0.3", "a y 0.2"], short)
    assert "1 line of 3 of no trial in the list: line 3 (a y)" in message
    assert "without a score" not in message


def test_swapped_columns_are_hinted_at(tmp_path, trials):
    lines = [f"{test} {enrol} {SCORE[enrol, test]!r}" for enrol, test in PAIRS]
    assert "with enrol and test swapped" in refused(tmp_path / "scores.txt", lines, trials)
    lines[5] = "m2 t9 0.5"
    assert "test swapped" not in refused(tmp_path / "scores.txt", lines, trials)


def test_a_swapped_list_that_is_no_product_is_hinted_at_too(tmp_path):
    trials = read_trials(put(tmp_path / "few.txt", ["a x 1", "b y 0", "c z 0"]))
    lines = ["z c 0.3", "x a 0.1", "y b 0.2"]
    assert "with enrol and test swapped" in refused(tmp_path / "scores.txt", lines, trials)
    lines = ["z c 0.3", "x a 0.1", "x b 0.2"]
    assert "test swapped" not in refused(tmp_path / "scores.txt", lines, trials)


def test_labels_are_held_against_the_list(tmp_path, trials):
    lines = [f"{line} {int(LABEL[pair])}" for line, pair in zip(score_lines(), PAIRS, strict=True)]
    lines[4] = f"{lines[4][:-1]}1"
    lines[9] = f"{lines[9][:-1]}0"
    message = refused(tmp_path / "same_order.txt", lines, trials)
    assert "2 lines of 12 have another label" in message
    assert "line 5 (m2 t1), line 5 of the list; line 10 (3 2), line 10 of the list" in message
    message = refused(tmp_path / "reversed.txt", lines[::-1], trials)
    assert "line 3 (3 2), line 10 of the list; line 8 (m2 t1), line 5 of the list" in message


def test_without_a_list_the_labels_of_the_score_file_serve(tmp_path):
    lines = ["a x 0.5 target", "a y -0.5 nontarget", "b x 0.25 nontarget"]
    joined = read_scores(put(tmp_path / "scores.txt", lines))
    assert joined.scores.tolist() == [0.5, -0.5, 0.25]
    assert joined.trials.is_target.tolist() == [True, False, False]
    assert joined.trials.pair(2) == ("b", "x")
    with pytest.raises(ScoreFileError, match=r"has no labels .* give its trial list"):
        read_scores(put(tmp_path / "plain.txt", ["a x 0.5", "b x 0.1"]))
    with pytest.raises(ScoreFileError, match=r"1 line of 4 repeat a trial.*line 4 \(a x\)"):
        read_scores(put(tmp_path / "again.txt", [*lines, lines[0]]))


def test_unreadable_scores_stop_with_their_lines(tmp_path, trials):
    lines = score_lines()
    lines[1], lines[10] = "m1 2 nan", "3 t3 inf"
    with pytest.raises(ScoreFileError) as stopped:
        read_scores(put(tmp_path / "scores.txt", lines), trials)
    assert "2 of 12 lines cannot be read" in str(stopped.value)
    assert "line 2 ('m1 2 nan'): score 'nan' is not a finite number; line 11" in str(stopped.value)


def test_the_list_given_as_scores_is_refused(tmp_path, trials):
    with pytest.raises(ScoreFileError, match="all 0 or 1, like the labels"):
        read_scores(trials.path, trials)
    hard = read_scores(trials.path, trials, layout="enrol test score")
    assert hard.scores.tolist() == trials.is_target.astype(float).tolist()
    with pytest.raises(RequestError, match="is not known"):
        read_scores(trials.path, trials, layout="enrol test label")


def test_a_larger_file_agrees_with_a_dictionary(tmp_path):
    rng = random.Random(0)
    pairs = [(f"m{i}", f"t{j}") for i in range(40) for j in range(200) if rng.random() < 0.7]
    wanted = {pair: rng.gauss(0, 1) for pair in pairs}
    labels = {pair: rng.random() < 0.1 for pair in pairs}
    listing = put(tmp_path / "list", [f"{int(labels[e, t])} {e} {t}" for e, t in pairs])
    shuffled = rng.sample(pairs, len(pairs))
    scores = put(tmp_path / "scores", [f"{e} {t} {wanted[e, t]!r}" for e, t in shuffled])
    trials = read_trials(listing)
    joined = read_scores(scores, trials)
    assert [trials.pair(i) for i in range(len(trials))] == pairs
    assert joined.scores.tolist() == [wanted[pair] for pair in pairs]
