"""The check of a change, as the pull-request job runs it: on a real git repository, for real."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing.published_tables import build
from harness.board.record_paths import details_path, scores_path
from tests.board.published_copy import ROOT, Copy, edit, forbid_scores, git, make_copy, rebind
from tests.keys import list_key, make_key, needs_keys, sign_records
from tests.preloaded import preloaded_command

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


def checked(
    copy: Copy, target: str = "target", harness: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The check of a change, by a command that has its libraries already or by another one."""
    return subprocess.run(
        [copy.top / "ci" / "records.sh", target],
        env=os.environ | {"HARNESS": str(harness or preloaded_command(copy.top.parent))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_record_passes_with_what_it_changes(copy: Copy) -> None:
    # What the target got meanwhile is not missed.
    done = checked(copy, harness=HARNESS)
    assert done.returncode == 0, done.stderr
    assert "efficientnet-b2" in done.stdout
    assert f"{copy.name(copy.record('efficientnet-b2'))}: rescored" in done.stderr


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
    # By `board check` and `board admit`, which judges scores again.
    assert "image.md: line" in done.stderr
    assert f"{copy.name(published)}: edited" in done.stderr
    assert "benchmark.lock: protocols.image/quick/digits: its digest is not" in done.stderr
    assert f"{copy.name(new)}: accuracy.value: recorded 0." in done.stderr


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
    # By `board check`, and by `board admit`, which judges new records with their details.
    assert f"{copy.name(picture)}: holds what no drawing of ours does (<script>" in done.stderr
    assert f"{copy.name(details)}: not what its scores give: details.breakdowns" in done.stderr
    assert "looks like, the name of 'efficientnet-b0 + softmax'" in done.stderr
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
    # By `board check` and by `board admit`, which go on to the others.
    assert all(done.stderr.count(f"/{name}.json: ") >= 2 for name in malformed), done.stderr


def test_a_change_of_what_judges_it_is_told(copy: Copy) -> None:
    (copy.top / "harness").mkdir()
    (copy.top / "harness" / "mine.py").write_text("x = 1\n")
    script = copy.top / "ci" / "records.sh"
    script.write_text(f"{script.read_text()}# mine\n")
    copy.commit()
    done = checked(copy)
    assert "the change edits what judges it; read this first" in done.stderr
    assert "(HARNESS=...): ci/records.sh, harness/mine.py\n" in done.stderr


def test_a_target_that_is_not_there_is_told(copy: Copy) -> None:
    done = checked(copy, "elsewhere")
    assert done.returncode == 2
    assert "no common history with elsewhere; fetch it first" in done.stderr


def invented(document: dict[str, Any]) -> None:
    """A better number than any, by somebody who shows nothing for it."""
    value = document["metrics"]["accuracy"]
    value.update(value=0.9999, low=0.9998, high=1.0)
    document["left_one_out"]["accuracy"] = dict.fromkeys(
        document["left_one_out"]["accuracy"], 0.9999
    )


def without_scores(document: dict[str, Any]) -> None:
    invented(document)
    del document["artefacts"]["scores"]


def of_large_scores(document: dict[str, Any]) -> None:
    invented(document)
    document["artefacts"]["scores"] = {"bytes": 5_000_000, "sha256": "5" * 64}


@pytest.fixture
def change(copy: Copy) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """Makes the change's record one without scores beside it, and says something else in it."""

    def make(said: Callable[[dict[str, Any]], None]) -> Path:
        new = copy.record("efficientnet-b2")
        edit(new, said)
        rebind(new)
        (copy.folder / scores_path(copy.name(new))).unlink()
        return new

    return make


def proposed(copy: Copy, target: str = "target") -> subprocess.CompletedProcess[str]:
    """The check of the change, with tables as they are to be."""
    for drawn in (copy.folder / "plots").rglob("*.svg"):
        drawn.unlink()
    build(copy.folder)
    copy.commit()
    return checked(copy, target)


@pytest.mark.parametrize(
    ("said", "mend"),
    [(without_scores, "publish its scores beside it"), (of_large_scores, "a signature has to")],
)
def test_an_invented_record_is_refused_and_has_no_rank(
    copy: Copy,
    change: Callable[[Callable[[dict[str, Any]], None]], Path],
    said: Callable[[dict[str, Any]], None],
    mend: str,
) -> None:
    new = change(said)
    done = proposed(copy)
    assert done.returncode == 1
    assert f"{copy.name(new)}: it says measured, and nothing beside it shows that" in done.stderr
    assert mend in done.stderr
    assert f"{copy.name(new)}: claimed" in done.stderr
    # Its tables agree with that: the row stands apart.
    assert "efficientnet-b2 + softmax \u2021" in (copy.folder / "image.md").read_text()


@needs_keys
def test_a_change_cannot_vouch_for_itself(
    copy: Copy,
    change: Callable[[Callable[[dict[str, Any]], None]], Path],
    tmp_path: Path,
) -> None:
    new, key = change(of_large_scores), make_key(tmp_path)
    list_key(copy.folder, key, "mallory")
    (signature,) = sign_records([new], key)
    done = proposed(copy)
    assert done.returncode == 1
    assert (
        f"{copy.name(signature)}: signed by a key that the file 'signers' does not" in done.stderr
    )
    assert "this change itself lists it" in done.stderr
    assert f"{copy.name(new)}: claimed" in done.stderr
    assert "signers: the change lists mallory, ssh-ed25519 " in done.stderr


@needs_keys
def test_a_listed_signature_carries_a_record_whose_scores_are_forbidden(
    copy: Copy, tmp_path: Path
) -> None:
    key, new = make_key(tmp_path), copy.record("efficientnet-b2")
    git(copy.top, "checkout", "--quiet", "-b", "listed", "change~1")
    forbid_scores(copy)
    list_key(copy.folder, key)
    sign_records(copy.records(), key)
    build(copy.folder)
    copy.commit()
    git(copy.top, "checkout", "--quiet", "-b", "proposal")
    git(copy.top, "checkout", "change", "--", new.parent.relative_to(copy.top) / f"{new.stem}.json")
    details = new.with_name(details_path(new.name)).relative_to(copy.top)
    git(copy.top, "checkout", "change", "--", details)
    forbid_scores(copy)
    (signature,) = sign_records([new], key)
    done = proposed(copy, "listed")
    assert done.returncode == 0, done.stderr
    assert f"{copy.name(new)}: measured" in done.stderr
    rows = (copy.folder / "image.md").read_text().splitlines()
    (row,) = [line for line in rows if "efficientnet-b2" in line and "measured" in line]
    assert re.match(r"\| +\d ", row)
    assert "measured (signed, scores not published)" in row
    signature.write_text(signature.read_text().replace("A", "B", 1))
    done = proposed(copy, "listed")
    assert done.returncode == 1
    assert f"{copy.name(signature)}: " in done.stderr
    assert f"{copy.name(new)}: claimed" in done.stderr
