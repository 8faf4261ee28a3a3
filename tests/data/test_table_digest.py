"""The digest of a table is that of its text, whatever the types of its columns."""

import hashlib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data import table_digest as module
from harness.data.table_digest import table_digest

TABLE = pd.DataFrame(
    {"id": ["a", "b", "a"], "seconds": [1.0, 0.5, 1 / 3], "line": [1, 2, 2], "target": [1, 0, 1]}
).astype({"target": bool})
COLUMNS = ("id", "seconds", "target")
TEXT = b"a\t1.000000\tTrue\nb\t0.500000\tFalse\na\t0.333333\tTrue\n"


def test_a_digest_known_by_heart():
    known = hashlib.sha256(TEXT).hexdigest()
    assert known == table_digest(TABLE, COLUMNS)
    assert known == table_digest(TABLE.astype({"seconds": "float32"}), COLUMNS)
    assert known == table_digest(TABLE.astype({"id": "category"}), COLUMNS)
    assert known != table_digest(TABLE.iloc[::-1], COLUMNS)
    assert known != table_digest(TABLE, COLUMNS[::-1])


def test_an_empty_table():
    assert table_digest(TABLE.iloc[:0], COLUMNS) == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_digest_does_not_depend_on_how_many_rows_are_spelled_at_once(monkeypatch, chunk):
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert table_digest(TABLE, COLUMNS) == hashlib.sha256(TEXT).hexdigest()


# Versions of Python differ in whether a carriage return alone is quoted.
LETTERS = st.characters(exclude_characters="\r", exclude_categories=["Cs"])
WORDS = st.one_of(
    st.text(LETTERS, max_size=4), st.sampled_from(["", "a\tb", '"', "c\n", "x y", "-"])
)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_the_text_is_what_pandas_writes(rows):
    table = pd.DataFrame(rows, columns=["a", "b"], dtype=object)
    text = table.to_csv(sep="\t", index=False, header=False, lineterminator="\n")
    assert table_digest(table, ("a", "b")) == hashlib.sha256(text.encode()).hexdigest()


@given(st.lists(st.text(), min_size=2, max_size=2), st.lists(st.text(), min_size=2, max_size=2))
def test_different_tables_have_different_digests(one, two):
    digests = [
        table_digest(pd.DataFrame([row], columns=["a", "b"]), ("a", "b")) for row in (one, two)
    ]
    assert (digests[0] == digests[1]) == (one == two)
