"""Pairs of items of two labels: every label in as many, its items in turn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.datasets.drawing.item_order import UNKNOWN, Counts, ItemOrder, Relation
from harness.datasets.drawing.levelling import levelled
from harness.datasets.drawing.rings import Pairs, between, circle, interleaved, taken


def crossing(order: ItemOrder, count: int, relation: Relation, given: Counts) -> Pairs:
    """So many different pairs of items of two labels.

    As many pairs of labels are used as there can be, and each as often as any other.

    Args:
        order: the items.
        count: at most `order.nontarget_room(relation)`.
        relation: of the labels' genders.
        given: in how many pairs each label stands already; its items go on from there,
            `[labels]`.

    Returns:
        Places in the order, `[count, 2]`.
    """
    labels = taken(_label_rings(order, relation), count)
    shares = levelled(order.size[labels].prod(axis=1), count)
    return _item_pairs(order, labels, shares, given)


def _label_rings(order: ItemOrder, relation: Relation) -> Iterator[Pairs]:
    """Pairs of labels, ring by ring."""
    if relation == "any":
        return circle(len(order.size))
    genders = np.unique(order.label_gender[order.label_gender != UNKNOWN])
    sides = [np.flatnonzero(order.label_gender == gender) for gender in genders]
    if relation == "same":
        return interleaved([_named_rings(circle(len(side)), side, side) for side in sides])
    return interleaved(
        [
            _named_rings(between(len(left), len(right)), left, right)
            for place, left in enumerate(sides)
            for right in sides[place + 1 :]
        ]
    )


def _named_rings(rings: Iterator[Pairs], left: Counts, right: Counts) -> Iterator[Pairs]:
    for ring in rings:
        yield np.stack([left[ring[:, 0]], right[ring[:, 1]]], axis=1)


def _item_pairs(order: ItemOrder, labels: Pairs, shares: Counts, given: Counts) -> Pairs:
    """Pairs of items for pairs of labels.

    Args:
        order: the items.
        labels: `[label pairs, 2]`.
        shares: how many pairs of items each wants, `[label pairs]`.
        given: in how many trials each label stands already: its items take turns, `[labels]`.
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
    """In how many of the earlier trials each label of a pair stands, `[label pairs, 2]`."""
    flat, uses = labels.ravel(), np.repeat(shares, 2)
    by_label = np.argsort(flat, kind="stable")
    before = np.cumsum(uses[by_label]) - uses[by_label]
    new = np.diff(flat[by_label], prepend=-1) != 0
    turns = np.empty_like(flat)
    turns[by_label] = before - before[new][np.cumsum(new) - 1]
    return turns.reshape(labels.shape)
