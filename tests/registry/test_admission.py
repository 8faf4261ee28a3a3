"""New records held against the rules, on a copy of real ones in a git repository."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import typer
from typer.testing import CliRunner

from harness.board.git_tree import Snapshot
from harness.board.record_paths import record_path, scores_path
from harness.cli.board import admit as admit_command
from harness.datasets.lock import LockFile, read_lock
from harness.errors import RequestError
from harness.records.documents import digest
from harness.records.record import Metric, RecordedComponent, Stage, Submission
from harness.records.record_files import read_record, write_record
from harness.registry.admission import admit
from harness.registry.admission_rules import AGAIN, lock_edits
from tests.board.published_copy import ROOT, Copy, edit, git, make_copy


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which one record is new: nothing of it is in the commit."""
    copy = make_copy(tmp_path_factory.mktemp("template") / "repository")
    copy.make_new(copy.record("efficientnet-b2"))
    return copy


@pytest.fixture
def new(copy: Copy) -> Path:
    return copy.record("efficientnet-b2")


def complaints(copy: Copy, base: str = "HEAD") -> list[str]:
    return list(admit(copy.folder, base, copy.loaded).complaints)


def test_a_whole_new_record_is_admitted(copy: Copy, new: Path) -> None:
    came = admit(copy.folder, "HEAD", copy.loaded)
    assert came.new == (copy.name(new),)
    assert came.complaints == ()
    assert (came.first, came.unreadable) == (False, False)


def test_the_first_records_of_all_are_admitted(copy: Copy) -> None:
    git(copy.top, "checkout", "--quiet", "--orphan", "empty")
    git(copy.top, "rm", "--quiet", "-r", "--cached", ".")
    git(copy.top, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    came = admit(copy.folder, "HEAD", copy.loaded)
    assert (came.first, len(came.new), came.complaints) == (True, 4, ())


def _unknown_lock(document: dict[str, Any]) -> None:
    document["dataset"]["lock"] = "0" * 64


def _other_protocol(document: dict[str, Any]) -> None:
    document["protocol"]["version"] = 2


def _other_counts(document: dict[str, Any]) -> None:
    document["dataset"]["counts"]["test"]["items"] = 5


def _other_data(document: dict[str, Any]) -> None:
    stage = document["stages"]["train"]
    stage["inputs"]["dataset"]["content"] = "0" * 64
    stage["key"] = digest(stage["inputs"])


def _dirty(document: dict[str, Any]) -> None:
    document["code"] += "+dirty"


def _stage_dirty(document: dict[str, Any]) -> None:
    document["stages"]["train"]["code"] = "1" * 40 + "+dirty"


def _release(document: dict[str, Any]) -> None:
    document["code"] = "release 0.1"


def _reproduced(document: dict[str, Any]) -> None:
    document["trust"] = "reproduced"


def _claimed(document: dict[str, Any]) -> None:
    document["trust"] = "claimed"


def _rescored(document: dict[str, Any]) -> None:
    document["trust"] = "rescored"


def _left_out(document: dict[str, Any]) -> None:
    document["dataset"]["left_out"] = ["a.png"]


def _licence(document: dict[str, Any]) -> None:
    document["dataset"]["licence"] = "CC0-1.0"


def _unevaluated(document: dict[str, Any]) -> None:
    del document["stages"]["evaluate"]


def _untrained(document: dict[str, Any]) -> None:
    del document["stages"]["train"]


def _false_baseline(document: dict[str, Any]) -> None:
    document |= {"track": "baseline", "loss": None}


def _other_dataset(document: dict[str, Any]) -> None:
    document["dataset"]["name"] = "elsewhere"


def _unknown_commit(document: dict[str, Any]) -> None:
    document["code"] = "1" * 40


def _stage_of_unknown_commit(document: dict[str, Any]) -> None:
    document["stages"]["train"]["code"] = "2" * 40


def _no_date(document: dict[str, Any]) -> None:
    document["finished"] = "soon"


def _future(document: dict[str, Any]) -> None:
    document["stages"]["evaluate"]["finished"] = "2999-01-01T00:00:00+00:00"


def _no_attempt(document: dict[str, Any]) -> None:
    document["attempt"] = 0


def _negative_search(document: dict[str, Any]) -> None:
    document["searched"] = -3


def _no_look(document: dict[str, Any]) -> None:
    document["test_looks"] = 0


def _hidden(document: dict[str, Any]) -> None:
    document["dataset"]["publish_scores"] = False


def _unscored(document: dict[str, Any]) -> None:
    del document["artefacts"]["scores"]


def _large(document: dict[str, Any]) -> None:
    document["artefacts"]["scores"]["bytes"] = 5_000_000


SHOWS = "it says measured, and nothing beside it shows that; "


def _other_facts(document: dict[str, Any]) -> None:
    document["protocol"]["facts"]["accuracy"] |= {"higher_is_better": False, "title": "error"}


def _more_facts(document: dict[str, Any]) -> None:
    facts = document["protocol"]["facts"]
    facts["speed"] = facts["accuracy"] | {"title": "speed"}


def _other_titles(document: dict[str, Any]) -> None:
    document["protocol"]["suite_title"] = "The true board"
    document["dataset"] |= {"title": "ImageNet", "synthetic": True, "unit": "pixel"}


def _other_suite(document: dict[str, Any]) -> None:
    document["protocol"]["suite"] = "elsewhere"


def _no_facts(document: dict[str, Any]) -> None:
    document["protocol"]["primary"] = "eer"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_unknown_lock, "unknown lock 000000000000 of digits/quick; benchmark.lock has 30b445ca1e"),
        (_other_protocol, "unknown protocol 88e4e00d8c63 (version 2) of image/quick/digits"),
        (_other_counts, "dataset.counts are not those of lock 30b445ca1ebe of digits/quick"),
        (_other_data, "trained on another content of digits/quick than lock 30b445ca1ebe pins"),
        (_dirty, "+dirty'; a measured record names a commit without changes"),
        (_stage_dirty, "stage `train` is '111111"),
        (_release, "code is 'release 0.1'; a measured record names a commit"),
        (_reproduced, "only an attestation beside a record can say"),
        (_claimed, "a claim without its source"),
        (_claimed, "a claim with results of its own"),
        (_rescored, "its trust is 'rescored', and it was not submitted"),
        (_left_out, "1 items were left out"),
        (_licence, "dataset.licence is CC0-1.0, the benchmark's CC-BY-4.0"),
        (_unevaluated, "it is measured, and has no stage `evaluate`"),
        (_other_dataset, "dataset 'elsewhere' is not of benchmark.toml"),
        (
            _false_baseline,
            "its track is baseline, and the suite's is 'nearest class mean' of",
        ),
        (_untrained, "its track is matched, and it has no stage `train`"),
        (_unknown_commit, "code 111111111111 is no commit of this repository; push the commit"),
        (_stage_of_unknown_commit, "code 222222222222 is no commit of this repository"),
        (_no_date, "finished is 'soon', no time of ISO 8601"),
        (_future, "stages.evaluate.finished is '2999-01-01T00:00:00+00:00', which lies in the fut"),
        (_no_attempt, "attempt is 0; at least 1 is possible"),
        (_negative_search, "searched is -3; at least 1 is possible"),
        (_no_look, "test_looks is 0; at least 1 is possible"),
        (_hidden, "dataset.publish_scores is false, the benchmark's true"),
        (_hidden, SHOWS + "its scores may not lie there, so that a signature has to"),
        (_unscored, SHOWS + "publish its scores beside it"),
        (_large, SHOWS + "its scores may not lie there, so that a signature has to"),
        (_other_facts, "protocol.facts.accuracy.higher_is_better is false, the benchmark's true"),
        (_other_facts, "protocol.facts.accuracy.title is error, the benchmark's "),
        (_more_facts, 'protocol.facts.speed is {"decimals":'),
        (_other_titles, "protocol.suite_title is The true board, the benchmark's "),
        (_other_titles, "dataset.title is ImageNet, the benchmark's "),
        (_other_titles, "dataset.synthetic is true, the benchmark's false"),
        (_other_titles, "dataset.unit is pixel, the benchmark's "),
        (_other_suite, "suite 'elsewhere' is not of benchmark.toml"),
        (_no_facts, "protocol.primary is eer, the benchmark's accuracy"),
        (_no_facts, "its protocol has no facts of its primary metric 'eer'"),
    ],
)
def test_what_a_new_record_may_not_say_is_named_with_its_file(
    copy: Copy, new: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    edit(new, change)
    found = complaints(copy)
    assert any(line.startswith(f"{copy.name(new)}: ") and said in line for line in found)
    of_the_benchmark = [line for line in found if ", the benchmark's " in line]
    assert all(line.endswith(f"; {AGAIN}") for line in of_the_benchmark)


@pytest.fixture
def claim(copy: Copy) -> Path:
    """A new record of what somebody published, as the harness files it."""
    measured = read_record(copy.record("nearest-class-mean"))
    metrics = {"accuracy": Metric(value=0.991, unit="%")}
    source = "https://example.org/paper"
    inputs = {"stage": "claim", "metrics": {"accuracy": 0.991}, "source": source}
    record = measured.model_copy(
        update={
            "trust": "claimed",
            "track": "submitted",
            "model": RecordedComponent(name="Theirs", adapter="", version=1, fields={}),
            "stages": {"claim": Stage(key=digest(inputs), inputs=inputs)},
            "metrics": metrics,
            "left_one_out": {},
            "artefacts": {},
            "submission": Submission(source=source, made_from="claim"),
            "test_looks": 0,
        }
    )
    write_record(copy.folder / record_path(record), record)
    return copy.folder / record_path(record)


def test_a_claim_with_its_source_is_admitted(copy: Copy, claim: Path) -> None:
    came = admit(copy.folder, "HEAD", copy.loaded)
    assert copy.name(claim) in came.new
    assert came.complaints == ()


def _better_claim(document: dict[str, Any]) -> None:
    document["metrics"]["accuracy"]["value"] = 0.999


def _other_source(document: dict[str, Any]) -> None:
    document["submission"]["source"] = "hearsay"


def _no_source(document: dict[str, Any]) -> None:
    document["submission"]["source"] = " "


def _measured_after_all(document: dict[str, Any]) -> None:
    document["trust"] = "measured"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_better_claim, 'metrics is {"accuracy":0.999}, its stage `claim` went by'),
        (_other_source, "submission.source is hearsay, its stage `claim` went by https://example"),
        (_no_source, "a claim without its source; tell where it was published"),
        (_measured_after_all, "its trust is 'measured', and it was made elsewhere"),
        (_measured_after_all, "it is measured, and has no stage `evaluate`"),
    ],
)
def test_a_claim_that_is_no_longer_what_was_filed_is_named(
    copy: Copy, claim: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    edit(claim, change)
    assert any(
        line.startswith(f"{copy.name(claim)}: ") and said in line for line in complaints(copy)
    )


def test_a_record_spelled_otherwise_is_named(copy: Copy, new: Path) -> None:
    new.write_text(json.dumps(json.loads(new.read_text())))
    assert f"{copy.name(new)}: not spelled as the harness writes it" in complaints(copy)[0]


def test_a_key_told_twice_is_named(copy: Copy, new: Path) -> None:
    new.write_text(new.read_text().replace('\n "seed": 0,', '\n "seed": 1,\n "seed": 0,'))
    assert any("not JSON (key 'seed' is told twice)" in line for line in complaints(copy))


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 99}', "[1]"])
def test_a_file_that_is_no_record_is_named_and_no_table_is_made(
    copy: Copy, new: Path, content: str
) -> None:
    new.write_text(content)
    came = admit(copy.folder, "HEAD", copy.loaded)
    assert came.unreadable
    assert any(line.startswith(f"{copy.name(new)}: ") for line in came.complaints)


def test_sizes_links_and_other_files_are_named(copy: Copy, new: Path, tmp_path: Path) -> None:
    large = new.with_name("large.json")
    large.write_text(json.dumps({"x": "y" * 2_000_000}))
    (tmp_path / "secret").write_text("s")
    link = new.with_name("link.json")
    link.symlink_to(tmp_path / "secret")
    program = new.with_name("run.py")
    program.write_text("")
    said = "\n".join(complaints(copy))
    assert f"{copy.name(large)}: 2,000,009 bytes; at most 2,000,000 may be published" in said
    assert f"{copy.name(link)}: a link; put the file itself there" in said
    assert f"{copy.name(program)}: neither a record nor what lies beside one" in said


def test_missing_scores_of_a_new_record_are_named(copy: Copy, new: Path) -> None:
    (copy.folder / scores_path(copy.name(new))).unlink()
    assert complaints(copy) == [
        f"{copy.name(new)}: it says measured, and nothing beside it shows that; publish its scores "
        "beside it, with `harness publish`",
        f"{scores_path(copy.name(new))}: missing; its record is published with its scores",
    ]


def test_a_lock_known_at_the_base_alone_is_known(copy: Copy) -> None:
    lock = copy.top / "benchmark.lock"
    document = tomllib.loads(lock.read_text())
    del document["datasets"]["digits/quick"]
    lock.write_text(tomli_w.dumps(document))
    assert "digits/quick" not in read_lock(lock).datasets
    # The rules know it; by what is pinned now nobody can judge the scores again.
    (line,) = complaints(copy)
    assert "nobody judged its scores again (it was made with lock 30b445ca1ebe" in line
    assert "admit it on a machine that can, or sign it" in line


def test_this_benchmarks_lock_agrees_with_itself() -> None:
    lock = read_lock(ROOT / "benchmark.lock")
    assert lock_edits(lock, lock) == []
    assert lock_edits(lock, LockFile()) == []


def test_data_changed_with_a_raised_version_are_no_edit() -> None:
    before = read_lock(ROOT / "benchmark.lock")
    data, rules = before.datasets["digits/quick"], before.protocols["image/quick/digits"]
    other = data.model_copy(update={"split": "0" * 64})
    now = before.model_copy(update={"datasets": {**before.datasets, "digits/quick": other}})
    assert "datasets.digits/quick: changed" in "\n".join(lock_edits(now, before))
    raised = rules.model_copy(update={"version": 2, "rests_on": {}, "digest": "1" * 64})
    protocols = {**before.protocols, "image/quick/digits": raised}
    assert lock_edits(now.model_copy(update={"protocols": protocols}), before) == []


def test_content_filled_in_is_no_edit_and_a_lower_version_is() -> None:
    now = read_lock(ROOT / "benchmark.lock")
    bare = now.datasets["digits/quick"].model_copy(update={"content": ""})
    before = now.model_copy(update={"datasets": {"digits/quick": bare}})
    assert not any("datasets." in line for line in lock_edits(now, before))
    rules = now.protocols["speaker/quick/open-26666"]
    lower = rules.model_copy(update={"version": rules.version - 1})
    protocols = {**now.protocols, "speaker/quick/open-26666": lower}
    assert lock_edits(now.model_copy(update={"protocols": protocols}), now) == [
        f"protocols.speaker/quick/open-26666: version {rules.version - 1} after {rules.version}"
    ]


def test_a_revision_that_is_not_there_and_a_folder_outside_git_are_refused(
    copy: Copy, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match="'--all': no such revision here; fetch it first"):
        admit(copy.folder, "--all", copy.loaded)
    with pytest.raises(RequestError, match="not a git work tree"):
        Snapshot(tmp_path, "HEAD")
    with pytest.raises(RequestError, match="outside the git work tree"):
        Snapshot(copy.folder, "HEAD").files(tmp_path)


def test_a_snapshot_has_the_bytes_of_the_commit(copy: Copy) -> None:
    record = copy.record()
    content = record.read_bytes()
    record.write_text("changed")
    found = Snapshot(copy.folder, "HEAD")
    assert found.files(copy.folder)[copy.name(record)] == content
    assert found.file(record) == content
    assert found.file(copy.top / "absent") is None
    assert found.files(copy.top / "absent") == {}


def test_attributes_hide_nothing_of_a_commit_and_change_nothing(copy: Copy, tmp_path: Path) -> None:
    record, page = copy.record(), copy.folder / "README.md"
    page.write_text("$Format:%H$\n")
    attributes = "*.json export-ignore\n*.npz export-ignore\n*.md export-subst\n"
    (copy.folder / ".gitattributes").write_text(attributes)
    copy.commit()
    there = {path.relative_to(copy.top).as_posix(): path for path in copy.top.rglob("*.*")}
    found = Snapshot(copy.folder, "HEAD").files(copy.top)
    assert found == {
        name: path.read_bytes()
        for name, path in there.items()
        if path.is_file() and not name.startswith(".git/")
    }
    edit(record, _dirty)
    record.with_name(scores_path(record.name)).unlink()
    said = complaints(copy)
    assert f"{copy.name(record)}: edited; what was published is never edited" in "\n".join(said)
    assert any(line.startswith(f"{scores_path(copy.name(record))}: removed") for line in said)


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(admit_command)
    return made


def run(app: typer.Typer, copy: Copy, *more: str) -> Any:
    config = str(copy.top / "benchmark.toml")
    given = ["--base", "HEAD", "--folder", str(copy.folder), "--config", config]
    return CliRunner().invoke(app, [*given, *more])


def test_the_command_tells_what_changes_and_ends_with_1_where_something_is_wrong(
    app: typer.Typer, copy: Copy, new: Path
) -> None:
    good = run(app, copy)
    assert good.exit_code == 0
    assert "efficientnet-b2" in good.stdout
    edit(new, _dirty)
    bad = run(app, copy)
    assert bad.exit_code == 1
    assert copy.name(new) in bad.stderr


def test_the_command_gives_one_json_document(app: typer.Typer, copy: Copy, new: Path) -> None:
    document = json.loads(run(app, copy, "--json").stdout)
    assert (document["schema"], document["new"]) == (1, [copy.name(new)])
    assert document["complaints"] == []
    assert document["difference"]["tables"]
    new.write_text("{}")
    broken = run(app, copy, "--json")
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["difference"] is None
