"""A batch in parts, in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.config.recipe_tables import in_parts, items_in_part


@given(batch=st.integers(1, 10_000), part=st.integers(1, 10_000))
def test_the_parts_hold_the_batch_and_one_less_does_not(batch, part):
    said, parts = in_parts(batch, part).split(" = ")
    count, items = map(int, parts.split(" x "))
    assert (int(said), items) == (batch, part)
    assert (count - 1) * items < batch <= count * items


@given(batch=st.integers(2, 10_000), part=st.integers(1, 9_999))
def test_a_batch_known_by_its_number_of_parts_has_as_many_in_words(batch, part):
    count = -(-batch // part)
    items = items_in_part(batch, count)
    assert (items is None) == (count == 1)
    if items:
        assert in_parts(batch, items).split(" = ")[1].split(" x ")[0] == str(count)
        assert items <= part


def test_a_word_stands_with_the_batch():
    assert in_parts(56, 19, "used") == "56 used = 3 x 19"
    assert in_parts(56, None, "used") == "56 used"
