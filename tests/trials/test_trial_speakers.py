"""speakers_of(): from utt2spk, and from target trials against a flood fill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.scored_trials import ScoredTrials
from harness.trials.text_lines import ScoreFileError
from harness.trials.trial_list import TrialList, read_trials
from harness.trials.trial_speakers import NoSpeakers, Speakers, speakers_of

LINES = ["ann-1 a2 1", "ann-1 b1 0", "bob b1 1", "bob a2 0", "bob b2 1", "ann-1 b2 0"]
UTT2SPK = ["ann-1 ann", "a2 ann", "b1 bob", "b2 bob", "unused cat"]


def put(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def listed(folder: Path, lines: list[str]) -> TrialList:
    return read_trials(put(folder / "trials.txt", lines))


def found(trials: TrialList, utt2spk: Path | None = None) -> Speakers:
    speakers = speakers_of(trials, utt2spk)
    assert isinstance(speakers, Speakers)
    ScoredTrials(np.zeros(len(trials)), trials.is_target, speakers.enrol, speakers.test)  # agrees
    assert set(speakers.enrol.tolist()) | set(speakers.test.tolist()) == set(range(speakers.count))
    return speakers


def test_utt2spk_gives_the_speakers_that_occur(tmp_path):
    trials = listed(tmp_path, LINES)
    speakers = found(trials, put(tmp_path / "utt2spk", UTT2SPK))  # bob, a model, is a speaker's id
    assert (speakers.count, speakers.origin, speakers.note) == (2, "utt2spk", "")
    assert (speakers.enrol == speakers.enrol[0]).tolist() == [True, True, False, False, False, True]
    assert (speakers.test == speakers.enrol[0]).tolist() == [True, False, False, True, False, False]


def test_an_utterance_comes_before_a_speaker_of_its_name(tmp_path):
    trials = listed(tmp_path, ["ann b1 1", "ann a1 0"])
    speakers = found(trials, put(tmp_path / "utt2spk", ["ann bob", "b1 bob", "a1 ann"]))
    assert speakers.count == 2


def test_names_without_a_speaker_are_counted(tmp_path):
    trials = listed(tmp_path, [*LINES, "eve b2 0", "dan b2 0", "bob x1 0"])
    with pytest.raises(ScoreFileError) as stopped:
        speakers_of(trials, put(tmp_path / "utt2spk", UTT2SPK))
    assert "no speaker for 2 of 4 enrol names: 'dan'; 'eve'; add a line `dan" in str(stopped.value)
    # A test utterance is never taken for a speaker's id.
    trials = listed(tmp_path, [*LINES, "bob ann 0"])
    with pytest.raises(ScoreFileError, match="1 of 4 test names: 'ann'"):
        speakers_of(trials, put(tmp_path / "utt2spk", UTT2SPK))


def test_utt2spk_that_contradicts_labels_names_the_trials(tmp_path):
    trials = listed(tmp_path, [*LINES, "ann-1 a3 0"])
    lines = ["ann-1 ann", "a2 bob", "b1 bob", "b2 bob", "a3 ann"]
    with pytest.raises(ScoreFileError) as stopped:
        speakers_of(trials, put(tmp_path / "utt2spk", lines))
    message = str(stopped.value)
    assert "the labels of 3 trials of 7" in message
    assert "line 1 (ann-1 a2) is a target trial of two speakers" in message
    assert "line 4 (bob a2) is a nontarget trial of one speaker" in message
    assert "line 7 (ann-1 a3) is a nontarget trial of one speaker" in message


def test_utt2spk_that_repeats_an_utterance(tmp_path):
    path = put(tmp_path / "utt2spk", [*UTT2SPK, "b1 bob"])
    with pytest.raises(ScoreFileError, match=r"1 line of 6 repeat.*line 6 \(b1\) as line 3"):
        speakers_of(listed(tmp_path, LINES), path)


def test_utt2spk_of_another_shape(tmp_path):
    path = put(tmp_path / "utt2spk", [*UTT2SPK, "one two three"])
    with pytest.raises(ScoreFileError, match=r"1 of 6 lines .*line 6 .*3 columns, want 2"):
        speakers_of(listed(tmp_path, LINES), path)


def test_target_trials_join_speakers(tmp_path):
    speakers = found(listed(tmp_path, LINES))
    assert (speakers.count, speakers.origin, speakers.note) == (2, "target trials", "")


def test_one_name_on_both_sides_is_one_item(tmp_path):
    lines = ["a b 1", "b c 1", "d e 1", "a d 0", "c e 0"]
    assert found(listed(tmp_path, lines)).count == 2


def test_items_without_target_trials_are_told(tmp_path):
    one = found(listed(tmp_path, [*LINES, "bob z 0"]))
    assert one.count == 3
    assert one.note.startswith("1 of 6 names stands in no target trial and counts")
    two = found(listed(tmp_path, [*LINES, "bob z 0", "eve z 0"]))
    assert two.count == 4
    assert two.note.startswith("2 of 7 names stand in no target trial")
    assert two.note.endswith("the units may be finer than speakers")


def test_nontarget_trials_within_a_speaker_leave_no_speakers(tmp_path):
    lines = ["a x 1", "b x 1", "b y 1", "a y 0", "c x 0", "a a 0"]
    nothing = speakers_of(listed(tmp_path, lines))
    assert isinstance(nothing, NoSpeakers)
    assert nothing.reason.startswith("2 nontarget trials join items of one speaker")
    assert "line 4 (a y); line 6 (a a)" in nothing.reason
    single = speakers_of(listed(tmp_path, lines[:5]))
    assert isinstance(single, NoSpeakers)
    assert single.reason.startswith("1 nontarget trial joins items of one speaker")


def flooded(pairs: list[tuple[str, str]], start: str) -> set[str]:
    """All names that `start` reaches by pairs, one step after another."""
    reached = {start}
    while True:
        wider = reached | {name for pair in pairs if reached & set(pair) for name in pair}
        if wider == reached:
            return reached
        reached = wider


NAME = st.sampled_from("abcdefgh")
PAIRS = st.dictionaries(st.tuples(NAME, NAME), st.booleans(), min_size=2, max_size=20).filter(
    lambda pairs: len(set(pairs.values())) == 2
)


@given(pairs=PAIRS)
def test_components_are_what_target_trials_reach(tmp_path_factory, pairs):
    lines = [
        f"{enrol} {test} {'target' if same else 'nontarget'}"
        for (enrol, test), same in pairs.items()
    ]
    speakers = speakers_of(listed(tmp_path_factory.mktemp("any"), lines))
    targets = [pair for pair, same in pairs.items() if same]
    group = {name: frozenset(flooded(targets, name)) for pair in pairs for name in pair}
    within = [p for p, same in pairs.items() if not same and group[p[0]] == group[p[1]]]
    if isinstance(speakers, NoSpeakers):
        assert speakers.reason.startswith(f"{len(within)} nontarget")
        assert within
        return
    assert not within
    assert speakers.count == len(set(group.values()))
    numbers = {}
    for (enrol, test), one, other in zip(
        pairs, speakers.enrol.tolist(), speakers.test.tolist(), strict=True
    ):
        assert numbers.setdefault(group[enrol], one) == one
        assert numbers.setdefault(group[test], other) == other
    assert len(set(numbers.values())) == len(numbers)
