"""Companions as files: read back as written, and refused where they are something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RequestError
from harness.records.details_schema import (
    Breakdown,
    Det,
    Details,
    DetPoint,
    Group,
    GroupMetric,
    details_text,
    read_details,
    significant,
    write_details,
)


def made(record: str = "0" * 64) -> Details:
    group = Group(
        name="both f",
        units=12,
        items=80,
        trials=300,
        targets=40,
        metrics={"eer": GroupMetric(value=1 / 3, low=0.2, high=0.5), "min_dcf": None},
    )
    breakdown = Breakdown(title="gender", rule="trials of that gender", groups=(group,))
    det = Det(
        false_alarm=(1.0, 2 / 3, 0.0),
        miss=(0.0, 0.1, 1.0),
        targets=40,
        nontargets=260,
        min_dcf=DetPoint(false_alarm=2 / 3, miss=0.1),
    )
    return Details(record=record, det=det, breakdowns={"gender": breakdown})


def test_details_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "x.details.json"
    write_details(path, made())
    assert read_details(path) == made()
    assert path.read_text() == details_text(made())
    assert json.loads(path.read_text())["schema"] == 1


def test_numbers_are_written_with_six_digits() -> None:
    document = json.loads(details_text(made()))
    assert document["det"]["false_alarm"] == [1.0, 0.666667, 0.0]
    estimate = document["breakdowns"]["gender"]["groups"][0]["metrics"]["eer"]
    assert estimate == {"value": 0.333333, "low": 0.2, "high": 0.5}


@given(st.floats(1e-9, 1e9))
def test_rounding_twice_is_rounding_once(value: float) -> None:
    rounded = significant(value)
    assert significant(rounded) == rounded
    assert rounded == pytest.approx(value, rel=5.0001e-6)


def test_details_name_the_bytes_of_their_record(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text("{}")
    assert not made().is_of(record)
    # printf '{}' | sha256sum
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert made(digest).is_of(record)
    record.write_text("{ }")
    assert not made(digest).is_of(record)


def _other_schema(document: dict[str, Any]) -> None:
    document["schema"] = 2


def _unknown_key(document: dict[str, Any]) -> None:
    document["breakdowns"]["gender"]["groups"][0]["colour"] = "red"


def _no_number(document: dict[str, Any]) -> None:
    document["det"]["miss"][1] = "many"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_other_schema, "details schema 2; this program reads 1"),
        (_unknown_key, r"not a record's details: breakdowns\.gender\.groups\.0\.colour"),
        (_no_number, r"not a record's details: det\.miss\.1"),
    ],
)
def test_another_document_is_refused(tmp_path: Path, change: Any, said: str) -> None:
    document = json.loads(details_text(made()))
    change(document)
    path = tmp_path / "x.details.json"
    path.write_text(json.dumps(document))
    with pytest.raises(RequestError, match=said):
        read_details(path)


def test_what_is_no_json_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x.details.json"
    with pytest.raises(RequestError, match=r"x\.details\.json: cannot be read"):
        read_details(path)
    path.write_text("[1, 2")
    with pytest.raises(RequestError, match=r"x\.details\.json: not JSON"):
        read_details(path)
