"""The check of a change, as the pull-request job runs it: on a real git repository, for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing.published_tables import build
from tests.board.published_copy import ROOT, Copy, edit, git, make_copy

HARNESS = Path(sys.executable).with_name("harness")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A repository whose branch `change` adds a record to `target`, which went on meanwhile."""
    copy = make_copy(tmp_path_factory.mktemp("template") / "repository")
    shutil.copytree(ROOT / "ci", copy.top / "ci")
    record = copy.record("efficientnet-b2")
    mine = {path: path.read_bytes() for path in record.parent.glob(f"{record.stem}*")}
    for path in mine:
        path.unlink()
    for drawn in (copy.folder / "plots").rglob("*.svg"):
        drawn.unlink()
    build(copy.folder)
    copy.commit()
    git(copy.top, "branch", "change")
    git(copy.top, "checkout", "--quiet", "-b", "target")
    (copy.folder / "records" / "later.json").write_text("{}")
    copy.commit()
    git(copy.top, "checkout", "--quiet", "change")
    for path, content in mine.items():
        path.write_bytes(content)
    build(copy.folder)
    copy.commit()
    return copy


@pytest.fixture
def copy(template: Copy, tmp_path: Path) -> Copy:
    return Copy(Path(shutil.copytree(template.top, tmp_path / "repository")))


def checked(copy: Copy, target: str = "target") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [copy.top / "ci" / "records.sh", target],
        env=os.environ | {"HARNESS": str(HARNESS)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_record_passes_with_what_it_changes(copy: Copy) -> None:
    # What the target got meanwhile is not missed.
    done = checked(copy)
    assert done.returncode == 0, done.stderr
    assert "efficientnet-b2" in done.stdout
    assert "1 records against their scores" in done.stderr
    assert "1 verified" in done.stderr


def test_everything_that_is_wrong_is_told_together(copy: Copy) -> None:
    published, new = copy.record("efficientnet-b0"), copy.record("efficientnet-b2")

    def other_seed(document: dict[str, Any]) -> None:
        document["seed"] = 3

    def better(document: dict[str, Any]) -> None:
        document["metrics"]["accuracy"]["value"] += 0.001

    edit(published, other_seed)
    edit(new, better)
    lock = copy.top / "benchmark.lock"
    lock.write_text(lock.read_text().replace("88e4e00d8c63", "000000000000"))
    copy.commit()
    done = checked(copy)
    assert done.returncode == 1
    # By `board check`, `board admit` and `verify`.
    assert "image.md: line" in done.stderr
    assert f"{copy.name(published)}: edited" in done.stderr
    assert "benchmark.lock: protocols.image/quick/digits: its digest is not" in done.stderr
    assert f"{new.name}" in done.stderr.partition("differs: accuracy.value")[2]


def test_what_lies_beside_records_and_is_drawn_of_them_is_judged_too(copy: Copy) -> None:
    published, new = copy.record("efficientnet-b0"), copy.record("efficientnet-b2")
    details = published.with_suffix(".details.json")

    def better(document: dict[str, Any]) -> None:
        for group in next(iter(document["breakdowns"].values()))["groups"]:
            group["metrics"]["accuracy"]["value"] = 0.999

    def called(document: dict[str, Any]) -> None:
        document["model"]["name"] = "efficientnet b0"

    edit(details, better)
    edit(new, called)
    build(copy.folder)
    picture = next((copy.folder / "plots").rglob("*.svg"))
    drawn = picture.read_text()
    picture.write_text(drawn.replace("</svg>", "<script>alert(1)</script></svg>"))
    copy.commit()
    done = checked(copy)
    assert done.returncode == 1
    # By `board check`, `board admit` twice, and `verify`.
    assert f"{copy.name(picture)}: holds what no drawing of ours does (<script>" in done.stderr
    assert f"{copy.name(details)}: not what its scores give: details.breakdowns" in done.stderr
    assert "looks like, the name of 'efficientnet-b0 + softmax'" in done.stderr
    assert "2 records against their scores" in done.stderr
    assert published.name in done.stderr.partition("differs: details.breakdowns")[2]
    build(copy.folder)
    assert "<script>" not in picture.read_text()


def test_malformed_records_are_all_named(copy: Copy) -> None:
    new = copy.record("efficientnet-b2")
    text = new.read_text()
    malformed = {
        "nan": text.replace('"seed": 0', '"seed": NaN', 1),
        "digits": text.replace('"seed": 0', f'"seed": {"9" * 5_000}', 1),
        "deep": "[" * 100_000,
        "twice": text.replace('"seed": 0', '"seed": 1, "seed": 0', 1),
    }
    for name, content in malformed.items():
        new.with_name(f"{name}.json").write_text(content)
    copy.commit()
    done = checked(copy)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    # By `board check`, `board admit` and `verify`, which goes on to the whole one.
    assert all(done.stderr.count(f"/{name}.json: ") >= 3 for name in malformed), done.stderr
    assert "1 verified" in done.stderr


def test_a_target_that_is_not_there_is_told(copy: Copy) -> None:
    done = checked(copy, "elsewhere")
    assert done.returncode == 2
    assert "no common history with elsewhere; fetch it first" in done.stderr
