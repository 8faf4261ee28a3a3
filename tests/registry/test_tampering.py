"""Everything that somebody could change behind the tables' back, and what finds it by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing.published_tables import build
from harness.board.record_paths import details_path, record_path, scores_path
from harness.datasets.lock import read_lock
from harness.errors import RequestError
from harness.records.documents import digest, sha256_file
from harness.records.record import Artefact
from harness.records.record_files import read_record, read_records, write_record
from harness.registry.admission import admit
from harness.registry.check import check
from harness.registry.history.line_chain import add, history_files
from harness.registry.history.night_page import build as build_history
from harness.registry.publication import publish
from harness.registry.verify_record import verify
from tests.board.published_copy import Copy, edit


def complaints(copy: Copy) -> list[str]:
    return list(admit(copy.folder, "HEAD", copy.loaded).complaints)


def told(lines: list[str], name: str) -> str:
    """What is said of a file."""
    return "\n".join(line for line in lines if line.startswith(f"{name}: "))


def test_an_untouched_copy_passes_everything(copy: Copy) -> None:
    assert check(copy.folder) == []
    assert complaints(copy) == []
    assert verify(copy.loaded, copy.record(), copy.top / "runs").answer == "verified"


def better(document: dict[str, Any]) -> None:
    for part in ("low", "value", "high"):
        document["metrics"]["accuracy"][part] += 0.005


def test_an_edited_metric_is_found_by_its_scores_the_tables_and_git(copy: Copy) -> None:
    record = copy.record()
    edit(record, better)
    verdict = verify(copy.loaded, record, copy.top / "runs")
    assert (verdict.record, verdict.answer) == (record, "differs")
    assert verdict.reasons[0].startswith("accuracy.value: recorded 0.985, computed 0.98")
    assert "image.md: line" in "\n".join(check(copy.folder))
    assert "edited; what was published is never edited" in told(complaints(copy), copy.name(record))


def test_an_edited_metric_is_found_when_tables_are_built_anew(copy: Copy) -> None:
    record = copy.record()
    edit(record, better)
    build(copy.folder)
    copy.commit()
    details = copy.folder / details_path(copy.name(record))
    assert [line.partition(";")[0] for line in check(copy.folder)] == [
        f"{copy.name(details)}: of another record than the one beside it"
    ]
    details.unlink()
    build(copy.folder)
    assert check(copy.folder) == []
    assert verify(copy.loaded, record, copy.top / "runs").answer == "differs"


def test_an_edited_left_one_out_value_is_found_by_its_scores(copy: Copy) -> None:
    record, unit = copy.record(), ""

    def change(document: dict[str, Any]) -> None:
        nonlocal unit
        values = document["left_one_out"]["accuracy"]
        unit = min(values)
        values[unit] += 1e-4

    edit(record, change)
    verdict = verify(copy.loaded, record, copy.top / "runs")
    assert (verdict.record, verdict.answer) == (record, "differs")
    assert verdict.reasons[0].startswith(f"accuracy without {unit}: recorded")


def test_scores_of_another_record_are_found(copy: Copy) -> None:
    record, other = copy.record("efficientnet-b0"), copy.record("efficientnet-b1")
    scores = copy.folder / scores_path(copy.name(record))
    shutil.copy(copy.folder / scores_path(copy.name(other)), scores)
    said = told(check(copy.folder), copy.name(scores))
    assert f"its record says {read_record(record).artefacts['scores'].sha256[:12]}" in said
    assert "edited" in told(complaints(copy), copy.name(scores))
    verdict = verify(copy.loaded, record, copy.top / "runs")
    assert verdict.answer == "differs"
    assert scores.name in verdict.reasons[0]


def test_scores_and_their_hash_exchanged_together_are_found(copy: Copy) -> None:
    record, other = copy.record("efficientnet-b0"), copy.record("efficientnet-b1")
    scores = copy.folder / scores_path(copy.name(record))
    shutil.copy(copy.folder / scores_path(copy.name(other)), scores)

    def change(document: dict[str, Any]) -> None:
        named = {"sha256": sha256_file(scores), "bytes": scores.stat().st_size}
        document["artefacts"]["scores"] = named

    edit(record, change)
    assert verify(copy.loaded, record, copy.top / "runs").answer == "differs"
    assert {copy.name(record), copy.name(scores)} <= {
        line.partition(": ")[0] for line in complaints(copy)
    }


def test_an_edited_lock_of_a_record_is_found_by_its_table(copy: Copy) -> None:
    record = copy.record()

    def change(document: dict[str, Any]) -> None:
        document["dataset"]["lock"] = "0" * 64

    edit(record, change)
    said = told(check(copy.folder), copy.name(record))
    assert "dataset.lock is 000000000000, other records of that protocol digest say" in said
    assert "this benchmark" in verify(copy.loaded, record, copy.top / "runs").reasons[0]
    assert "edited" in told(complaints(copy), copy.name(record))


def test_an_edited_benchmark_lock_is_found(copy: Copy) -> None:
    lock = copy.top / "benchmark.lock"
    pinned = read_lock(lock).datasets["digits/quick"]
    lock.write_text(lock.read_text().replace(pinned.split, "0" * 64))
    said = told(complaints(copy), "benchmark.lock")
    assert "datasets.digits/quick: changed, and the version of image/quick/digits" in said
    assert (
        f"benchmark.lock: protocols.image/quick/digits: rests on lock {pinned.digest[:12]}" in said
    )


def test_a_protocol_digest_edited_in_the_lock_is_found(copy: Copy) -> None:
    lock = copy.top / "benchmark.lock"
    pinned = read_lock(lock).protocols["image/quick/digits"]
    lock.write_text(lock.read_text().replace(pinned.digest, "0" * 64))
    said = told(complaints(copy), "benchmark.lock")
    assert "protocols.image/quick/digits: its digest is not that of what it rests on" in said
    assert "protocols.image/quick/digits: changed, and its version 1 was not raised" in said


@pytest.mark.parametrize(
    "place", ["records/loss/quick/digits", "records/image/quick/omniglot-latin"]
)
def test_a_record_moved_to_another_suite_or_dataset_is_found(copy: Copy, place: str) -> None:
    record = copy.record()
    moved = copy.folder / place / record.name
    moved.parent.mkdir(parents=True, exist_ok=True)
    for name in (record.name, scores_path(record.name)):
        record.with_name(name).rename(moved.with_name(name))
    belongs = f"what it says belongs at {copy.name(record)}"
    assert belongs in told(check(copy.folder), copy.name(moved))
    said = complaints(copy)
    assert belongs in told(said, copy.name(moved))
    assert "removed; what was published stays" in told(said, copy.name(record))


def test_a_record_that_claims_another_suite_is_found(copy: Copy) -> None:
    record = copy.record()
    kept = read_record(record)
    protocol = kept.protocol.model_copy(update={"suite": "loss"})
    claimed = kept.model_copy(update={"protocol": protocol})
    place = copy.folder / record_path(claimed)
    write_record(place, claimed)
    shutil.copy(
        copy.folder / scores_path(copy.name(record)), copy.folder / scores_path(copy.name(place))
    )
    said = told(complaints(copy), copy.name(place))
    assert "unknown protocol" in said
    assert "of loss/quick/digits; benchmark.lock has none of it" in said


def test_a_removed_record_is_found(copy: Copy) -> None:
    record = copy.record()
    record.unlink()
    assert "removed" in told(complaints(copy), copy.name(record))
    scores = scores_path(copy.name(record))
    assert "no record beside it" in told(check(copy.folder), scores)


def edited_recipe(document: dict[str, Any]) -> None:
    document["stages"]["train"]["inputs"]["recipe"]["steps"] = 60


def edited_recipe_and_key(document: dict[str, Any]) -> None:
    edited_recipe(document)
    stage = document["stages"]["train"]
    stage["key"] = digest(stage["inputs"])


def edited_both_recipes_and_key(document: dict[str, Any]) -> None:
    edited_recipe_and_key(document)
    document["recipe"]["steps"] = 60


def edited_seed(document: dict[str, Any]) -> None:
    document["seed"] = 7


def edited_model(document: dict[str, Any]) -> None:
    document["model"]["version"] = 9


def edited_machine(document: dict[str, Any]) -> None:
    document["environment"]["threads"] = 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited_recipe, "stage `train` has key b6e1ad8320f5, its inputs give"),
        (edited_recipe_and_key, "recipe is "),
        (edited_both_recipes_and_key, "what it says belongs at"),
        (edited_seed, "seed is 7, its stage `train` went by 0"),
        (edited_model, "model is "),
        (edited_machine, "environment is not the one that its stage `measure` ran in"),
    ],
)
def test_edited_inputs_of_a_stage_are_found(
    copy: Copy, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    record = copy.record()
    edit(record, change)
    assert said in told(check(copy.folder), copy.name(record))
    assert "edited" in told(complaints(copy), copy.name(record))


def test_scores_that_a_licence_forbids_are_found(copy: Copy) -> None:
    record = copy.record()

    def forbid(document: dict[str, Any]) -> None:
        document["dataset"]["publish_scores"] = False

    edit(record, forbid)
    scores = scores_path(copy.name(record))
    assert "scores on digits may not be published; delete it" in told(check(copy.folder), scores)


def test_a_record_that_permits_what_the_benchmark_forbids_is_found(copy: Copy) -> None:
    config = copy.top / "benchmark.toml"
    config.write_text(config.read_text().replace("publish_scores = true", "publish_scores = false"))
    record = copy.record()
    anew(copy, record)
    said = told(complaints(copy), copy.name(record))
    assert "publish_scores is true, the benchmark's false" in said


def anew(copy: Copy, record: Path) -> None:
    """Commit everything but a record, so that it is new."""
    scores = copy.folder / scores_path(copy.name(record))
    kept = {path: path.read_bytes() for path in (record, scores)}
    for path in kept:
        path.unlink()
    copy.commit()
    for path, content in kept.items():
        path.write_bytes(content)


def test_a_dirty_tree_and_a_record_of_one_are_not_published(copy: Copy, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "record.json"
    record = read_record(copy.record("efficientnet-b1"))
    dirty = record.model_copy(update={"code": record.code + "+dirty"})
    write_record(run, dirty)
    shutil.copy(copy.folder / scores_path(record_path(record)), run.with_name("scores.npz"))
    with pytest.raises(RequestError, match=r"record\.json: made by code that is in no commit"):
        publish(read_records([run]), copy.folder, copy.top)
    (copy.top / "benchmark.toml").write_text("")
    with pytest.raises(RequestError, match=r"the work tree is not clean: benchmark\.toml"):
        publish(read_records([run]), copy.folder, copy.top)


def test_a_dirty_record_put_there_by_hand_is_refused(copy: Copy) -> None:
    record = copy.record()

    def change(document: dict[str, Any]) -> None:
        document["code"] += "+dirty"

    edit(record, change)
    anew(copy, record)
    said = told(complaints(copy), copy.name(record))
    assert "+dirty'; a measured record names a commit without changes" in said


def test_edited_lines_of_a_history_are_found(copy: Copy, tmp_path: Path) -> None:
    for number in range(3):
        place = tmp_path / f"runs-{number}" / "a" / "b" / "c" / "d" / "record.json"
        finished = f"2026-03-0{number + 1}T00:00:00+00:00"
        write_record(place, read_record(copy.record()).model_copy(update={"finished": finished}))
        add(tmp_path / f"runs-{number}", copy.folder)
    build_history(copy.folder)
    copy.commit()
    assert check(copy.folder) == []
    (path,) = history_files(copy.folder)
    lines = path.read_text().splitlines()
    speed = json.loads(lines[1])["training_per_second"]
    path.write_text(path.read_text().replace(f"{speed}", f"{speed * 2}"))
    found = "\n".join(check(copy.folder))
    assert f"{copy.name(path)}: line 2 does not follow" in found
    assert "lines were edited or removed" in told(complaints(copy), copy.name(path))
    path.write_text("\n".join(lines[:2]) + "\n")
    build_history(copy.folder)
    assert check(copy.folder) == []
    assert "lines were edited or removed" in told(complaints(copy), copy.name(path))
    path.unlink()
    assert "removed; a history is only added to" in told(complaints(copy), copy.name(path))


def test_larger_scores_than_may_be_published_are_found(copy: Copy) -> None:
    record = copy.record()
    kept = read_record(record)
    large = {**kept.artefacts, "scores": Artefact(sha256="1" * 64, bytes=1_000_001)}
    write_record(record, kept.model_copy(update={"artefacts": large}))
    scores = copy.folder / scores_path(copy.name(record))
    scores.write_bytes(bytes(1_000_001))
    anew(copy, record)
    said = told(complaints(copy), copy.name(scores))
    assert "1,000,001 bytes; at most 1,000,000 may be published" in said
