"""What a build remembers: that nothing changed, and never that something did not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing import build_cache, published_tables
from harness.board.publishing.published_tables import build
from harness.board.record_paths import record_path
from harness.board.standing.curve_axes import DatasetAxis
from harness.records.record import Record
from harness.records.record_files import write_record
from harness.registry.check import check
from tests.keys import list_key, make_key, needs_keys, publish_with_scores, sign_records

Count = Callable[[], int]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, which remembers builds of few records too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(build_cache, "LEAST", 1)
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path, make: Callable[..., Record]) -> Path:
    """Published tables, written long enough ago for their times to be believed."""
    folder = tmp_path / "tables"
    for record in (make("a"), make("bb", value=0.2)):
        publish_with_scores(folder, record)
    settle(folder)
    build(folder)
    return folder


def settle(folder: Path, seconds: int = 100) -> None:
    """Make all files older."""
    for path in folder.rglob("*.json"):
        past = path.stat().st_mtime_ns - seconds * 10**9
        os.utime(path, ns=(past, past))


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> Count:
    """How many families were rendered since."""
    real, calls = published_tables.render_families, list[int]()

    def counted(*arguments):  # type: ignore[no-untyped-def]
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(published_tables, "render_families", counted)
    return lambda: len(calls)


def a_record(folder: Path) -> Path:
    return min((folder / "records").rglob("*.json"))


def test_what_did_not_change_is_not_rendered_again(folder, renderings):
    assert build(folder) == []
    assert renderings() == 0
    assert check(folder) == []


def test_records_are_not_even_read(folder, monkeypatch):
    read: list[Path] = []
    monkeypatch.setattr(build_cache, "sha256_file", lambda path: read.append(path) or "")
    assert build(folder) == []
    assert read == []


def test_a_record_that_comes_goes_or_changes_is_noticed(folder, renderings, make):
    new = make("ccc")
    write_record(folder / record_path(new), new)
    assert folder / "speaker.md" in build(folder)
    (folder / record_path(new)).unlink()
    assert folder / "speaker.md" in build(folder)
    path = a_record(folder)
    path.write_text(path.read_text().replace('"test_looks": 1', '"test_looks": 2'))
    assert folder / "speaker.md" in build(folder)
    assert renderings() == 3
    assert "scored more than once" in (folder / "speaker.md").read_text()


def test_a_change_that_keeps_size_and_time_is_noticed_while_the_file_is_new(folder, renderings):
    path = a_record(folder)
    os.utime(path)  # now
    assert build(folder) == []
    stat = path.stat()
    path.write_text(path.read_text().replace('"attempt": 1', '"attempt": 7'))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    build(folder)
    assert renderings() == 1


def test_a_file_touched_and_not_changed_is_read_and_nothing_is_rendered(folder, renderings):
    settle(folder, seconds=50)
    assert build(folder) == []
    assert renderings() == 0
    assert build(folder) == []


@pytest.mark.parametrize("name", ["speaker.md", "speaker.json", "README.md", "site/index.html"])
def test_a_written_file_that_was_edited_or_is_gone_is_written_again(folder, renderings, name):
    wanted = (folder / name).read_bytes()
    (folder / name).write_bytes(wanted.replace(b"e", b"a"))
    assert build(folder) == [folder / name]
    (folder / name).unlink()
    assert build(folder) == [folder / name]
    assert (folder / name).read_bytes() == wanted
    assert renderings() == 2


def test_a_picture_that_is_gone_is_drawn_again(folder):
    (picture,) = folder.rglob("*.svg")
    picture.unlink()
    assert build(folder) == [picture]
    assert build(folder) == []


def test_details_and_references_count_as_records_do(folder, renderings):
    (folder / "references.toml").write_text("schema = 1\n")
    build(folder)
    assert renderings() == 1
    a_record(folder).with_suffix(".details.json").write_text(
        json.dumps({"schema": 1, "record": "0" * 64, "det": None, "breakdowns": {}})
    )
    build(folder)
    assert renderings() == 2
    build(folder)
    assert renderings() == 2


@needs_keys
def test_what_decides_trust_counts_as_records_do(folder, tmp_path, renderings):
    key, record = make_key(tmp_path), a_record(folder)
    (signature,) = sign_records([record], key)
    build(folder)
    list_key(folder, key)
    assert folder / "speaker.md" in build(folder)
    signature.unlink()
    assert folder / "speaker.md" in build(folder)
    min(folder.rglob("*.scores.npz")).write_bytes(b"")
    assert folder / "speaker.md" in build(folder)
    assert renderings() == 4


def test_the_programs_that_make_files_are_known_by_all_of_their_sources(monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr(build_cache, "digest", seen.append)
    build_cache.program_digest.__wrapped__()
    _, sources, libraries = seen[0]
    for name in (
        "writing/charts.py",
        "site/pages/section.html",
        "site/assets/main.js",
    ):
        assert f"board/{name}" in sources
    assert {"metrics/significance.py", "records/record.py"} <= sources.keys()
    assert not any(name.endswith(".pyc") for name in sources)
    assert set(libraries) == set(build_cache.LIBRARIES)


def test_another_order_of_suites_renders_again(folder, renderings, monkeypatch):
    monkeypatch.setattr(published_tables, "suite_order", lambda _: ("image", "speaker"))
    build(folder)
    build(folder)
    assert renderings() == 1


def test_another_number_of_a_dataset_renders_again(folder, renderings, monkeypatch):
    axes = {"speaker": DatasetAxis("imbalance", {"a": 1.0})}
    monkeypatch.setattr(published_tables, "suite_axes", lambda _: axes)
    build(folder)
    build(folder)
    assert renderings() == 1


def test_other_programs_render_again(folder, renderings, monkeypatch):
    monkeypatch.setattr(build_cache, "program_digest", lambda: "another version")
    assert build(folder) == []
    assert renderings() == 1
    assert build(folder) == []
    assert renderings() == 1


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"made_by": 1}', '{"inputs": {"a": 1}}'])
def test_a_damaged_memory_is_none(folder, kept, renderings, content):
    (file,) = kept.rglob("board-*.json")
    file.write_text(content)
    assert build(folder) == []
    assert renderings() == 1
    assert build(folder) == []
    assert renderings() == 1


def test_a_cache_that_cannot_be_written_costs_time_alone(folder, kept, renderings, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(a_record(folder)))
    assert build(folder) == []
    assert build(folder) == []
    assert renderings() == 2


def test_few_records_are_not_remembered(tmp_path, kept, make, monkeypatch):
    monkeypatch.setattr(build_cache, "LEAST", 500)
    folder = tmp_path / "few"
    write_record(folder / record_path(make()), make())
    build(folder)
    assert not kept.exists()


def test_folders_are_remembered_apart(folder, tmp_path, kept, make):
    other = tmp_path / "other"
    write_record(other / record_path(make()), make())
    assert build(other) != []
    assert len(list(kept.rglob("board-*.json"))) == 2
    assert build(other) == build(folder) == []


def test_nothing_is_kept_among_the_published_files(folder):
    hidden = [path for path in folder.rglob("*") if path.name.startswith(".")]
    assert hidden == []
