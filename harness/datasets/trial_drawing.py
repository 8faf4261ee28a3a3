"""Trial lists drawn to a size and a difficulty, spread evenly over the labels.

Labels and items stand in the order of a seeded hash of their names, and pairs are taken ring by
ring: no list of all pairs is made, and the order of the table changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.datasets import TrialRule
from harness.datasets.item_pairs import (
    UNKNOWN,
    Counts,
    ItemOrder,
    Pairs,
    Relation,
    cross_pairs,
    interleave,
    item_order,
    ring_pairs,
    share_evenly,
    take_pairs,
)
from harness.errors import DataError

Wanted = list[tuple[Relation, int]]


def draw_trials(items: pd.DataFrame, rule: TrialRule, name: str = "trials") -> pd.DataFrame:
    """Draw a trial list of exactly the size and the shares that a rule asks for.

    Every label gives as many target trials as any other, as far as its pairs allow, and stands in
    as many nontarget trials; within a label the items take turns. No pair comes twice.

    Args:
        items: a split's items, in any order.
        rule: count of trials of each kind.
        name: of the trials, for errors.

    Returns:
        A trial list sorted by its ids. `kind` says of a target trial if it crosses sessions, and
        of a nontarget trial if it crosses genders, if the items have these.

    Raises:
        DataError: so many trials of a kind are not possible, or the items have no column that a
            share is asked of.
    """
    order = item_order(items, rule.seed)
    count = round(rule.count * rule.targets)
    targets = _split_count(count, rule.cross_session, ("cross", "same"))
    nontargets = _split_count(rule.count - count, rule.same_gender, ("same", "cross"))
    _check_columns(order, rule, name)
    pairs = [_draw_targets(order, targets, name), _draw_nontargets(order, nontargets, name)]
    return _trial_table(order, np.concatenate(pairs))


def _split_count(count: int, share: float | None, relations: tuple[Relation, Relation]) -> Wanted:
    if share is None:
        return [("any", count)]
    part = round(count * share)
    return [(relations[0], part), (relations[1], count - part)]


def _check_columns(order: ItemOrder, rule: TrialRule, name: str) -> None:
    for key, column, share, values in (
        ("cross_session", "session", rule.cross_session, order.session),
        ("same_gender", "gender", rule.same_gender, order.gender),
    ):
        if share is not None and (values == UNKNOWN).all():
            raise DataError(f"{name}: {key}: the corpus tells no {column}; leave this key out")
    mixed = order.labels_of_two_genders()
    if rule.same_gender is not None and len(mixed):
        first = order.ids[order.start[mixed[0]]]
        raise DataError(
            f"{name}: same_gender: {len(mixed)} labels have items of more than one gender (one is "
            f"the label of {first}); mend the corpus's list, or leave this key out"
        )


def _draw_targets(order: ItemOrder, wanted: Wanted, name: str) -> Pairs:
    given = np.zeros(len(order.size), dtype=np.int64)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for relation, count in wanted:
        room = order.target_room(relation)
        _check_room(count, int(room.sum()), ("target", relation, "session"), name)
        shares = share_evenly(room, count, given)
        given += shares
        pairs += [
            _pairs_of_label(order, int(label), int(shares[label]), relation)
            for label in np.flatnonzero(shares)
        ]
    return np.concatenate(pairs)


def _pairs_of_label(order: ItemOrder, label: int, count: int, relation: Relation) -> Pairs:
    start, size = int(order.start[label]), int(order.size[label])
    session = order.session[start : start + size]

    def keep(pairs: Pairs) -> NDArray[np.bool_]:
        return _are_related(session[pairs], relation)

    return np.asarray(take_pairs(ring_pairs(size), count, keep) + start, dtype=np.int64)


def _are_related(values: NDArray[np.int64], relation: Relation) -> NDArray[np.bool_]:
    """Tell of each pair of numbers, `[pairs, 2]`, if it is known to have the relation."""
    if relation == "any":
        return np.ones(len(values), dtype=np.bool_)
    same = values[:, 0] == values[:, 1]
    known = (values != UNKNOWN).all(axis=1)
    return np.asarray(known & (same if relation == "same" else ~same), dtype=np.bool_)


def _draw_nontargets(order: ItemOrder, wanted: Wanted, name: str) -> Pairs:
    """Draw pairs of items of two labels: every label in as many, its items in turn.

    As many pairs of labels are used as there can be, and each as often as any other.
    """
    given = np.zeros(len(order.size), dtype=np.int64)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for relation, count in wanted:
        _check_room(count, order.nontarget_room(relation), ("nontarget", relation, "gender"), name)
        labels = take_pairs(_label_rings(order, relation), count)
        shares = share_evenly(order.size[labels].prod(axis=1), count)
        pairs.append(_item_pairs(order, labels, shares, given))
        given += np.bincount(order.label[pairs[-1]].ravel(), minlength=len(given))
    return np.concatenate(pairs)


def _label_rings(order: ItemOrder, relation: Relation) -> Iterator[Pairs]:
    """Yield pairs of labels whose genders have the relation, ring by ring."""
    if relation == "any":
        return ring_pairs(len(order.size))
    sides = order.gender_sides
    if relation == "same":
        return interleave([_map_rings(ring_pairs(len(side)), side, side) for side in sides])
    return interleave(
        [
            _map_rings(cross_pairs(len(left), len(right)), left, right)
            for place, left in enumerate(sides)
            for right in sides[place + 1 :]
        ]
    )


def _map_rings(rings: Iterator[Pairs], left: Counts, right: Counts) -> Iterator[Pairs]:
    for ring in rings:
        yield np.stack([left[ring[:, 0]], right[ring[:, 1]]], axis=1)


def _item_pairs(order: ItemOrder, labels: Pairs, shares: Counts, given: Counts) -> Pairs:
    """Draw pairs of items for pairs of labels.

    Args:
        order: the items.
        labels: `[label pairs, 2]`.
        shares: count of item pairs for each, `[label pairs]`.
        given: count of trials in which each label stands already: its items take turns,
            `[labels]`.

    Returns:
        Places in the order, `[pairs, 2]`.
    """
    turn = _turns(labels, shares) + given[labels]
    place = np.repeat(np.arange(len(labels)), shares)
    number = np.arange(len(place)) - np.repeat(np.cumsum(shares) - shares, shares)
    left, right = order.size[labels][place].T
    # A walk along the diagonals of the table of both labels' items: each of its cells once.
    first = turn[place, 0] + number % right + number // right
    second = turn[place, 1] + number % right
    start = order.start[labels][place]
    return np.stack([start[:, 0] + first % left, start[:, 1] + second % right], axis=1)


def _turns(labels: Pairs, shares: Counts) -> Pairs:
    """Count the earlier trials of each label of a pair, `[label pairs, 2]`."""
    flat, uses = labels.ravel(), np.repeat(shares, 2)
    by_label = np.argsort(flat, kind="stable")
    before = np.cumsum(uses[by_label]) - uses[by_label]
    new = np.diff(flat[by_label], prepend=-1) != 0
    turns = np.empty_like(flat)
    turns[by_label] = before - before[new][np.cumsum(new) - 1]
    return turns.reshape(labels.shape)


def _trial_table(order: ItemOrder, pairs: Pairs) -> pd.DataFrame:
    rank = np.argsort(np.argsort(order.ids.astype(str)))[pairs]
    pairs = pairs[np.lexsort((rank[:, 1], rank[:, 0]))]
    target = np.diff(order.label[pairs], axis=1)[:, 0] == 0
    sessions, genders = order.session[pairs], order.gender[pairs]
    kind = np.where(target, _kinds(sessions, "session"), _kinds(genders, "gender"))
    kind = np.where(target, "target", "nontarget").astype(object) + kind
    ids = order.ids[pairs]
    return pd.DataFrame({"enrol": ids[:, 0], "test": ids[:, 1], "target": target, "kind": kind})


def _kinds(values: Pairs, column: str) -> NDArray[np.object_]:
    same, cross = _are_related(values, "same"), _are_related(values, "cross")
    words = np.select([same, cross], [f" same-{column}", f" cross-{column}"], "")
    return words.astype(object)


def _check_room(wanted: int, room: int, kind: tuple[str, Relation, str], name: str) -> None:
    if wanted > room:
        side, relation, column = kind
        relations = "" if relation == "any" else f"{relation}-{column} "
        raise DataError(
            f"{name}: {wanted:,} {relations}{side} trials are asked for, and the items allow "
            f"{room:,}; ask for fewer trials or another share"
        )
