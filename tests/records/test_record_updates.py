"""Records of older schemas are read as they are; their files stay as they were published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RequestError
from harness.records.record import SCHEMA, Artefact, Record, Submission
from harness.records.record_files import (
    UPDATES,
    read_record,
    to_document,
    update_document,
    write_record,
)

OLD = sorted((Path(__file__).parent / "old").glob("*.json"))
"""Published files of schema 1, as they were written."""

COUNTS = {
    "ecapa-512-aam-seed0-5fa2b96d5325.json": (0.1739, 8),
    "nearest-class-mean-seednone-038de740df5d.json": (0.3333, 6),
    "spectrogram-resnet-ghm-seed0-170abaa4d840.json": (0.0688, 8),
}
"""Primary metric and units left out one at a time, read off the published tables."""


def untold(new: Any, old: Any, where: str = "") -> list[str]:
    """Where a document does not say what an older one says."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            place
            for key, value in old.items()
            for place in untold(new.get(key), value, f"{where}.{key}")
        ]
    return [] if new == old else [where]


def test_old_files_are_of_the_schema_that_they_are_kept_for() -> None:
    assert [json.loads(path.read_text())["schema"] for path in OLD] == [1, 1, 1]


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_old_record_says_what_it_said(path: Path) -> None:
    before = path.read_bytes()
    record = read_record(path)
    assert untold(to_document(record), json.loads(before)) == [".schema"]
    assert path.read_bytes() == before
    value, units = COUNTS[path.name]
    primary = record.protocol.primary
    assert record.metrics[primary].value == pytest.approx(value, abs=5.1e-5)
    assert len(record.left_one_out[primary]) == units
    assert record.submission is None


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_old_record_written_anew_is_read_as_the_same(path: Path, tmp_path: Path) -> None:
    record = read_record(path)
    write_record(tmp_path / "new.json", record)
    assert json.loads((tmp_path / "new.json").read_text())["schema"] == SCHEMA
    assert read_record(tmp_path / "new.json") == record
    first = (tmp_path / "new.json").read_bytes()
    write_record(tmp_path / "new.json", read_record(tmp_path / "new.json"))
    assert (tmp_path / "new.json").read_bytes() == first


def test_there_is_a_step_from_every_older_schema() -> None:
    assert sorted(UPDATES) == list(range(1, SCHEMA))


def test_a_step_changes_nothing_of_what_it_is_given() -> None:
    document = {"schema": 1, "state": "done"}
    assert update_document(document, "x.json") == {"schema": 2, "state": "done"}
    assert document == {"schema": 1, "state": "done"}


def test_an_update_refuses_what_it_does_not_know() -> None:
    with pytest.raises(RequestError, match=r"x\.json: record schema 3 is newer .* up to 2"):
        update_document({"schema": 3}, "x.json")


def test_a_submission_is_part_of_the_file_only_where_there_is_one(tmp_path: Path) -> None:
    record = read_record(OLD[0])
    assert "submission" not in to_document(record)
    files = {"scores": Artefact(sha256="ab" * 32, bytes=7)}
    told = Submission(submitter="A. Nother", made_from="scores", files=files)
    submitted = record.model_copy(update={"submission": told, "trust": "rescored"})
    write_record(tmp_path / "record.json", submitted)
    found = read_record(tmp_path / "record.json")
    assert found == submitted
    assert isinstance(found, Record)
    assert found.submission == told
