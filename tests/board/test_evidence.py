"""The trust that files beside a record give it, and what a signature of it covers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.board.evidence import (
    Evidence,
    digest_chain,
    finished_at,
    is_unseen,
    parse_time,
    signer_of,
    trust_of,
)
from harness.board.record_store import load
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.console import show
from harness.board.writing.json_document import document
from harness.board.writing.markdown import section
from harness.records.documents import sha256_file
from harness.records.record import Artefact, Record, Submission
from harness.records.record_files import read_record
from harness.records.signature import SignatureError, Signers, read_signers
from tests.board.conftest import make_data
from tests.keys import list_key, make_key, needs_keys, publish_with_scores, sign_records

Make = Callable[..., Record]

SCORES = {"scores": Artefact(sha256="a" * 64, bytes=1000)}
LARGE = {"scores": Artefact(sha256="a" * 64, bytes=5_000_000)}
FORBIDDEN = {"dataset": make_data(publish_scores=False)}
GIVEN = {"submission": Submission(made_from="scores")}
FAILED = {"state": "failed", "reason": "loss became NaN", "metrics": {}}


@pytest.mark.parametrize(
    ("said", "scores", "signed", "attested", "earned"),
    [
        ({}, True, False, False, "rescored"),
        ({}, True, True, False, "measured"),
        ({}, True, True, True, "reproduced"),
        ({}, True, False, True, "rescored"),
        ({}, False, False, False, "claimed"),
        ({}, False, True, False, "claimed"),  # its scores could lie there
        ({"artefacts": {}}, False, False, False, "claimed"),
        ({"artefacts": {}}, False, True, False, "claimed"),
        ({"artefacts": LARGE}, False, False, False, "claimed"),
        ({"artefacts": LARGE}, False, True, False, "measured"),
        (FORBIDDEN, False, False, False, "claimed"),
        (FORBIDDEN, False, True, False, "measured"),
        (FORBIDDEN, False, True, True, "reproduced"),
        ({"trust": "rescored"}, True, True, True, "rescored"),
        ({"trust": "claimed"}, True, True, True, "claimed"),
        ({"trust": "reproduced"}, True, False, False, "rescored"),
        ({"trust": "reproduced"}, True, True, False, "measured"),
        (GIVEN, True, True, False, "rescored"),  # whatever it says, nobody here ran it
        (FAILED, False, False, False, "rescored"),
        (FAILED, False, True, False, "measured"),
    ],
)
def test_trust_is_what_lies_beside_a_record(
    make: Make, said: dict[str, Any], scores: bool, signed: bool, attested: bool, earned: str
) -> None:
    record = make(**{"artefacts": SCORES} | said)
    evidence = Evidence(has_scores=scores, is_signed=signed, is_attested=attested)
    assert trust_of(record, evidence) == earned
    alone = record.state == "done" and earned != "claimed" and not scores
    assert is_unseen(record, evidence) is alone


def test_a_chain_covers_all_that_a_number_rests_on(make: Make) -> None:
    record = make(artefacts=SCORES | {"checkpoint": Artefact(sha256="c" * 64, bytes=1)})
    assert json.loads(digest_chain(record, "d" * 64, None)) == {
        "schema": 1,
        "signs": "record",
        "record": "d" * 64,
        "lock": "b" * 64,
        "code": "0123abc",
        "training": record.stages["train"].key,
        "checkpoint": "c" * 64,
        "scores": "a" * 64,
        "details": None,
    }
    bare = json.loads(digest_chain(make(stages={}), "d" * 64, "e" * 64))
    assert [bare[part] for part in ("training", "checkpoint", "scores")] == [None] * 3
    assert bare["details"] == "e" * 64


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_time(text) is None


def test_a_record_ends_when_it_says_or_its_last_stage(make: Make) -> None:
    assert finished_at(make(finished="2026-03-01T01:00:00+02:00")).hour == 23
    assert finished_at(make()) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert finished_at(make(stages={})).year == 9999


@pytest.fixture
def published(make: Make, tmp_path: Path) -> Path:
    """A record with its scores."""
    return publish_with_scores(tmp_path / "tables", make())


@pytest.fixture
def top(published: Path) -> Path:
    """The published folder."""
    return published.parents[4]


def trust(top: Path, path: Path) -> str:
    (record,) = load(top, [path]).records.values()
    return record.trust


def edited(path: Path) -> None:
    path.write_text(path.read_text().replace('"attempt": 1', '"attempt": 2'))


def detailed(path: Path) -> None:
    told = {"schema": 1, "record": sha256_file(path), "det": None, "breakdowns": {}}
    path.with_suffix(".details.json").write_text(json.dumps(told))


def cut(path: Path) -> None:
    signature = path.with_suffix(".sig")
    signature.write_text(signature.read_text()[:-60])


def bytes_of_nothing(path: Path) -> None:
    path.with_suffix(".sig").write_bytes(bytes(range(256)))


def long(path: Path) -> None:
    path.with_suffix(".sig").write_bytes(b"-" * 1_000_000)


@needs_keys
@pytest.mark.parametrize("change", [edited, detailed, cut, bytes_of_nothing, long])
def test_a_signature_counts_of_what_was_signed_alone(
    top: Path, published: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    key = make_key(tmp_path)
    list_key(top, key)
    sign_records([published], key)
    assert trust(top, published) == "measured"
    change(published)
    assert trust(top, published) == "rescored"


@needs_keys
def test_a_key_counts_for_what_ended_in_its_time(
    top: Path, published: Path, tmp_path: Path
) -> None:
    key = make_key(tmp_path)
    sign_records([published], key)
    assert trust(top, published) == "rescored"  # nobody is listed
    list_key(top, key, options='valid-before="20260101"')
    assert trust(top, published) == "rescored"
    (top / "signers").unlink()
    list_key(top, key, options='valid-before="20260103"')
    assert trust(top, published) == "measured"


@needs_keys
def test_signatures_are_of_one_record(top: Path, published: Path, tmp_path: Path, make: Make):
    key, other = make_key(tmp_path), publish_with_scores(top, make(seed=1))
    list_key(top, key)
    (signature,) = sign_records([published], key)
    other.with_suffix(".sig").write_bytes(signature.read_bytes())
    assert trust(top, other) == "rescored"
    signers = read_signers(top / "signers")
    assert signer_of(published, read_record(published), signers).name == "ann"
    with pytest.raises(SignatureError, match="no signature of this content"):
        signer_of(other, read_record(other), signers)
    with pytest.raises(SignatureError, match="does not list"):
        signer_of(published, read_record(published), Signers())


def test_scores_of_another_size_are_no_evidence(top: Path, published: Path) -> None:
    published.with_suffix(".scores.npz").write_bytes(b"")
    assert trust(top, published) == "claimed"


def test_what_a_signature_alone_carries_is_flagged_and_ranked(make: Make) -> None:
    seen = FiledRecord(make("seen", value=0.2))
    unseen = FiledRecord(make("unseen"), is_unseen=True)
    (table,) = tables([seen, unseen])
    assert table.ranking.ranks == (1, 2)
    assert "measured (signed, scores not published)" in section(table)
    console = Console(width=200, record=True, file=io.StringIO())
    show([table], console)
    assert (
        "Signed, scores not published, as licence or size forbid it: unseen + aam."
        in console.export_text()
    )
    (told,) = document([table])["tables"]
    assert [(row["trust"], row["flag"]) for row in told["rows"]] == [
        ("measured", "signed, scores not published"),
        ("measured", None),
    ]
