"""Groups of trials against choosing their trials one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint
from harness.records.details_schema import Breakdown, Group
from harness.tasks.groupings import FEWEST, MOST
from harness.tasks.task import Lists, Scores
from harness.tasks.verification import Verification
from harness.trials.index import TrialIndex
from tests.tasks.lists import against_models, items_told, pairs, scores_of

TASK = Verification(p_target=0.1, resamples=40)
THRESHOLD = 0.75


def detailed(items: pd.DataFrame, trials: TrialIndex, **further: Scores) -> dict[str, Breakdown]:
    scores = {"scores": scores_of(trials), "threshold": np.array(THRESHOLD), **further}
    return TASK.detail(Lists(items, (), trials), scores).breakdowns


def named(breakdown: Breakdown) -> dict[str, Group]:
    return {group.name: group for group in breakdown.groups}


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    return items_told()


@pytest.fixture(scope="module")
def trials(items: pd.DataFrame) -> TrialIndex:
    return pairs(items)


@pytest.fixture(scope="module")
def found(items: pd.DataFrame, trials: TrialIndex) -> dict[str, Breakdown]:
    return detailed(items, trials)


def value(group: Group, name: str) -> float:
    estimate = group.metrics[name]
    assert estimate is not None
    return estimate.value


def holds(group: Group, trials: TrialIndex, own: np.ndarray, borrowed: np.ndarray) -> None:
    """Hold a group against its trials, and those it borrows, chosen by hand."""
    scores, target = scores_of(trials), trials.target
    chosen = own | borrowed
    sides = scores[chosen & target], scores[chosen & ~target]
    assert (group.trials, group.targets) == (own.sum(), (own & target).sum())
    assert value(group, "eer") == pytest.approx(eer(*sides).value, rel=1e-5)
    cost = min_dcf(*sides, OperatingPoint(0.1)).value
    assert value(group, "min_dcf") == pytest.approx(cost, rel=1e-5)
    if group.against != "all targets":
        assert value(group, "miss_at_threshold") == pytest.approx(
            (sides[0] < THRESHOLD).mean(), rel=1e-5
        )
    if group.against != "all nontargets":
        alarms = (sides[1] >= THRESHOLD).mean()
        assert value(group, "false_alarm_at_threshold") == pytest.approx(alarms, rel=1e-5)


def test_genders_of_both_sides(
    found: dict[str, Breakdown], items: pd.DataFrame, trials: TrialIndex
) -> None:
    gender = items["gender"].to_numpy()
    enrol, test, nothing = gender[trials.enrol], gender[trials.test], np.zeros(len(trials), bool)
    groups = named(found["gender"])
    assert list(groups) == ["both f", "both m", "different"]
    holds(groups["both f"], trials, (enrol == "f") & (test == "f"), nothing)
    holds(groups["both m"], trials, (enrol == "m") & (test == "m"), nothing)
    holds(groups["different"], trials, enrol != test, trials.target)
    assert groups["different"].against == "all targets"
    assert groups["different"].metrics["miss_at_threshold"] is None
    assert (groups["both f"].units, groups["both f"].items) == (6, 36)


def test_sessions_of_targets(
    found: dict[str, Breakdown], items: pd.DataFrame, trials: TrialIndex
) -> None:
    session = items["session"].to_numpy()
    same = session[trials.enrol] == session[trials.test]
    groups = named(found["session"])
    assert list(groups) == ["same session", "other session"]
    holds(groups["same session"], trials, same & trials.target, ~trials.target)
    holds(groups["other session"], trials, ~same & trials.target, ~trials.target)
    assert {group.against for group in groups.values()} == {"all nontargets"}
    assert groups["same session"].metrics["false_alarm_at_threshold"] is None


def test_durations_of_the_shorter_side(
    found: dict[str, Breakdown], items: pd.DataFrame, trials: TrialIndex
) -> None:
    seconds = items["seconds"].to_numpy()
    shorter = np.minimum(seconds[trials.enrol], seconds[trials.test])
    nothing = np.zeros(len(trials), bool)
    groups = named(found["duration"])
    bins = {"under 2 s": (0.1, 2), "2 to 5 s": (2, 5), "5 to 10 s": (5, 10)}
    for name, (low, high) in bins.items():
        holds(groups[name], trials, (low <= shorter) & (shorter < high), nothing)
    holds(groups["10 s and more"], trials, shorter >= 10, nothing)
    holds(groups["not told"], trials, shorter == 0, nothing)


def test_genres_of_the_test_side(
    found: dict[str, Breakdown], items: pd.DataFrame, trials: TrialIndex
) -> None:
    genre = items["genre"].to_numpy()
    enrol, test, nothing = genre[trials.enrol], genre[trials.test], np.zeros(len(trials), bool)
    groups = named(found["genre"])
    assert list(groups) == ["movie", "singing", "speech", "not told"]
    holds(groups["movie"], trials, test == "movie", nothing)
    holds(groups["not told"], trials, test == "", nothing)
    told, match = (enrol != "") & (test != ""), named(found["genre match"])
    holds(match["an enrolled genre"], trials, told & (enrol == test), nothing)
    holds(match["another genre"], trials, told & (enrol != test), nothing)
    holds(match["not told"], trials, ~told, nothing)


@pytest.mark.parametrize("name", ["gender", "duration", "genre", "genre match"])
def test_groups_part_the_trials(found: dict[str, Breakdown], trials: TrialIndex, name: str) -> None:
    groups = found[name].groups
    assert sum(group.trials or 0 for group in groups) == len(trials)
    assert sum(group.targets or 0 for group in groups) == trials.target.sum()


def test_what_says_nothing_is_left_away(found: dict[str, Breakdown]) -> None:
    # Kinds are targets and nontargets alone; every item's words are its own.
    assert sorted(found) == ["duration", "gender", "genre", "genre match", "session"]


def test_kinds_are_judged_against_the_side_they_lack(
    items: pd.DataFrame, trials: TrialIndex
) -> None:
    gender = items["gender"].to_numpy()
    same = gender[trials.enrol] == gender[trials.test]
    kind = np.where(trials.target, "target", np.where(same, "near", "far"))
    told = replace(trials, kind=kind)
    groups = named(detailed(items, told)["kind"])
    holds(groups["far"], trials, ~same, trials.target)
    holds(groups["near"], trials, same & ~trials.target, trials.target)
    holds(groups["target"], trials, trials.target, ~trials.target)


def test_models_of_several_items() -> None:
    items = items_told(speakers=20, each=12)
    trials = against_models(items)
    found = detailed(items, trials)
    assert "kind" not in found  # it is the genre of the test item
    of = {name: list(part.index[:3]) for name, part in items.groupby("unit")}
    assert trials.models is not None
    enrolled = [of[name] for name in trials.models.names]
    genre, seconds = items["genre"].to_numpy(), items["seconds"].to_numpy()
    session = items["session"].to_numpy()
    match, same, shorter = [], [], []
    for enrol, test in zip(trials.enrol, trials.test, strict=True):
        genres = genre[enrolled[enrol]]
        untold = "" in genres or genre[test] == ""
        match.append("not told" if untold else str(genre[test] in genres))
        same.append(session[test] in session[enrolled[enrol]])
        lasting = seconds[enrolled[enrol]]
        shorter.append(min(lasting.sum() if lasting.all() else 0.0, seconds[test]))
    groups = named(found["genre match"])
    nothing = np.zeros(len(trials), bool)
    holds(groups["an enrolled genre"], trials, np.array(match) == "True", nothing)
    holds(groups["another genre"], trials, np.array(match) == "False", nothing)
    assert groups["not told"].trials == match.count("not told")
    sessions = named(found["session"])
    own = np.array(same) & trials.target
    holds(sessions["same session"], trials, own, ~trials.target)
    lasting = np.array(shorter)
    assert named(found["duration"])["not told"].trials == (lasting == 0).sum()
    holds(named(found["duration"])["5 to 10 s"], trials, (lasting >= 5) & (lasting < 10), nothing)
    females = named(found["gender"])["both f"]
    assert females.items == 120  # those of models among them


def test_small_groups_are_counted_and_not_judged(items: pd.DataFrame, trials: TrialIndex) -> None:
    # One item of a device of its own has 5 target trials; 2 have none with it at all.
    alone = items.assign(device=["b", *["a"] * (len(items) - 1)])
    groups = named(detailed(alone, trials)["device"])
    assert list(groups) == ["both a", "different"]
    assert groups["different"].targets == 5
    few = items.assign(device=["b", "b", *["a"] * (len(items) - 2)])
    group = named(detailed(few, trials)["device"])["both b"]
    assert (group.trials, group.targets, group.against) == (1, 1, "all nontargets")
    assert set(group.metrics.values()) == {None}
    assert set(group.metrics) == set(groups["both a"].metrics)


def test_an_interval_wants_enough_speakers(items: pd.DataFrame, trials: TrialIndex) -> None:
    few = items["unit"].isin(items["unit"].unique()[: FEWEST - 1])
    groups = named(detailed(items.assign(room=np.where(few, "a", "b")), trials)["room"])
    told = {name: group.metrics["eer"] for name, group in groups.items()}
    assert told["both a"] is not None
    assert told["both b"] is not None
    assert (told["both a"].low, told["both a"].high) == (None, None)
    assert told["both b"].low is not None
    assert told["both b"].low < told["both b"].value < (told["both b"].high or 0)


def test_a_group_of_all_is_judged_as_the_whole(items: pd.DataFrame, trials: TrialIndex) -> None:
    """The interval is made as the table's: the same draws of the same speakers."""
    kind = np.where(trials.target, "target", "nontarget")
    kind[0] = "odd one" if trials.target[0] else kind[0]
    scores = {"scores": scores_of(trials), "threshold": np.array(THRESHOLD)}
    lists = Lists(items, (), replace(trials, kind=kind))
    whole = TASK.judge(lists, scores).metrics["eer"]
    group = named(TASK.detail(lists, scores).breakdowns["kind"])["nontarget"]
    estimate = group.metrics["eer"]
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        (whole.value, whole.low, whole.high), rel=1e-5
    )


def test_of_many_groups_the_largest_are_told(items: pd.DataFrame, trials: TrialIndex) -> None:
    many = MOST + 7
    numbers = np.minimum(np.arange(len(trials)), many - 1)
    told = replace(trials, kind=np.array([f"kind {number:02}" for number in numbers]))
    breakdown = detailed(items, told)["kind"]
    assert (len(breakdown.groups), breakdown.untold) == (MOST, 7)
    assert breakdown.groups[-1].trials == len(trials) - many + 1
    assert [group.name for group in breakdown.groups] == sorted(named(breakdown))


def test_scores_without_decisions_tell_what_needs_none(
    items: pd.DataFrame, trials: TrialIndex
) -> None:
    scores, lists = {"scores": scores_of(trials)}, Lists(items, (), trials)
    calibration = {"calibration": np.array([2.0, -1.0])}
    threshold = {"threshold": np.array(THRESHOLD)}
    whole = TASK.judge(lists, {**scores, **calibration, **threshold})
    plain = TASK.judge(lists, scores)
    assert set(whole.metrics) - set(plain.metrics) == {
        "miss_at_threshold",
        "false_alarm_at_threshold",
        "threshold",
        "act_dcf",
        "cllr",
    }
    assert plain.metrics == {name: whole.metrics[name] for name in plain.metrics}
    assert plain.left_one_out == whole.left_one_out
    groups = TASK.detail(lists, scores).breakdowns["gender"].groups
    assert {tuple(group.metrics) for group in groups} == {("eer", "min_dcf")}
