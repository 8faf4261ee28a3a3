"""The series of a training beside its published record: published, checked, admitted."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.board.publishing.published_tables import build
from harness.board.record_paths import record_path, series_path
from harness.errors import RequestError
from harness.records.documents import sha256
from harness.records.record import Artefact
from harness.records.record_files import read_records, write_record
from harness.registry.admission import admit
from harness.registry.check import check
from harness.registry.publication import publish
from harness.series.series_file import FILE, PUBLISHED, SeriesWriter, published_bytes
from tests.board.conftest import make_record
from tests.board.published_copy import Copy, edit, git, make_copy, rebind

LINE = b'{"step": 1, "epoch": 1.0, "seconds": 0.5, "values": {"Train/Loss": 0.25}}\n'
FIRST = b'{"series": 1, "facts": {}}\n'


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which one record is new: nothing of it is in the commit."""
    copy = make_copy(tmp_path_factory.mktemp("template") / "repository")
    copy.make_new(copy.record("efficientnet-b2"))
    return copy


def packed(folder: Path) -> bytes:
    """The series of a training of three steps, as it is published."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = SeriesWriter(folder, {"entry": "a"}, 0, float)
    for step in (1, 2, 3):
        writer.add(step, 0.5 * step, {"Train/Loss": 1 / step})
    writer.flush()
    return published_bytes(folder / FILE)


def named(content: bytes) -> dict[str, object]:
    return {"sha256": sha256(content), "bytes": len(content)}


def put(copy: Copy, content: bytes) -> Path:
    """Put a series beside the new record, which names it; gives its path."""
    record = copy.record("efficientnet-b2")
    edit(record, lambda document: document["artefacts"].update(series=named(content)))
    rebind(record)
    beside = record.with_name(series_path(record.name))
    beside.write_bytes(content)
    build(copy.folder)
    return beside


def complaints(copy: Copy) -> list[str]:
    return list(admit(copy.folder, "HEAD", copy.loaded).complaints)


def test_a_record_is_published_with_its_series(tmp_path: Path) -> None:
    repository, content = tmp_path / "repository", packed(tmp_path / "run")
    (repository / "leaderboards").mkdir(parents=True)
    git(repository, "init", "--quiet")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    run, folder = tmp_path / "run" / "record.json", repository / "leaderboards"
    record = make_record(artefacts={"series": Artefact.model_validate(named(content))})
    write_record(run, record)

    def refused(said: str) -> None:
        with pytest.raises(RequestError, match=said):
            publish(read_records([run]), folder, repository)
        assert not list(folder.rglob("*.gz"))

    refused(r"series\.jsonl\.gz: missing; the record's series are published beside it")
    run.with_name(PUBLISHED).write_bytes(content + b"\0")
    refused(r"series\.jsonl\.gz: not the series that its record names")
    run.with_name(PUBLISHED).write_bytes(content)
    publish(read_records([run]), folder, repository)
    assert (folder / series_path(record_path(record))).read_bytes() == content


def test_a_series_that_is_its_records_own_is_taken(copy: Copy, tmp_path: Path) -> None:
    put(copy, packed(tmp_path / "run"))
    assert check(copy.folder) == []
    assert complaints(copy) == []


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize(
    ("change", "said"),
    [(edited, "its record says"), (os.unlink, "missing; its record is published with its series")],
)
def test_a_series_that_its_record_does_not_name_is_refused(
    copy: Copy, tmp_path: Path, change: Callable[[Path], None], said: str
) -> None:
    beside = put(copy, packed(tmp_path / "run"))
    change(beside)
    for lines in (check(copy.folder), complaints(copy)):
        assert [line for line in lines if copy.name(beside) in line and said in line]


def test_a_series_beside_a_record_that_names_none_is_told(copy: Copy) -> None:
    beside = copy.folder / series_path(copy.name(copy.record("efficientnet-b0")))
    beside.write_bytes(b"")
    build(copy.folder)
    assert check(copy.folder) == [f"{copy.name(beside)}: its record names no series"]
    orphan = beside.with_name(f"nobody.{PUBLISHED}")
    beside.rename(orphan)
    assert check(copy.folder) == [f"{copy.name(orphan)}: stale, no record beside it; delete it"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(FIRST + LINE) + os.urandom(200_000), "at most 200,000 may be published"),
        (gzip.compress(FIRST + b"{}\n"), "neither values nor a vector nor a mark"),
        (gzip.compress(FIRST + LINE)[:-9], "a damaged gzip file"),
        (gzip.compress(bytes(64_000_001)), "over 64,000,000 bytes unpacked"),
    ],
    ids=["big", "other lines", "damaged", "bomb"],
)
def test_what_is_no_series_is_not_admitted(copy: Copy, content: bytes, said: str) -> None:
    beside = put(copy, content)
    assert [line for line in complaints(copy) if copy.name(beside) in line and said in line]
