"""Equal content has equal bytes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.documents import (
    canonical_json,
    digest,
    finite_or_none,
    readable_json,
    sha256,
    sha256_file,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    SCALARS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_both_spellings_hold_the_content(document):
    assert json.loads(canonical_json(document)) == document
    assert json.loads(readable_json(document)) == document


@given(st.dictionaries(st.text(), SCALARS, min_size=2))
def test_the_order_of_keys_does_not_matter(document):
    backwards = dict(reversed(document.items()))
    assert digest(backwards) == digest(document)


def test_the_digest_is_that_of_the_spelling():
    assert canonical_json({"b": "é", "a": [1.5, None]}) == '{"a":[1.5,null],"b":"é"}'
    # What `printf "{}" | sha256sum` says.
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("spell", [canonical_json, readable_json, digest])
def test_what_json_cannot_hold_is_refused(number, spell):
    with pytest.raises(ValueError, match="JSON compliant"):
        spell({"eer": number})


def test_hash_of_bytes_and_of_a_file(tmp_path):
    content = b"abc" * 100_000
    (tmp_path / "file").write_bytes(content)
    assert sha256_file(tmp_path / "file") == sha256(content)
    assert sha256(b"abc").startswith("ba7816bf8f01cfea")


def test_finite_or_none():
    assert finite_or_none(0.5) == 0.5
    assert finite_or_none(math.nan) is None
    assert finite_or_none(-math.inf) is None
