"""The check of published files: records against themselves, files against what gives them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.board.companions import record_of
from harness.board.record_paths import details_path, is_record
from harness.records.attestation import Attestation, attestation_path, write_attestation
from harness.records.documents import digest, readable_json, sha256_file
from harness.records.record import Metric, Record
from harness.records.record_files import read_record
from harness.registry.check import check
from harness.registry.consistency import contradictions, disagreements
from tests.board.published_copy import ROOT, Copy


@pytest.fixture(scope="module")
def published() -> Mapping[str, Record]:
    """Every published record of this repository, of whatever schema."""
    folder = ROOT / "leaderboards"
    files = [path for path in (folder / "records").rglob("*.json") if is_record(path.name)]
    return {path.relative_to(folder).as_posix(): read_record(path) for path in files}


def test_no_published_record_contradicts_itself_or_another(published: Mapping[str, Record]) -> None:
    assert len(published) >= 49
    found = {path: contradictions(record) for path, record in published.items()}
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert disagreements(published) == []


def some(published: Mapping[str, Record], model: str) -> Record:
    return next(record for path, record in sorted(published.items()) if f"/{model}-" in path)


def without_input(record: Record, stage: str, name: str) -> Record:
    """The record with an input of a stage removed, its key mended."""
    inputs = {key: value for key, value in record.stages[stage].inputs.items() if key != name}
    mended = record.stages[stage].model_copy(update={"inputs": inputs, "key": digest(inputs)})
    return record.model_copy(update={"stages": {**record.stages, stage: mended}})


@pytest.mark.parametrize("name", ["model", "recipe", "seed", "dataset", "stage"])
def test_an_input_taken_away_is_missed(published: Mapping[str, Record], name: str) -> None:
    record = some(published, "efficientnet-b0")
    # Seed 0 and no seed are two things.
    assert contradictions(without_input(record, "train", name)) != []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"environment_digest": "0" * 64}, "environment_digest is 000000000000, its environment"),
        ({"left_one_out": {"eer": {"a": 0.1}}}, "left_one_out.eer is of no metric"),
        ({"metrics": {}}, "it is done without its primary metric 'accuracy'"),
        ({"artefacts": {}}, ""),
        ({"track": "recipe"}, ""),
    ],
)
def test_what_contradicts_itself_is_named(
    published: Mapping[str, Record], changes: dict[str, Any], said: str
) -> None:
    record = some(published, "efficientnet-b0").model_copy(update=changes)
    found = "\n".join(contradictions(record))
    assert said in found
    assert bool(said) == bool(found)


def test_a_value_out_of_its_interval_is_named(published: Mapping[str, Record]) -> None:
    record = some(published, "efficientnet-b0")
    outside = Metric(value=0.5, low=0.96, high=0.99, unit="%")
    changed = record.model_copy(update={"metrics": {**record.metrics, "accuracy": outside}})
    assert contradictions(changed) == ["metrics.accuracy is 0.5, out of its interval 0.96 to 0.99"]


def test_a_baseline_with_a_checkpoint_contradicts_its_evaluation(
    published: Mapping[str, Record],
) -> None:
    record = some(published, "nearest-class-mean")
    trained = some(published, "efficientnet-b0")
    changed = record.model_copy(update={"artefacts": trained.artefacts})
    (line,) = contradictions(changed)
    checkpoint = trained.artefacts["checkpoint"].sha256[:12]
    assert line.startswith(f"artefacts.checkpoint is {checkpoint}, its stage `evaluate` went by")


def test_another_model_than_the_evaluated_one_is_named_where_nothing_was_trained(
    published: Mapping[str, Record],
) -> None:
    record = some(published, "efficientnet-b0")
    evaluated = record.model_copy(update={"stages": {"evaluate": record.stages["evaluate"]}})
    assert contradictions(evaluated) == []
    other = record.model.model_copy(update={"version": record.model.version + 1})
    (line,) = contradictions(evaluated.model_copy(update={"model": other}))
    assert line.startswith("model is ")
    assert "its stage `evaluate` went by" in line


def test_other_counts_of_one_lock_are_named(published: Mapping[str, Record]) -> None:
    digits = {path: record for path, record in published.items() if "/digits/" in path}
    path = min(digits)
    data = digits[path].dataset.model_copy(update={"counts": {"test": {"items": 1}}})
    digits[path] = digits[path].model_copy(update={"dataset": data})
    (line,) = disagreements(digits)
    assert line.startswith(f"{path}: dataset.counts is")


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "voices.md",
        "archive/image-v9.md",
        "site/old.html",
        "plots/a/b/c.svg",
        "archive/plots/c.svg",
        "records/image/readme.txt",
        "history/image/notes.md",
    ],
)
def test_a_file_that_nothing_gives_is_stale_wherever_it_is(copy: Copy, name: str) -> None:
    path = copy.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    assert check(copy.folder) == [f"{name}: stale, no record gives it; delete it"]


@pytest.mark.parametrize(
    ("companion", "record"),
    [
        ("records/a/b-seed0-12.details.json", "records/a/b-seed0-12.json"),
        ("records/a/b.attestation-cafe.json", "records/a/b.json"),
        ("records/a/b.attestation-1.attestation-2.json", "records/a/b.attestation-1.json"),
    ],
)
def test_a_companion_names_its_record(companion: str, record: str) -> None:
    assert record_of(companion) == record


def details(copy: Copy, record: Path, of: Path) -> Path:
    """A small companion beside a record, computed for another or for it."""
    path = copy.folder / details_path(copy.name(record))
    document = {"schema": 1, "record": sha256_file(of), "det": None, "breakdowns": {}}
    path.write_text(readable_json(document))
    return path


def test_details_of_another_record_and_of_none_are_found(copy: Copy) -> None:
    record, other = copy.record("efficientnet-b0"), copy.record("efficientnet-b1")
    path = details(copy, record, of=other)
    lost = path.with_name(f"lost{path.name}")
    shutil.copy(path, lost)
    said = [line.partition(";")[0] for line in check(copy.folder)]
    assert f"{copy.name(path)}: of another record than the one beside it" in said
    assert f"{copy.name(lost)}: stale, no record beside it" in said


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 9}', '{"schema": 1}'])
def test_details_that_are_none_are_named(copy: Copy, content: str) -> None:
    path = details(copy, copy.record(), of=copy.record())
    path.write_text(content)
    (line,) = check(copy.folder)
    assert line.startswith(f"{copy.name(path)}: ")


def test_details_spelled_otherwise_are_found(copy: Copy) -> None:
    path = details(copy, copy.record(), of=copy.record())
    path.write_text(json.dumps(json.loads(path.read_text())))
    spelled = f"{copy.name(path)}: not spelled as it was written; restore it from git"
    assert spelled in check(copy.folder)


def attest(copy: Copy, path: Path, **changes: Any) -> Path:
    """An attestation beside a record, whole but for some changes."""
    kept = read_record(path)
    value = kept.metrics["accuracy"].value
    told = Attestation(
        record=sha256_file(path),
        metric="accuracy",
        recorded=value,
        reproduced=value,
        low=value,
        high=value,
        rule="equal",
        told="",
        code="1" * 40,
        finished="2026-03-01T00:00:00+00:00",
    )
    made = write_attestation(path, told)
    if not changes:
        return made
    changed = told.model_copy(update=changes)
    moved = attestation_path(path, changed)
    made.unlink()
    moved.write_text(readable_json(changed.model_dump(mode="json", by_alias=True)))
    return moved


def about(copy: Copy, path: Path) -> list[str]:
    """What the check says of a file."""
    name = copy.name(path)
    return [line.removeprefix(f"{name}: ") for line in check(copy.folder) if line.startswith(name)]


def test_an_attestation_of_the_record_beside_it_is_right(copy: Copy) -> None:
    assert about(copy, attest(copy, copy.record())) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"record": "0" * 64}, "of another record than the one beside it; delete it"),
        ({"recorded": 0.5}, "says that the record has 0.5, which has 0.98"),
        ({"metric": "macro_f1"}, "tells of 'macro_f1', its record's primary metric is 'accuracy'"),
    ],
)
def test_an_attestation_that_does_not_fit_its_record_is_named(
    copy: Copy, changes: dict[str, Any], said: str
) -> None:
    assert about(copy, attest(copy, copy.record(), **changes)) == [said]


def test_an_attestation_of_another_name_edited_or_beside_no_record_is_named(copy: Copy) -> None:
    path = attest(copy, copy.record())
    content = path.read_text()
    lost = path.with_name(path.name.replace("efficientnet-b0", "lost"))
    path.rename(lost)
    assert about(copy, lost) == ["stale, no record beside it; delete it"]
    lost.rename(path)
    path.write_text(content.replace('"by": ""', '"by": "me"'))
    assert "its content belongs at" in about(copy, path)[0]
    path.write_text("{}")
    assert "attestation schema None" in about(copy, path)[0]


def test_of_a_long_line_that_differs_the_place_is_told(copy: Copy) -> None:
    page = copy.folder / "image.md"
    text = page.read_text()
    line = next(each for each in text.splitlines() if each.endswith("| matched  |"))
    assert len(line) > 250
    page.write_text(text.replace(line, line.replace("| matched  |", "| matchet  |")))
    (said,) = check(copy.folder)
    assert said.startswith("image.md: line ")
    assert "| matchet  |" in said
    assert "| matched  |" in said
    assert len(said) < 450
