"""Forged attestations and invented records of rivals' entries, as pull requests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.board.publishing.published_tables import build
from harness.board.record_paths import scores_path
from harness.records.record_files import read_record
from tests.attesting import bring, truthful
from tests.board.published_copy import ROOT, Copy, git, make_copy
from tests.ci.test_records import proposed
from tests.keys import list_key, make_key, needs_keys, sign_records
from tests.registry.test_replacement import invented

pytestmark = needs_keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("ann", "bob", "eve")}


@pytest.fixture
def copy(keys: dict[str, Path], tmp_path: Path) -> Copy:
    """A repository of which `ann` signed all records, and `bob` is listed too; a change of it."""
    copy = make_copy(tmp_path / "repository")
    shutil.copytree(ROOT / "ci", copy.top / "ci")
    sign_records(copy.records(), keys["ann"])
    for name in ("ann", "bob"):
        list_key(copy.folder, keys[name], name)
    build(copy.folder)
    copy.commit()
    git(copy.top, "branch", "target")
    git(copy.top, "checkout", "--quiet", "-b", "change")
    return copy


def scores_of(path: Path) -> bytes:
    return path.with_name(scores_path(path.name)).read_bytes()


def trusts(copy: Copy) -> dict[str, str]:
    (table,) = json.loads((copy.folder / "image.json").read_text())["tables"]
    return {row["model"]: row["trust"] for row in table["rows"]}


def test_a_record_that_somebody_made_again_is_reproduced(copy: Copy, keys: dict[str, Path]) -> None:
    path = copy.record("nearest-class-mean")
    value = read_record(path).metrics["accuracy"].value
    bring(path, truthful(copy.loaded, path, value), scores_of(path), keys["bob"])
    done = proposed(copy)
    assert done.returncode == 0, done.stderr
    assert trusts(copy) == dict.fromkeys(trusts(copy), "measured") | {
        "nearest class mean": "reproduced"
    }


def test_what_rivals_forge_is_refused_and_lifts_and_takes_nothing(
    copy: Copy, keys: dict[str, Path]
) -> None:
    rows = json.loads((copy.folder / "image.json").read_text())["tables"][0]["rows"]
    names = ["efficientnet-b0", "efficientnet-b1", "efficientnet-b2", "nearest-class-mean"]
    first, second, third, fourth = map(copy.record, names)
    forged = {
        bring(first, truthful(copy.loaded, first, 0.98), scores_of(first), keys["ann"]): (
            "signed by ann, who signed the record"
        ),
        bring(second, truthful(copy.loaded, second, 0.964), scores_of(second), keys["eve"]): (
            "signed by a key that the file 'signers' does not list"
        ),
        bring(third, truthful(copy.loaded, third, 0.964), None, keys["bob"]): (
            "it brings no scores of its own"
        ),
        bring(
            fourth,
            truthful(copy.loaded, fourth, 0.902, code="1" * 40, low=0.5, high=0.95),
            scores_of(first),
            None,
        ): "code 111111111111 is no commit of this repository",
        invented(copy): "less evidence (claimed) than behind the published records of efficientnet",
    }
    done = proposed(copy)
    assert done.returncode == 1
    for path, said in forged.items():
        lines = [line for line in done.stderr.splitlines() if copy.name(path) in line]
        assert any(said in line for line in lines), done.stderr
    for said in ("reproduced is 0.902, its scores give 0.98", "its range is 0.5 to 0.95"):
        assert said in done.stderr
    assert json.loads((copy.folder / "image.json").read_text())["tables"][0]["rows"] == rows
