"""What may be published, and what publishing writes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing.published_tables import build
from harness.errors import RequestError
from harness.records.details_schema import Breakdown, Details, Group, GroupMetric, read_details
from harness.records.documents import sha256, sha256_file
from harness.records.record import Artefact, Record
from harness.records.record_files import read_record, read_records, write_record
from harness.registry.check import check
from harness.registry.publication import publish, published_otherwise
from harness.registry.verify_record import record_files
from tests.board.conftest import make_data, make_record

SCORES = b"scores of a run"
NAMED = {"scores": Artefact(sha256=sha256(SCORES), bytes=len(SCORES))}

Run = Callable[..., Path]


def git(repository: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repository), *who, *arguments], check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A real work tree with one commit."""
    folder = tmp_path / "repository"
    (folder / "leaderboards").mkdir(parents=True)
    (folder / "code.py").write_text("x = 1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "code.py")
    git(folder, "commit", "--quiet", "-m", "Begin")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Write a run's folder: its record and its scores."""

    def write(name: str = "run", **changes: Any) -> Path:
        path = tmp_path / "runs" / name / "record.json"
        write_record(path, make_record(**{"artefacts": NAMED} | changes))
        path.with_name("scores.npz").write_bytes(SCORES)
        return path

    return write


def published(repository: Path) -> list[str]:
    folder = repository / "leaderboards"
    return sorted(path.name.rsplit("-", 1)[0] for path in folder.glob("records/**/*.*"))


def test_a_record_is_published_with_its_scores_and_tables(repository, run):
    folder = repository / "leaderboards"
    written = publish(read_records([run()]), folder, repository)
    place = folder / "records" / "speaker" / "quick" / "open-26666"
    assert {path.parent for path in written} == {folder, folder / "site", place}
    assert published(repository) == ["ecapa-512-aam-seed0"] * 2
    (scores,) = place.glob("*.scores.npz")
    assert scores.read_bytes() == SCORES
    assert build(folder) == []


def details(value: float = 0.25, *, without: tuple[str, ...] = ()) -> Callable[[Path, Record], Any]:
    """Makes the details of a run: one group of one number."""

    def of(path: Path, _: Record) -> Details | None:
        if path.parent.name in without:
            return None
        group = Group(name="a", units=3, items=9, metrics={"accuracy": GroupMetric(value=value)})
        breakdown = Breakdown(title="class", rule="items of it", groups=(group,))
        return Details(record=sha256_file(path), breakdowns={"class": breakdown})

    return of


def details_files(folder: Path) -> list[Path]:
    return sorted((folder / "records").rglob("*.details.json"))


def test_details_are_published_beside_their_record(repository, run):
    folder = repository / "leaderboards"
    paths = [run("told"), run("untold", seed=7)]
    written = publish(read_records(paths), folder, repository, details=details(without=("untold",)))
    (beside,) = details_files(folder)
    assert beside in written
    record = beside.with_name(beside.name.replace(".details", ""))
    assert "seed0" in record.name
    assert read_details(beside).is_of(record)


def test_details_come_to_records_that_are_published_already(repository, run):
    folder = repository / "leaderboards"
    publish(read_records([run()]), folder, repository)
    publish(read_records([run()]), folder, repository, details=details())
    (beside,) = details_files(folder)
    before = beside.read_bytes()
    # Another processor may round the last digit otherwise.
    publish(read_records([run()]), folder, repository, details=details(0.2500001))
    assert beside.read_bytes() == before


def test_published_details_are_never_edited(repository, run):
    folder = repository / "leaderboards"
    publish(read_records([run()]), folder, repository, details=details())
    with pytest.raises(RequestError, match=r"details\.json: published already with another"):
        publish(read_records([run()]), folder, repository, details=details(0.3))


def test_publishing_again_writes_nothing(repository, run):
    publish(read_records([run()]), repository / "leaderboards", repository)
    assert publish(read_records([run()]), repository / "leaderboards", repository) == []


def test_a_dirty_tree_is_refused_with_its_files(repository, run):
    (repository / "code.py").write_text("x = 2\n")
    (repository / "new é.py").write_text("")
    with pytest.raises(RequestError, match=r"code\.py, new é\.py; commit or stash"):
        publish(read_records([run()]), repository / "leaderboards", repository)
    assert published(repository) == []


def test_changes_of_published_files_do_not_count(repository, run):
    (repository / "leaderboards" / "x.txt").write_text("")
    assert publish(read_records([run()]), repository / "leaderboards", repository)


def test_a_folder_without_git_is_refused(tmp_path, run):
    with pytest.raises(RequestError, match="not a git work tree"):
        publish(read_records([run()]), tmp_path / "out", tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "0123abc+dirty"}, "in no commit"),
        ({"state": "failed", "reason": "loss became NaN"}, "failed rows must be asked for"),
    ],
)
def test_some_records_are_refused_and_nothing_is_written(repository, run, changes, said):
    with pytest.raises(RequestError, match=said):
        publish(
            read_records([run("good"), run("bad", seed=7, **changes)]),
            repository / "out",
            repository,
        )
    assert not (repository / "out").exists()


def test_left_out_items_are_refused(repository, run):
    with pytest.raises(RequestError, match="1 items were left out"):
        publish(
            read_records([run(dataset=make_data(left_out=("a.wav",)))]),
            repository / "out",
            repository,
        )


def test_failed_rows_are_published_when_asked_for(repository, run):
    failed = run(state="failed", reason="loss became NaN", metrics={}, artefacts={})
    publish(read_records([failed]), repository / "leaderboards", repository, include_failed=True)
    assert "failed: loss became NaN" in (repository / "leaderboards" / "speaker.md").read_text()


def test_private_scores_stay_where_they_are(repository, run):
    publish(
        read_records([run(dataset=make_data(publish_scores=False))]),
        repository / "leaderboards",
        repository,
    )
    assert published(repository) == ["ecapa-512-aam-seed0"]


def test_large_scores_stay_where_they_are(repository, run):
    large = {"scores": Artefact(sha256=sha256(SCORES), bytes=1_000_001)}
    publish(read_records([run(artefacts=large)]), repository / "leaderboards", repository)
    assert published(repository) == ["ecapa-512-aam-seed0"]


def test_scores_of_another_run_are_refused(repository, run):
    path = run()
    path.with_name("scores.npz").write_bytes(b"others")
    with pytest.raises(RequestError, match="not the scores that its record names"):
        publish(read_records([path]), repository / "leaderboards", repository)


def test_a_published_record_is_never_edited(repository, run):
    folder = repository / "leaderboards"
    publish(read_records([run()]), folder, repository)
    (record,) = folder.glob("records/**/*.json")
    kept = record.read_bytes()
    with pytest.raises(RequestError, match="never edited"):
        publish(read_records([run(value=0.001)]), folder, repository)
    assert record.read_bytes() == kept
    assert build(folder) == []


def test_a_raised_protocol_of_the_same_keys_has_a_place_beside_the_earlier_one(repository, run):
    """Its other data changed, and nothing of this dataset: what trains nothing is not run again."""
    folder = repository / "leaderboards"
    earlier = make_record()
    raised = earlier.protocol.model_copy(update={"version": earlier.protocol.version + 1})
    publish(read_records([run("before")]), folder, repository)
    again = read_records([run("after", protocol=raised)])
    assert published_otherwise(again, folder) == []
    publish(again, folder, repository)
    records = record_files(folder)
    assert {read_record(path).protocol.version for path in records} == {1, 2}
    assert [line for line in check(folder) if "belongs" in line] == []
    assert publish(again, folder, repository) == []


def test_two_records_for_one_place_are_refused(repository, run):
    with pytest.raises(RequestError, match="another record of this call"):
        publish(
            read_records([run("a"), run("b", value=0.001)]), repository / "leaderboards", repository
        )
