"""Trial lists drawn to a size and a difficulty, spread evenly over the labels.

Labels and items stand in the order of a seeded hash of their names, and pairs are taken ring by
ring: no list of all pairs is made, and the order of the table changes nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.datasets import TrialRule
from harness.datasets.drawing.item_order import UNKNOWN, ItemOrder, Relation, item_order
from harness.datasets.drawing.label_crossing import crossing
from harness.datasets.drawing.levelling import levelled
from harness.datasets.drawing.rings import Pairs, circle, taken
from harness.errors import DataError

Wanted = list[tuple[Relation, int]]


def draw_trials(items: pd.DataFrame, rule: TrialRule, name: str = "trials") -> pd.DataFrame:
    """A trial list of exactly the size and the shares that a rule asks for.

    Every label gives as many target trials as any other, as far as its pairs allow, and stands in
    as many nontarget trials; within a label the items take turns. No pair comes twice.

    Args:
        items: a split's items, in any order.
        rule: how many trials, of what kinds.
        name: whose trials, for errors.

    Returns:
        A trial list sorted by its ids. `kind` says of a target trial whether it crosses sessions,
        and of a nontarget trial whether it crosses genders, where the items tell.

    Raises:
        DataError: so many trials of a kind are not possible, or the items do not tell what a
            share is asked of.
    """
    order = item_order(items, rule.seed)
    count = round(rule.count * rule.targets)
    targets = _parts(count, rule.cross_session, ("cross", "same"))
    nontargets = _parts(rule.count - count, rule.same_gender, ("same", "cross"))
    _check_told(order, rule, name)
    pairs = [_targets(order, targets, name), _nontargets(order, nontargets, name)]
    return _listed(order, np.concatenate(pairs))


def _parts(count: int, share: float | None, relations: tuple[Relation, Relation]) -> Wanted:
    if share is None:
        return [("any", count)]
    part = round(count * share)
    return [(relations[0], part), (relations[1], count - part)]


def _check_told(order: ItemOrder, rule: TrialRule, name: str) -> None:
    asked = {
        "session": (rule.cross_session, order.session),
        "gender": (rule.same_gender, order.gender),
    }
    for column, (share, values) in asked.items():
        if share is not None and (values == UNKNOWN).all():
            key = {"session": "cross_session", "gender": "same_gender"}[column]
            raise DataError(f"{name}: {key}: the corpus tells no {column}; leave this key out")
    mixed = order.mixed_labels()
    if rule.same_gender is not None and len(mixed):
        first = order.ids[order.start[mixed[0]]]
        raise DataError(
            f"{name}: same_gender: {len(mixed)} labels have items of more than one gender (one is "
            f"the label of {first}); mend the corpus's list, or leave this key out"
        )


def _targets(order: ItemOrder, wanted: Wanted, name: str) -> Pairs:
    given = np.zeros(len(order.size), dtype=np.int64)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for relation, count in wanted:
        room = order.target_room(relation)
        _check_room(count, int(room.sum()), _named("target", relation, "session"), name)
        shares = levelled(room, count, given)
        given += shares
        pairs += [
            _of_label(order, int(label), int(shares[label]), relation)
            for label in np.flatnonzero(shares)
        ]
    return np.concatenate(pairs)


def _of_label(order: ItemOrder, label: int, count: int, relation: Relation) -> Pairs:
    start, size = int(order.start[label]), int(order.size[label])
    session = order.session[start : start + size]

    def keep(pairs: Pairs) -> NDArray[np.bool_]:
        return _related(session[pairs], relation)

    return np.asarray(taken(circle(size), count, keep) + start, dtype=np.int64)


def _nontargets(order: ItemOrder, wanted: Wanted, name: str) -> Pairs:
    given = np.zeros(len(order.size), dtype=np.int64)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for relation, count in wanted:
        room = order.nontarget_room(relation)
        _check_room(count, room, _named("nontarget", relation, "gender"), name)
        pairs.append(crossing(order, count, relation, given))
        given += np.bincount(order.label[pairs[-1]].ravel(), minlength=len(given))
    return np.concatenate(pairs)


def _related(values: NDArray[np.int64], relation: Relation) -> NDArray[np.bool_]:
    """Tells of each pair of numbers, `[pairs, 2]`, whether it is known to be so related."""
    if relation == "any":
        return np.ones(len(values), dtype=np.bool_)
    same = values[:, 0] == values[:, 1]
    known = (values != UNKNOWN).all(axis=1)
    return np.asarray(known & (same if relation == "same" else ~same), dtype=np.bool_)


def _listed(order: ItemOrder, pairs: Pairs) -> pd.DataFrame:
    rank = np.argsort(np.argsort(order.ids.astype(str)))[pairs]
    pairs = pairs[np.lexsort((rank[:, 1], rank[:, 0]))]
    target = np.diff(order.label[pairs], axis=1)[:, 0] == 0
    side = np.where(target, _kinds(order, pairs, "session"), _kinds(order, pairs, "gender"))
    kind = np.where(target, "target", "nontarget").astype(object) + side
    ids = order.ids[pairs]
    return pd.DataFrame({"enrol": ids[:, 0], "test": ids[:, 1], "target": target, "kind": kind})


def _kinds(order: ItemOrder, pairs: Pairs, column: str) -> NDArray[np.object_]:
    values = (order.session if column == "session" else order.gender)[pairs]
    same, cross = _related(values, "same"), _related(values, "cross")
    words = np.select([same, cross], [f" same-{column}", f" cross-{column}"], "")
    return words.astype(object)


def _named(side: str, relation: Relation, column: str) -> str:
    return f"{side} trials" if relation == "any" else f"{relation}-{column} {side} trials"


def _check_room(wanted: int, room: int, what: str, name: str) -> None:
    if wanted > room:
        raise DataError(
            f"{name}: {wanted:,} {what} are asked for, and the items allow {room:,}; ask for "
            "fewer trials or another share"
        )
