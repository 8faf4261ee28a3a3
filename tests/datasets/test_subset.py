"""Short utterances of a speaker are joined as the field joins them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.datasets.subset import join_neighbours, join_rows


@pytest.mark.parametrize(
    ("least", "lengths", "groups"),
    [
        (1, [50, 60, 70], [[50], [60], [70]]),
        (5, [1, 60, 70], [[1, 60], [70]]),
        (5, [60, 70, 1], [[60], [70, 1]]),
        (5, [60, 1, 70], [[60, 1], [70]]),
        (5, [70, 1, 60], [[70, 1], [60]]),
        (10, [10, 5, 1, 60], [[10, 5, 1], [60]]),
        (10, [5, 6, 7], [[5, 6, 7]]),
        (10, [5, 6, 17], [[5, 6], [17]]),
        (10, [7, 4, 9], [[7, 4, 9]]),
        (8, [6, 3, 8], [[6, 3], [8]]),
        (8, [6, 3, 5, 9], [[6, 3, 5], [9]]),
        (5, [1, 2], [[1, 2]]),
        (5, [3], [[3]]),
        (5, [], []),
    ],
)
def test_known_groups(least, lengths, groups):
    bounds = join_neighbours(lengths, least)
    assert [lengths[first:after] for first, after in bounds] == groups


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(1, 20))
def test_the_law_of_joining(lengths, least):
    bounds = join_neighbours(lengths, least)
    assert [first for first, _ in bounds] == [0, *(after for _, after in bounds[:-1])]
    assert bounds[-1][1] == len(lengths)
    totals = [sum(lengths[first:after]) for first, after in bounds]
    assert all(total >= least for total in totals) or len(bounds) == 1
    long = [(place, place + 1) for place, length in enumerate(lengths) if length >= least]
    whole = len(long) == len(lengths)
    assert bounds == long if whole else len(bounds) <= max(1, len(long) + sum(lengths) // least)


def items(units, genres=None):
    table = pd.DataFrame({"id": [f"i{n}" for n in range(len(units))], "unit": list(units)})
    return table if genres is None else table.assign(genre=list(genres))


def joined(table, rows, seconds):
    lengths = np.array([round(16_000 * each) for each in seconds])
    first, after = join_rows(table, np.array(rows), lengths, 5.0)
    return list(zip(first.tolist(), after.tolist(), strict=True))


def test_speakers_are_kept_apart():
    assert joined(items("aabb"), range(4), [3, 3, 1, 1]) == [(0, 2), (2, 4)]


def test_genres_are_kept_apart():
    assert joined(items("aaaa", "xxyy"), range(4), [3, 3, 1, 1]) == [(0, 2), (2, 4)]


def test_what_stands_between_keeps_apart():
    assert joined(items("aaa"), [4, 6, 7], [3, 3, 1]) == [(0, 1), (1, 3)]


def test_the_least_length_is_long_enough():
    assert joined(items("aa"), range(2), [5, 4.99]) == [(0, 2)]
    assert joined(items("aa"), range(2), [5, 5]) == [(0, 1), (1, 2)]


def test_nothing_to_join():
    assert joined(items(""), [], []) == []
