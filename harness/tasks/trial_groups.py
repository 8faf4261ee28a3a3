"""How the trials of a list fall into groups: by kind, genre, session, duration, and what else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.tasks.groups import (
    NOT_TOLD,
    Codes,
    Grouping,
    by_duration,
    by_value,
    categories,
    values,
)
from harness.trials.index import Models, TrialIndex

SEVERAL = -2
"""The value of a model whose items have different ones."""


def trial_groupings(items: pd.DataFrame, trials: TrialIndex) -> dict[str, Grouping]:
    """Every grouping that says something of a list's trials, by its name.

    A genre is that of the test item, as CN-Celeb's results are told; beside it, whether the model
    was enrolled in that genre. Sessions are told apart among targets alone: two speakers have no
    session in common. A duration is that of the shorter side, a model's that of all its items. Any
    other column of the corpus (gender, nationality, device) parts the trials by whether both sides
    have the same value; one that is called `genre match`, `duration` or `kind` is left away.

    Args:
        items: a split's items.
        trials: rows of it.
    """
    found = dict(_groupings(items, trials))
    return {name: grouping for name, grouping in found.items() if grouping.says_something}


def _groupings(items: pd.DataFrame, trials: TrialIndex) -> Iterator[tuple[str, Grouping]]:
    for column in categories(items, apart=("genre", "session")):
        yield column, _by_both_sides(items[column], trials)
    if "genre" in items:
        codes, names = values(items["genre"])
        rule = "trials whose test item is of that genre, targets and nontargets"
        yield "genre", by_value(codes[trials.test], names, "genre of the test item", rule)
        yield "genre match", _by_match(codes, trials)
    if "session" in items:
        yield "session", _by_session(values(items["session"])[0], trials)
    yield "duration", _by_duration(items["seconds"].to_numpy(np.float64), trials)
    if not _is_plain(trials.kind, trials.target) and not _is_genre(trials, items):
        kinds, words = pd.factorize(trials.kind, sort=True)
        named = tuple(str(word) for word in words)
        rule = "trials that the list calls so"
        yield "kind", Grouping("kind of trial", rule, named, kinds.astype(np.int64))


def _by_both_sides(column: pd.Series[Any], trials: TrialIndex) -> Grouping:
    codes, names = values(column)
    enrol, test = _enrolled_values(codes, trials), codes[trials.test]
    group = np.where(enrol == test, test, len(names))
    group[(enrol == -1) | (test == -1)] = len(names) + 1
    told = (*(f"both {name}" for name in names), "different", NOT_TOLD)
    rule = (
        f"trials whose two sides are of that {column.name}, targets and nontargets; `different`: "
        "of two"
    )
    return Grouping(str(column.name), rule, told, group)


def _by_match(codes: Codes, trials: TrialIndex) -> Grouping:
    known = (_enrolled_values(codes, trials) != -1) & (codes[trials.test] >= 0)
    rule = (
        "trials whose test item is of a genre that its model was enrolled in, or of another one, "
        "targets and nontargets"
    )
    group = np.where(_is_enrolled(codes, trials), 0, 1)
    names = ("an enrolled genre", "another genre", NOT_TOLD)
    return Grouping("genre of both sides", rule, names, np.where(known, group, 2))


def _by_session(codes: Codes, trials: TrialIndex) -> Grouping:
    known = (_enrolled_values(codes, trials) != -1) & (codes[trials.test] >= 0)
    group = np.where(_is_enrolled(codes, trials), 0, 1)
    rule = "targets whose two sides are of one session, or of two, each against all nontargets"
    names = ("same session", "other session", NOT_TOLD)
    group = np.where(known, group, 2)
    return Grouping("session", rule, names, np.where(trials.target, group, -1))


def _by_duration(seconds: NDArray[np.float64], trials: TrialIndex) -> Grouping:
    enrolled = seconds if trials.models is None else _model_seconds(seconds, trials.models)
    shorter = np.minimum(enrolled[trials.enrol], seconds[trials.test])
    rule = "trials whose shorter side lasts so long, targets and nontargets"
    return by_duration(shorter, rule)


def _model_seconds(seconds: NDArray[np.float64], models: Models) -> NDArray[np.float64]:
    """All that a model is enrolled by together; 0 where a part of it is not told."""
    told = seconds[models.item]
    size = len(models.names)
    sums = np.bincount(models.owner, told, minlength=size).astype(np.float64)
    sums[models.owner[told <= 0]] = 0.0
    return sums


def _enrolled_values(codes: Codes, trials: TrialIndex) -> Codes:
    """The value of each trial's enrolled side: -1 where it is not told of a part of it."""
    models = trials.models
    if models is None:
        return codes[trials.enrol]
    told = codes[models.item]
    least, most = np.full((2, len(models.names)), told[0])
    least[models.owner], most[models.owner] = told, told
    np.minimum.at(least, models.owner, told)
    np.maximum.at(most, models.owner, told)
    one: Codes = np.where((least == most) | (least < 0), least, SEVERAL)
    return one[trials.enrol]


def _is_enrolled(codes: Codes, trials: TrialIndex) -> NDArray[np.bool_]:
    """Whether the test item's value is one of those that its trial's side was enrolled in."""
    models = trials.models
    if models is None:
        return np.asarray(codes[trials.enrol] == codes[trials.test])
    size, told, test = int(codes.max(initial=0)) + 1, codes[models.item], codes[trials.test]
    pairs = (models.owner * size + told)[told >= 0]
    return np.isin(trials.enrol * size + test, pairs) & (test >= 0)


def _is_plain(kind: NDArray[np.str_], target: NDArray[np.bool_]) -> bool:
    """Whether kinds say no more than which trials are targets."""
    return all(len(np.unique(kind[side])) <= 1 for side in (target, ~target))


def _is_genre(trials: TrialIndex, items: pd.DataFrame) -> bool:
    """Whether kinds are the genres of the test items."""
    if "genre" not in items:
        return False
    return bool(np.array_equal(trials.kind, items["genre"].to_numpy(str)[trials.test]))
