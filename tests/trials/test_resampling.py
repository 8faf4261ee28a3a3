"""resample_speakers(): draws depend on who speaks where and on nothing else; or there are none."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.trials.trial_list import TrialList, read_trials
from harness.trials.trial_speakers import NoSpeakers, Resampling, resample_speakers, speakers_of

PEOPLE = ["ann", "bob", "cat", "dan", "eve"]
ROWS = [
    (f"{one}-m", f"{other}-{k}", one == other) for one in PEOPLE for other in PEOPLE for k in "12"
]


def put(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def trial_list(folder: Path, rows=ROWS) -> TrialList:
    lines = [f"{enrol} {test} {int(target)}" for enrol, test, target in rows]
    return read_trials(put(folder / "trials", lines))


def drawn(trials: TrialList, utt2spk: Path | None = None, **options: int) -> Resampling:
    settings = {"resamples": 30, "seed": 5, **options}
    sample = resample_speakers(trials, speakers_of(trials, utt2spk), **settings)
    assert isinstance(sample, Resampling)
    return sample


def by_person(trials: TrialList, sample: Resampling) -> dict[str, list[int]]:
    """How often each person was drawn, in every draw."""
    found: dict[str, list[int]] = {}
    for names, codes, speakers in (
        (trials.enrol_names, trials.enrol, sample.speakers.enrol),
        (trials.test_names, trials.test, sample.speakers.test),
    ):
        for code, speaker in zip(codes.tolist(), speakers.tolist(), strict=True):
            draws = sample.draws[:, speaker].tolist()
            assert found.setdefault(names[code].split("-")[0], draws) == draws
    return found


def test_as_many_speakers_are_drawn_as_there_are(tmp_path):
    sample = drawn(trial_list(tmp_path))
    assert (sample.units, sample.seed) == (5, 5)
    assert sample.draws.shape == (30, 5)
    assert sample.draws.sum(axis=1).tolist() == [5] * 30
    assert len({tuple(draw) for draw in sample.draws.tolist()}) > 10


def test_one_seed_gives_one_set_of_draws(tmp_path):
    trials = trial_list(tmp_path)
    assert np.array_equal(drawn(trials).draws, drawn(trials).draws)
    assert not np.array_equal(drawn(trials).draws, drawn(trials, seed=6).draws)


def renumbered(trials: TrialList, enrol: list[int], test: list[int], lines: list[int]) -> TrialList:
    """The same trials with their names and lines in another order."""
    rows = np.array(lines)
    return TrialList(
        trials.path,
        np.argsort(enrol).astype(np.int32)[trials.enrol[rows]],
        np.argsort(test).astype(np.int32)[trials.test[rows]],
        tuple(trials.enrol_names[number] for number in enrol),
        tuple(trials.test_names[number] for number in test),
        trials.is_target[rows],
    )


@settings(max_examples=15, deadline=None)
@given(
    enrol=st.permutations(range(len(PEOPLE))),
    test=st.permutations(range(2 * len(PEOPLE))),
    seed=st.integers(0, 99),
)
def test_how_names_are_numbered_and_lines_ordered_is_of_no_matter(
    tmp_path_factory, enrol, test, seed
):
    plain = trial_list(tmp_path_factory.mktemp("plain"))
    lines = random.Random(seed).sample(range(len(ROWS)), len(ROWS))
    other = renumbered(plain, enrol, test, lines)
    assert other.pair(0) == plain.pair(lines[0])
    assert by_person(other, drawn(other)) == by_person(plain, drawn(plain))


def test_whichever_file_tells_the_speakers_the_draws_are_the_same(tmp_path):
    trials = trial_list(tmp_path)
    names = [*trials.test_names, *trials.enrol_names]
    random.Random(0).shuffle(names)
    # Ids in another order than the names of their utterances.
    ids = dict(zip(PEOPLE, "zyxwv", strict=True))
    told = put(tmp_path / "utt2spk", [f"{name} {ids[name.split('-')[0]]}" for name in names])
    assert by_person(trials, drawn(trials, told)) == by_person(trials, drawn(trials))
    assert drawn(trials, told).speakers.origin == "utt2spk"


def test_every_draw_holds_trials_of_both_sides(tmp_path):
    rows = [row for row in ROWS if not row[2] or row[0] == "ann-m"][:13]
    trials = trial_list(tmp_path, rows)
    sample = drawn(trials, resamples=200)
    assert sample.redrawn > 0
    speakers = sample.trials(np.zeros(len(rows)), trials.is_target)
    for draw in sample.draws:
        both = draw[speakers.enrol_speaker] * draw[speakers.test_speaker]
        assert both[trials.is_target].any()
        assert both[~trials.is_target].any()


def test_trials_keep_their_speakers(tmp_path):
    trials, scores = trial_list(tmp_path), np.linspace(0, 1, len(ROWS))
    held = drawn(trials).trials(scores, trials.is_target)
    assert held.scores.tolist() == scores.tolist()
    same = held.enrol_speaker == held.test_speaker
    assert same.tolist() == [enrol[:3] == test[:3] for enrol, test, _ in ROWS]


def test_speakers_that_cannot_be_told_give_no_draws(tmp_path):
    trials = trial_list(tmp_path)
    reason = NoSpeakers("nobody knows")
    assert resample_speakers(trials, reason, resamples=5, seed=0) is reason


@pytest.mark.parametrize("side", [True, False])
def test_one_trial_on_a_side_is_too_few(tmp_path, side):
    one = next(row for row in ROWS if row[2] is side)
    trials = trial_list(tmp_path, [one, *(row for row in ROWS if row[2] is not side)])
    sample = resample_speakers(trials, speakers_of(trials), resamples=5, seed=0)
    assert isinstance(sample, NoSpeakers)
    assert sample.reason == "1 trial on one side; an interval needs at least 2 on each"
