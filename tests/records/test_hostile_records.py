"""Published records with values exchanged: read and shown, or refused with the file's name."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.board.publishing.published_tables import render
from harness.errors import RequestError
from harness.records.attestation import read_attestation
from harness.records.details_schema import read_details
from harness.records.documents import DEEPEST, LONGEST
from harness.records.record_files import read_record, usable_record
from harness.registry.consistency import contradictions, disagreements, gaps
from tests.fuzzing import refused_or_read
from tests.places import RECORDS

DIGITS = sorted((RECORDS / "image/quick/digits").glob("*[0-9a-f].json"))
SPEECH = sorted((RECORDS / "speaker/quick/open-26666").glob("*[0-9a-f].json"))

VALUES = st.one_of(
    st.sampled_from(
        [
            *(None, True, [], {}, "", [1, "a", None], {"a": {"b": 1}}, "2030-13-99", "\x1b[31m"),
            *(-1, -0.5, 0, 1e308, -1e308, 5e-324, 10**18, 10**19, 10**30, 10**4_000),
            *(float("nan"), float("inf"), "x" * LONGEST, "x" * (LONGEST + 1), "\ud800", "\u202e"),
        ]
    ),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
)


def places(content: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within a document; of the many values without each unit two a metric."""
    found = [at] if at else []
    if isinstance(content, dict):
        names = list(content)[:2] if len(at) == 2 and at[0] == "left_one_out" else list(content)
        return found + [each for name in names for each in places(content[name], (*at, name))]
    if isinstance(content, list):
        return found + [
            each for n, inner in enumerate(content[:2]) for each in places(inner, (*at, n))
        ]
    return found


def exchanged(content: Any, at: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(content)
    table = changed
    for part in at[:-1]:
        table = table[part]
    table[at[-1]] = value
    return changed


def document_at(path: Path) -> Any:
    return json.loads(path.read_text())


QUICKLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICKLY
@given(data=st.data(), files=st.sampled_from([DIGITS, SPEECH]))
def test_a_value_exchanged_is_shown_or_refused(
    data: st.DataObject, files: list[Path], tmp_path: Path
) -> None:
    path = data.draw(st.sampled_from(files))
    document = document_at(path)
    place = data.draw(st.sampled_from(places(document)))
    changed = tmp_path / "record.json"
    changed.write_text(json.dumps(exchanged(document, place, data.draw(VALUES))))
    records = {str(each): read_record(each) for each in files}

    def show() -> None:
        record = usable_record(changed, read_record(changed))
        records[str(path)] = record
        told = [*contradictions(record), *gaps(record), *disagreements(records)]
        assert all(isinstance(line, str) for line in told)
        render(records)

    said = refused_or_read(show)
    assert not said or "record.json: " in said or "no facts of its primary metric" in said


@QUICKLY
@given(data=st.data())
def test_a_value_of_details_exchanged_is_read_or_refused(
    data: st.DataObject, tmp_path: Path
) -> None:
    path = data.draw(st.sampled_from(SPEECH)).with_suffix(".details.json")
    document = document_at(path)
    place = data.draw(st.sampled_from(places(document)))
    changed = tmp_path / "x.details.json"
    changed.write_text(json.dumps(exchanged(document, place, data.draw(VALUES))))
    said = refused_or_read(lambda: read_details(changed))
    assert not said or "x.details.json: " in said
    assert len(said) < 1_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema": 1, "schema": 2}', "key 'schema' is told twice"),
        ('{"a": {"b": 1, "b": 1}}', "key 'b' is told twice"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "lists and tables within each other"),
        ("[" * 100_000, "not JSON"),
        (f'["{"x" * (LONGEST + 1)}"]', "a text of more than 10,000 characters"),
        (f'{{"{"x" * (LONGEST + 1)}": 1}}', "a text of more than 10,000 characters"),
        (f"[{'9' * 21}]", "has 21 digits, at most 20 are read"),
        (f"[{'9' * 5_000}]", "has 5000 digits"),
        ("[NaN]", "NaN is no finite number"),
        ("[1e999]", "1e999 is no finite number"),
        (" " * 20_000_001, "more than 20,000,000 bytes"),
        (r'["\udc00"]', "escapes half a letter"),
        ("\ufeff{}", "not JSON"),
    ],
)
def test_what_no_document_of_ours_holds_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    for read in (read_record, read_details, read_attestation):
        with pytest.raises(RequestError, match=r"x\.json: ") as refusal:
            read(path)
        assert said in str(refusal.value)


def test_what_lies_within_the_bounds_is_read(tmp_path: Path) -> None:
    document = document_at(SPEECH[0])
    inner: Any = 1
    for _ in range(DEEPEST - 3):
        inner = [inner]
    document["model"]["fields"] = {"a": inner, "b": "x" * LONGEST}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    assert read_record(path).model.fields["b"] == "x" * LONGEST
