"""The largest batch: the same as by trying every one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.budget.fit_to_budget import largest_batch


@given(st.integers(1, 60), st.integers(0, 70), st.integers(1, 5))
def test_it_is_the_largest_that_fits(most, limit, least):
    fitting = [batch for batch in range(least, most + 1) if batch <= limit]
    found = largest_batch(lambda batch: batch <= limit, least=least, most=max(most, least - 1))
    assert found == max(fitting, default=0)


@given(st.sets(st.integers(1, 40)))
def test_the_next_one_does_not_fit_where_some_in_between_do_not(fitting):
    found = largest_batch(fitting.__contains__, most=40)
    assert found == 0 or found in fitting
    assert found == 40 or found + 1 not in fitting


@given(st.integers(1, 1000))
def test_no_batch_is_tried_that_is_more_than_twice_what_fits(limit):
    tried = []

    def fits(batch: int) -> bool:
        tried.append(batch)
        return batch <= limit

    assert largest_batch(fits) == limit
    assert max(tried) <= 2 * limit


def test_batches_that_cannot_be_computed_are_not_tried():
    tried = []
    largest_batch(lambda batch: bool(tried.append(batch)), least=3, most=9)
    assert min(tried) == 3
    assert max(tried) <= 9
