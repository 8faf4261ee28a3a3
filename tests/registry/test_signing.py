"""Records signed by the command, and new ones held against the signers of before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from harness.board.publishing.published_tables import build
from harness.board.record_paths import details_path
from harness.cli.publish import publish
from harness.errors import RequestError
from harness.records.details_schema import Details, details_text
from harness.records.files import write_bytes
from harness.records.record_files import read_records
from harness.registry.admission import Admission, admit
from harness.registry.check import check
from harness.registry.publication import publish as publish_records
from tests.board.published_copy import Copy, edit, forbid_scores, git, rebind
from tests.keys import list_key, make_key, needs_keys, sign_records

pytestmark = needs_keys


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path)


@pytest.fixture
def listed(copy: Copy, key: Path) -> Copy:
    """A copy whose commit lists the key."""
    list_key(copy.folder, key)
    copy.commit()
    return copy


def renewed(copy: Copy, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    """A record that the last commit does not hold, of whatever content."""
    record = copy.record()
    copy.make_new(record)
    edit(record, change)
    rebind(record)
    return record


def admitted(copy: Copy) -> Admission:
    return admit(copy.folder, "HEAD", copy.loaded)


def trusts(copy: Copy) -> set[str]:
    (table,) = json.loads((copy.folder / "image.json").read_text())["tables"]
    return {row["trust"] for row in table["rows"]}


@pytest.fixture
def command() -> Callable[..., Any]:
    app = typer.Typer()
    app.command()(publish)
    return lambda *given: CliRunner().invoke(app, list(map(str, given)))


def test_published_records_are_signed_where_they_lie(
    listed: Copy, key: Path, command: Callable[..., Any]
) -> None:
    folder = listed.folder
    assert trusts(listed) == {"rescored"}
    done = command("--sign", key, "--folder", folder, folder / "records")
    assert done.exit_code == 0, done.output
    assert len(list(folder.rglob("*.sig"))) == len(listed.records()) == 4
    assert trusts(listed) == {"measured"}
    assert check(folder) == []
    came = admitted(listed)
    assert (came.complaints, came.trusts, came.told) == ((), {}, ())
    again = command("--sign", key, "--folder", folder, folder / "records")
    assert "nothing changed" in again.output


def test_a_key_that_nobody_lists_is_told(
    copy: Copy, key: Path, command: Callable[..., Any]
) -> None:
    done = command("--sign", key, "--folder", copy.folder, copy.record())
    assert done.exit_code == 0
    assert "does not list; they count once" in done.output
    assert trusts(copy) == {"rescored"}


def test_records_without_a_key_and_those_that_lie_elsewhere_are_refused(
    copy: Copy, key: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    found = command("--folder", copy.folder, copy.record())
    assert isinstance(found.exception, RequestError)
    assert "give --sign KEY too" in str(found.exception)
    elsewhere = shutil.copy(copy.record(), tmp_path / "record.json")
    found = command("--sign", key, "--folder", copy.folder, elsewhere)
    assert "publish it first" in str(found.exception)


def _claimed(document: dict[str, Any]) -> None:
    document["trust"] = "claimed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda copy: edit(copy.record(), _claimed), "a claim, of which a signature says no more"),
        (lambda copy: copy.record().with_suffix(".scores.npz").unlink(), "missing; restore it"),
        (
            lambda copy: copy.record().with_suffix(".scores.npz").write_bytes(b"x"),
            "not the scores that its record names",
        ),
    ],
)
def test_what_nobody_may_sign_is_refused_and_nothing_written(
    copy: Copy, key: Path, command: Callable[..., Any], change: Callable[[Copy], Any], said: str
) -> None:
    change(copy)
    found = command("--sign", key, "--folder", copy.folder, copy.folder / "records")
    assert said in str(found.exception)
    assert not list(copy.folder.rglob("*.sig"))


def test_a_run_is_published_with_its_signature(copy: Copy, key: Path, tmp_path: Path) -> None:
    record, run = copy.record(), tmp_path / "runs" / "record.json"
    write_bytes(run, record.read_bytes())
    write_bytes(run.with_name("scores.npz"), record.with_suffix(".scores.npz").read_bytes())
    list_key(copy.folder, key)
    signature = record.with_suffix(".sig")
    assert signature in publish_records(read_records([run]), copy.folder, copy.top, key=key)
    assert check(copy.folder) == []
    (held,) = [
        line
        for line in (copy.folder / "image.md").read_text().splitlines()
        if "efficientnet-b0" in line and "measured" in line
    ]
    assert held.startswith("|")
    assert publish_records(read_records([run]), copy.folder, copy.top, key=key) == []


def test_a_new_record_is_rescored_by_its_scores_and_measured_by_a_signature(
    listed: Copy, key: Path
) -> None:
    new = renewed(listed)
    assert admitted(listed).trusts == {listed.name(new): "rescored"}
    sign_records([new], key)
    came = admitted(listed)
    assert (came.complaints, came.trusts) == ((), {listed.name(new): "measured"})


def test_a_key_that_the_change_itself_lists_does_not_count(copy: Copy, key: Path) -> None:
    new = renewed(copy)
    list_key(copy.folder, key)
    (signature,) = sign_records([new], key)
    came = admitted(copy)
    assert came.trusts == {copy.name(new): "rescored"}
    (line,) = came.complaints
    assert line.startswith(f"{copy.name(signature)}: signed by a key that the file 'signers' does")
    assert "this change itself lists it" in line
    assert "let a change of 'signers' alone be merged first" in line
    (told,) = came.told
    assert told.startswith("signers: the change lists ann, ssh-ed25519 ")


def test_a_key_counts_once_the_base_lists_it(listed: Copy, key: Path) -> None:
    sign_records(listed.records(), key)
    build(listed.folder)
    assert admitted(listed).complaints == ()


def test_a_key_that_counts_no_longer_signs_nothing_new(copy: Copy, key: Path) -> None:
    # The records are older than its end.
    list_key(copy.folder, key, options='valid-before="20261123"')
    copy.commit()
    (signature,) = sign_records([copy.record()], key)
    assert trusts(copy) == {"rescored"}
    build(copy.folder)
    assert check(copy.folder) == []
    (line,) = admitted(copy).complaints
    assert f"{copy.name(signature)}: " in line
    copy.commit()  # What was signed before the key leaked stays.
    assert admitted(copy).complaints == ()


def forbid(copy: Copy) -> None:
    """Commit that no scores of the digits may be published."""
    forbid_scores(copy)
    copy.commit()


def test_where_scores_are_forbidden_a_listed_signature_carries_a_row(
    listed: Copy, key: Path
) -> None:
    forbid(listed)
    new = renewed(listed)
    (line,) = admitted(listed).complaints
    assert "its scores may not lie there, so that a signature has to" in line
    sign_records(listed.records(), key)
    came = admitted(listed)
    assert (came.complaints, came.trusts) == ((), {listed.name(new): "measured"})
    build(listed.folder)
    assert check(listed.folder) == []
    (table,) = json.loads((listed.folder / "image.json").read_text())["tables"]
    assert {row["flag"] for row in table["rows"]} == {"signed, scores not published"}
    assert all(row["rank"] for row in table["rows"])
    for page in ("image.md", "site/image.html"):
        assert "signed, scores not published" in (listed.folder / page).read_text()


def test_without_scores_and_signature_rows_stand_apart(copy: Copy) -> None:
    forbid(copy)
    shutil.rmtree(copy.folder / "plots")  # no front is left
    build(copy.folder)
    assert check(copy.folder) == []
    text = (copy.folder / "image.md").read_text()
    assert "neither its scores nor a signature that counts lie beside its record" in text
    (table,) = json.loads((copy.folder / "image.json").read_text())["tables"]
    assert {(row["trust"], row["rank"]) for row in table["rows"]} == {("claimed", None)}


@pytest.fixture
def signed(listed: Copy, key: Path) -> Copy:
    """A copy whose commit holds signed records."""
    sign_records(listed.records(), key)
    build(listed.folder)
    listed.commit()
    return listed


def test_a_signature_of_another_record_and_an_edited_one_are_found(signed: Copy) -> None:
    first, second = (path.with_suffix(".sig") for path in signed.records()[:2])
    second.write_bytes(first.read_bytes())
    first.write_text(first.read_text().replace("A", "B", 3))
    for found in (check(signed.folder), admitted(signed).complaints):
        said = "\n".join(found)
        assert f"{signed.name(second)}: no signature of this content" in said
        assert f"{signed.name(first)}: " in said
        assert "or sign the record anew: `harness publish --sign`" in said


def test_falsified_details_break_the_signature(signed: Copy) -> None:
    record = signed.record()
    details = signed.folder / details_path(signed.name(record))
    document = json.loads(details.read_text())
    document["breakdowns"].popitem()
    details.write_text(json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n")
    signature = signed.name(record.with_suffix(".sig"))
    for found in (check(signed.folder), admitted(signed).complaints):
        assert any(line.startswith(f"{signature}: no signature of this") for line in found)


def test_falsified_details_of_published_records_are_judged_again(copy: Copy) -> None:
    record = copy.record()
    details = copy.folder / details_path(copy.name(record))
    document = json.loads(details.read_text())
    for breakdown in document["breakdowns"].values():
        for group in breakdown["groups"]:
            for metric in group["metrics"].values():
                metric["value"] *= 0.1
    details.write_text(details_text(Details.model_validate(document)))
    build(copy.folder)
    assert check(copy.folder) == []
    found = admitted(copy).complaints
    assert found
    assert all(line.startswith(f"{copy.name(details)}: not what its scores give") for line in found)


def test_signatures_without_a_record_and_those_that_are_gone_are_found(signed: Copy) -> None:
    signature = signed.record().with_suffix(".sig")
    signature.rename(signature.with_name("lost.sig"))
    assert any("lost.sig: stale, no record beside it" in line for line in check(signed.folder))
    assert (
        f"{signed.name(signature)}: removed, and ann signed it; restore it from git"
        in admitted(signed).complaints
    )


def test_signatures_go_with_their_key(signed: Copy) -> None:
    (signed.folder / "signers").unlink()
    assert any("does not list" in line for line in admitted(signed).complaints)
    for signature in signed.folder.rglob("*.sig"):
        signature.unlink()
    build(signed.folder)
    came = admitted(signed)
    assert came.complaints == ()
    assert came.told[0].startswith("signers: the change no longer lists ann, ssh-ed25519 ")


def test_signers_that_are_none_are_named_and_the_others_told(signed: Copy) -> None:
    (signed.folder / "signers").write_text("nonsense\n")
    (signed.record()).write_text("{}")
    for found in (check(signed.folder), list(admitted(signed).complaints)):
        said = "\n".join(found)
        assert "signers:1: no line of an allowed signers file" in said
        assert signed.name(signed.record()) in said


def test_a_shallow_clone_says_so_and_refuses_nothing(copy: Copy, tmp_path: Path) -> None:
    new = renewed(copy)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{copy.top}", "shallow")
    shallow = Copy(tmp_path / "shallow")
    for path in new.parent.glob(f"{new.stem}*"):
        shutil.copy(path, shallow.folder / copy.name(path))
    with pytest.raises(RequestError, match="a shallow clone, which does not know commit"):
        admitted(shallow)
    git(shallow.top, "fetch", "--quiet", "--unshallow")
    assert admitted(shallow).complaints == ()
