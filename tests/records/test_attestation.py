"""An attestation says something of exactly one record, as that was when it was made again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.board.companions import record_of
from harness.board.record_paths import is_record
from harness.errors import RequestError
from harness.records.attestation import (
    Attestation,
    attestation_path,
    find_attestations,
    read_attestation,
    write_attestation,
    wrong_attestation,
)
from harness.records.documents import readable_json, sha256_file
from harness.records.record import Artefact

OLD = Path(__file__).parent / "old"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    source = next(OLD.glob("ecapa*.json"))
    return Path(shutil.copy(source, tmp_path))


def made(path: Path, **changes: Any) -> Attestation:
    fields: dict[str, Any] = {
        "record": sha256_file(path),
        "metric": "eer",
        "recorded": 0.1739,
        "reproduced": 0.18,
        "low": 0.15,
        "high": 0.2,
        "rule": "seeds",
        "told": "95 % of pairs of seeds",
        "code": "a" * 40,
        "finished": "2026-01-02T03:04:05+00:00",
    }
    return Attestation(**fields | changes)


def test_it_lies_beside_its_record_and_is_found_there(record: Path) -> None:
    path = write_attestation(record, made(record))
    assert path.parent == record.parent
    assert path.name.startswith(record.stem + ".attestation-")
    assert not is_record(path.name)
    assert record_of(path.name) == record.name
    assert find_attestations(record) == [path]
    assert read_attestation(path) == made(record)
    assert wrong_attestation(path, record) == ""
    assert path.read_text() == readable_json(json.loads(path.read_text()))
    assert json.loads(path.read_text())["schema"] == 1


def test_its_chain_is_of_all_that_it_says_and_of_its_scores(record: Path) -> None:
    scores = Artefact(sha256="5" * 64, bytes=5)
    told = made(record, scores=scores)
    path = write_attestation(record, told)
    assert read_attestation(path) == told
    assert json.loads(told.chain) == {
        "schema": 1,
        "signs": "attestation",
        "attestation": sha256_file(path),
        "scores": "5" * 64,
        "record": sha256_file(record),
    }
    assert "scores" not in made(record).model_dump()
    others = [made(record), made(record, scores=scores, by="B"), made(record, record="0" * 64)]
    assert len({told.chain, *(each.chain for each in others)}) == 4


def test_two_that_make_one_again_have_two_files(record: Path) -> None:
    paths = {write_attestation(record, made(record, by=by)) for by in ("A", "B")}
    assert len(paths) == 2
    assert set(find_attestations(record)) == paths


def test_of_other_bytes_it_says_nothing(record: Path) -> None:
    path = write_attestation(record, made(record))
    record.write_bytes(record.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    assert "of another record" in wrong_attestation(path, record)
    with pytest.raises(RequestError, match="changed since"):
        write_attestation(record, made(record, record="0" * 64))


def test_edited_it_is_not_what_its_name_says(record: Path) -> None:
    path = write_attestation(record, made(record))
    document = json.loads(path.read_text())
    path.write_text(readable_json({**document, "by": "somebody else"}))
    assert "its name is not that of its content" in wrong_attestation(path, record)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reproduced": 0.21}, "out of the range"),
        ({"reproduced": 0.1}, "out of the range"),
        ({"code": "a" * 40 + "+dirty"}, "in no commit"),
        ({"code": ""}, "in no commit"),
        ({"record": "abc"}, "String should match"),
        ({"rule": "a friend said so"}, "Input should be"),
    ],
)
def test_what_was_not_made_again_cannot_be_attested(
    record: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        made(record, **changes)
    path = attestation_path(record, made(record))
    document = made(record).model_dump(mode="json", by_alias=True)
    path.write_text(readable_json(document | changes))
    assert message in wrong_attestation(path, record)


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 2}', '{"schema": 1}'])
def test_another_file_of_that_name_is_refused(record: Path, content: str) -> None:
    path = record.with_name(f"{record.stem}.attestation-0.json")
    path.write_text(content)
    with pytest.raises(RequestError, match=r"attestation-0\.json: (not|attestation schema)"):
        read_attestation(path)


def test_where_there_is_no_folder_there_is_none(tmp_path: Path) -> None:
    assert find_attestations(tmp_path / "none" / "record.json") == []
