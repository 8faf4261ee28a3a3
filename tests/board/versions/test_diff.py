"""Two sets of published tables, held against each other."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.versions.table_diff import (
    diff_document,
    diff_text,
    differences,
    pair_tables,
    side,
)
from harness.errors import RequestError
from harness.records.record import Record, Stage
from tests.keys import publish_with_scores
from tests.places import ROOT

Write = Callable[..., Path]


@pytest.fixture
def write(make, protocol, tmp_path: Path) -> Write:
    """Publish a record below a folder."""

    def record(folder: str, model: str, version: int = 1, value: float = 0.05, **changes) -> Path:
        suite = changes.pop("suite", "speaker")
        rules = protocol(suite=suite, suite_title=suite, version=version, digest=str(version) * 64)
        stage = Stage(key=f"{model} {version} {value} {suite}", inputs={}, finished=f"20{version}")
        found = make(model, value=value, protocol=rules, stages={"train": stage}, **changes)
        return publish_with_scores(tmp_path / folder, found)

    return record


def diff(before: str, after: str, folder: Path) -> str:
    with side(before, folder) as was, side(after, folder) as now:
        return diff_text(was, now, differences(was, now))


def git(repository: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repository), *who, *arguments], check=True)


def test_versions_of_a_suite(write, tmp_path):
    for version in (1, 2):
        write("t", "a", version, 0.05 * version)
        write("t", "bb", version, 0.2)
    write("t", "new", 2)
    write("t", "word", 1, suite="words")
    text = diff("speaker@1", "speaker@2", tmp_path / "t")
    assert text.startswith("# Changes from speaker@1 to speaker@2\n\n## speaker: open-26666")
    assert "- New: new + aam." in text
    assert "words" not in text
    assert diff("speaker@2", "speaker@2", tmp_path / "t").endswith("\n\nNothing changed.\n")


def test_two_suites_are_compared_by_their_data(write, tmp_path):
    write("t", "a", suite="one")
    write("t", "a", value=0.06, suite="two")
    text = diff("one@1", "two@1", tmp_path / "t")
    assert "| suite" in text
    assert "a + aam" in text


def test_folders_and_a_row_that_is_gone(write, tmp_path):
    gone = write("before", "gone")
    write("before", "kept")
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    (tmp_path / "after" / gone.relative_to(tmp_path / "before")).unlink()
    write("after", "a", suite="words")
    text = diff(str(tmp_path / "before"), str(tmp_path / "after"), tmp_path)
    assert "- No longer there: gone + aam." in text
    assert "## words: open-26666" in text
    assert "- New table: a + aam." in text
    back = diff(str(tmp_path / "after"), str(tmp_path / "before"), tmp_path)
    assert "- New: gone + aam." in back
    assert "- No longer there: a + aam." in back


def test_an_archived_row_that_is_gone_is_named_too(write, tmp_path):
    gone = write("before", "gone", 1)
    for version in (1, 2):
        write("before", "kept", version)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    (tmp_path / "after" / gone.relative_to(tmp_path / "before")).unlink()
    text = diff(str(tmp_path / "before"), str(tmp_path / "after"), tmp_path)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## speaker: open-26666 (synthetic), quick profile, protocol 1"
    ]
    assert "gone" in text


def test_a_new_version_is_held_against_the_newest_before(write, tmp_path):
    write("before", "a", 1)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    write("after", "a", 2, value=0.04)
    text = diff(str(tmp_path / "before"), str(tmp_path / "after"), tmp_path)
    assert "| protocol version" in text
    assert "protocol 1\n" not in text
    assert "No longer there" not in text


def test_a_version_beside_a_folder_is_about_its_suite_alone(write, tmp_path):
    write("t", "a")
    write("t", "b", suite="words")
    assert diff("speaker@1", str(tmp_path / "t"), tmp_path / "t").endswith("Nothing changed.\n")


def test_a_revision_is_read_through_git(write, tmp_path):
    repository = tmp_path / "r"
    repository.mkdir()
    git(repository, "init", "--quiet")
    folder = repository / "leaderboards"
    write("r/leaderboards", "a")
    gone = write("r/leaderboards", "gone")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "Begin")
    git(repository, "tag", "begin")
    gone.unlink()
    write("r/leaderboards", "new", value=0.2)
    text = diff("git:begin", str(folder), folder)
    assert "- New: new + aam." in text
    assert "- No longer there: gone + aam." in text
    assert diff("git:begin", "git:HEAD", folder).endswith("Nothing changed.\n")
    assert not gone.exists()


@pytest.mark.parametrize("revision", ["nix", "--help", "HEAD:file", ""])
def test_what_is_no_revision_is_refused(write, tmp_path, revision):
    git(tmp_path, "init", "--quiet")
    write("leaderboards", "a")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "Begin")
    with pytest.raises(RequestError, match=r"^git:.*: no revision of .*; give a branch, a tag"):
        diff(f"git:{revision}", "speaker@1", tmp_path / "leaderboards")


def test_a_revision_without_records_and_a_folder_without_git_are_refused(write, tmp_path):
    write("plain", "a")
    with pytest.raises(RequestError, match="not a git work tree"):
        diff("git:HEAD", "speaker@1", tmp_path / "plain")
    repository = tmp_path / "r"
    repository.mkdir()
    git(repository, "init", "--quiet")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    with pytest.raises(RequestError, match="git:HEAD: holds no published records below tables"):
        diff("git:HEAD", "speaker@1", repository / "tables")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("speaker", "speaker: no such tables; give SUITE@VERSION, a folder"),
        ("speker@1", r"has no suite 'speker'; did you mean 'speaker'\?"),
        ("speaker@3", "speaker has no protocol version 3; known: 1, 2"),
        ("speaker@x", "no such tables"),
    ],
)
def test_what_is_no_side_is_refused(write, tmp_path, asked, said):
    write("t", "a", 1)
    write("t", "a", 2)
    with pytest.raises(RequestError, match=said):
        diff(asked, "speaker@1", tmp_path / "t")


def test_a_folder_that_is_none_of_tables_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="holds no published records"):
        diff(str(tmp_path / "empty"), str(tmp_path / "empty"), tmp_path)


def test_a_table_is_of_the_one_with_its_rules_before_all(make, protocol, data):
    def table(version: int, digest: str = "a", lock: str = "b"):
        record = make(
            protocol=protocol(version=version, digest=digest * 64), dataset=data(lock=lock * 64)
        )
        return tables([FiledRecord(record)])[0]

    one, two, twin = table(1), table(2), table(2, digest="c")
    assert pair_tables([one, two, twin], [twin, two, one]) == [(twin, twin), (two, two), (one, one)]
    assert pair_tables([one], [two, one]) == [(one, two), (one, one)]
    three = table(3, lock="d")
    assert pair_tables([one, two], [three]) == [(two, three), (one, None)]
    assert pair_tables([], [one]) == [(None, one)]
    near, moved = table(2, digest="f", lock="d"), table(2, digest="e", lock="d")
    assert pair_tables([two, near], [moved])[0][0] is near


def test_published_tables_against_themselves_say_nothing():
    folder = str(ROOT / "leaderboards")
    assert diff(folder, folder, ROOT / "leaderboards").endswith("Nothing changed.\n")


def test_a_published_row_that_is_taken_away_is_the_whole_difference(tmp_path):
    place = "records/image/quick/digits"
    for name in ("before", "after"):
        shutil.copytree(ROOT / "leaderboards" / place, tmp_path / name / place)
    for path in (tmp_path / "after" / place).glob("efficientnet-b2-*.json"):
        path.unlink()
    folders = [str(tmp_path / name) for name in ("before", "after")]
    with side(folders[0], tmp_path) as was, side(folders[1], tmp_path) as now:
        (table,) = diff_document(was, now, differences(was, now))["tables"]
    assert table["changes"]["went"] == ["efficientnet-b2 + softmax"]
    assert table["changes"]["values"] == table["changes"]["rules"] == []
    assert (table["suite"], table["dataset"]) == ("image", "digits")


def test_output_is_the_same_whatever_the_order_of_files(write, tmp_path):
    names = ["a", "bb", "ccc"]
    for folder, order in (("one", names), ("two", names[::-1])):
        for name in order:
            write(folder, name)
            write(folder, name, 2, value=0.07)
    texts = {diff("speaker@1", "speaker@2", tmp_path / folder) for folder in ("one", "two")}
    assert len(texts) == 1


def test_the_document_names_what_was_compared(write, tmp_path):
    write("t", "a", 1)
    write("t", "a", 2, value=0.07)
    with side("speaker@1", tmp_path / "t") as was, side("speaker@2", tmp_path / "t") as now:
        document = diff_document(was, now, differences(was, now))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["schema"], document["before"], document["after"]) == (
        1,
        "speaker@1",
        "speaker@2",
    )
    (table,) = document["tables"]
    assert (table["before"]["version"], table["after"]["version"]) == (1, 2)
    assert table["before"]["entries"] == ["a + aam"]


def test_records_of_a_record_type_are_read_as_they_are(make: Callable[..., Record], tmp_path):
    path = publish_with_scores(tmp_path, make())
    path.with_name(path.stem + ".attestation-x.json").write_text("{}")
    (tmp_path / "records" / "readme.txt").write_text("no record")
    with side(str(tmp_path), tmp_path) as found:
        assert list(found.families) == [("speaker", "quick", "open-26666")]
