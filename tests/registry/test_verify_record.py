"""Numbers computed again from published scores, and every way in which they may not agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config.loader import LoadedBenchmark, load
from harness.records.documents import readable_json, sha256_file
from harness.registry.record_details import complete_details, details_beside
from harness.registry.verify_record import Verdict, record_files, verify
from tests.places import ROOT

DIGITS = ROOT / "leaderboards" / "records" / "image" / "quick" / "digits"


@pytest.fixture(scope="module")
def loaded() -> LoadedBenchmark:
    return load(ROOT / "benchmark.toml")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """One published record of embedded data, with its scores beside it."""
    (source,) = DIGITS.glob("efficientnet-b0-softmax-seed0-626cfbe375c7.json")
    shutil.copy(source.with_suffix(".scores.npz"), tmp_path)
    return Path(shutil.copy(source, tmp_path))


def edited(record: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    document = json.loads(record.read_text())
    change(document)
    record.write_text(readable_json(document))
    return record


def answer(loaded: LoadedBenchmark, record: Path) -> Verdict:
    return verify(loaded, record, record.parent / "runs")


def without_details(record: Path, folder: Path) -> Path:
    """The same record and its scores elsewhere."""
    place = folder / record.relative_to(ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    for file in (record, record.with_suffix(".scores.npz")):
        if file.exists():
            (place.parent / file.name).symlink_to(file)
    return place


def test_every_published_record_is_verified_or_says_why_not(
    loaded: LoadedBenchmark, tmp_path: Path
) -> None:
    """Companions take the most time: those of one record of each dataset are verified with it."""
    verdicts, seen = [], set()
    for file in record_files(ROOT / "leaderboards"):
        again = file.parent in seen
        seen.add(file.parent)
        chosen = without_details(file, tmp_path) if again else file
        verdicts.append(verify(loaded, chosen, tmp_path / "runs"))
    assert [verdict for verdict in verdicts if verdict.answer == "differs"] == []
    embedded = [verdict for verdict in verdicts if "/digits/" in str(verdict.record)]
    assert {verdict.answer for verdict in embedded} == {"verified"}
    assert sum(verdict.details for verdict in embedded) == 1
    assert all(verdict.reasons for verdict in verdicts if verdict.answer != "verified")


def test_a_published_record_is_verified(loaded: LoadedBenchmark, record: Path) -> None:
    verdict = answer(loaded, record)
    assert (verdict.answer, verdict.reasons) == ("verified", ())
    # Value and two ends of three metrics, and accuracy without each of 500 pictures.
    assert verdict.numbers == 509


@pytest.mark.parametrize("part", ["value", "low", "high"])
def test_a_changed_number_differs(loaded: LoadedBenchmark, record: Path, part: str) -> None:
    def change(document: dict[str, Any]) -> None:
        document["metrics"]["accuracy"][part] += 1e-6

    verdict = answer(loaded, edited(record, change))
    assert verdict.answer == "differs"
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith(f"accuracy.{part}: recorded 0.9")


def test_a_changed_left_one_out_value_differs(loaded: LoadedBenchmark, record: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        values = document["left_one_out"]["accuracy"]
        del values[min(values)]

    verdict = answer(loaded, edited(record, change))
    assert verdict.answer == "differs"
    assert "recorded nothing, computed" in verdict.reasons[0]


@pytest.mark.parametrize("name", ["act_dcf", "invented"])
def test_a_number_that_scores_do_not_give_differs(
    loaded: LoadedBenchmark, record: Path, name: str
) -> None:
    def change(document: dict[str, Any]) -> None:
        metric = {"value": 0.5, "low": None, "high": None, "unit": ""}
        document["metrics"][name] = metric

    verdict = answer(loaded, edited(record, change))
    assert verdict.answer == "differs"
    assert verdict.reasons == (f"{name}.value: recorded 0.5, computed nothing",)


def test_left_one_out_values_that_scores_do_not_give_differ(
    loaded: LoadedBenchmark, record: Path
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["left_one_out"]["invented"] = {"ann": 0.25}

    verdict = answer(loaded, edited(record, change))
    assert verdict.reasons == ("invented without ann: recorded 0.25, computed nothing",)


def test_details_are_verified_too(loaded: LoadedBenchmark, record: Path) -> None:
    assert not answer(loaded, record).details
    complete_details(loaded, record)
    verdict = answer(loaded, record)
    assert (verdict.answer, verdict.details, verdict.numbers) == ("verified", True, 509)


def test_changed_details_differ_by_their_group(loaded: LoadedBenchmark, record: Path) -> None:
    complete_details(loaded, record)
    beside = details_beside(record)
    document = json.loads(beside.read_text())
    groups = document["breakdowns"]["class"]["groups"]
    groups[7]["metrics"]["accuracy"]["value"] += 0.01
    groups[2]["items"] += 1
    beside.write_text(readable_json(document))
    verdict = answer(loaded, record)
    assert verdict.answer == "differs"
    where = [reason.split(":")[0] for reason in verdict.reasons]
    assert where == [
        "details.breakdowns.class.groups[2].items",
        "details.breakdowns.class.groups[7].metrics.accuracy.value",
    ]


def test_other_scores_differ_by_their_hash(loaded: LoadedBenchmark, record: Path) -> None:
    scores = record.with_suffix(".scores.npz")
    content = bytearray(scores.read_bytes())
    content[len(content) // 2] ^= 1
    scores.write_bytes(bytes(content))
    verdict = answer(loaded, record)
    assert verdict.answer == "differs"
    assert "not the scores that the record names" in verdict.reasons[0]


@dataclass(frozen=True)
class Trained:
    """A training in a runs folder that has the key of a record."""

    record: Path
    stage: Path

    def change(self, **parts: Any) -> None:
        path = self.stage / "result.json"
        result = json.loads(path.read_text())
        result["stage"] |= {key: parts.pop(key) for key in ("key", "code") if key in parts}
        path.write_text(json.dumps(result | parts))


@pytest.fixture
def trained(record: Path) -> Trained:
    """Other weights, in a later training of the record's key, code and environment."""

    def change(document: dict[str, Any]) -> None:
        document["stages"]["train"]["code"] = document["code"].removesuffix("+dirty")

    document = json.loads(edited(record, change).read_text())
    stage = document["stages"]["train"]
    folder = record.parent / "runs" / "stages" / f"train-{stage['key'][:16]}"
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"other weights")
    stage = stage | {"finished": "2026-01-01T00:00:00+00:00"}
    result = {"stage": stage, "environment": document["environment_digest"]}
    (folder / "result.json").write_text(json.dumps(result))
    return Trained(record, folder)


def test_other_weights_of_the_same_code_and_environment_differ(
    loaded: LoadedBenchmark, trained: Trained
) -> None:
    verdict = answer(loaded, trained.record)
    assert (verdict.answer, verdict.notes) == ("differs", ())
    assert "not the checkpoint that the record names" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"code": "1" * 40}, ["code"]),
        ({"code": "1" * 40 + "+dirty"}, ["code"]),
        ({"environment": "2" * 64}, ["environment"]),
        ({"environment": ""}, ["environment"]),
        ({"code": "1" * 40, "environment": "2" * 64}, ["code", "environment"]),
    ],
)
def test_weights_of_other_code_or_another_environment_are_not_compared(
    loaded: LoadedBenchmark, trained: Trained, parts: dict[str, str], named: list[str]
) -> None:
    trained.change(**parts)
    verdict = answer(loaded, trained.record)
    assert (verdict.answer, verdict.reasons) == ("verified", ())
    (note,) = verdict.notes
    assert note.startswith("its checkpoint was not compared")
    assert [name for name in ("key", "code", "environment") if f"{name} " in note] == named


def test_a_damaged_training_is_not_compared(loaded: LoadedBenchmark, trained: Trained) -> None:
    (trained.stage / "result.json").write_text("{")
    verdict = answer(loaded, trained.record)
    assert verdict.answer == "verified"
    assert "not the result of a stage" in verdict.notes[0]


@pytest.mark.parametrize(
    "arrays",
    [{"other": np.zeros(3)}, {"logits": np.zeros((3, 10))}, {"logits": np.full((500, 10), np.nan)}],
)
def test_scores_that_cannot_be_judged_differ(
    loaded: LoadedBenchmark, record: Path, arrays: dict[str, Any]
) -> None:
    scores = record.with_suffix(".scores.npz")
    np.savez(scores, **arrays)

    def change(document: dict[str, Any]) -> None:
        size = scores.stat().st_size
        document["artefacts"]["scores"] = {"sha256": sha256_file(scores), "bytes": size}

    verdict = answer(loaded, edited(record, change))
    assert verdict.answer == "differs"
    assert "cannot be judged by its lists" in verdict.reasons[0]


def _unknown_dataset(document: dict[str, Any]) -> None:
    document["dataset"]["name"] = "elsewhere"


def _other_lock(document: dict[str, Any]) -> None:
    document["dataset"]["lock"] = "0" * 64


def _unknown_suite(document: dict[str, Any]) -> None:
    document["protocol"]["suite"] = "elsewhere"


def _other_version(document: dict[str, Any]) -> None:
    document["protocol"]["version"] += 1


def _other_parameters(document: dict[str, Any]) -> None:
    document["protocol"]["parameters"]["interval"] = "none"


def _failed(document: dict[str, Any]) -> None:
    document["state"] = "failed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_unknown_dataset, "no dataset 'elsewhere'"),
        (_other_lock, "lock 000000000000 of digits, which is not this benchmark's"),
        (_unknown_suite, "no suite 'elsewhere'"),
        (_other_version, "version 2 of the protocol of image, this benchmark has 1"),
        (_other_parameters, "version 1 of the protocol"),
        (_failed, "it is failed and holds no numbers"),
    ],
)
def test_what_is_not_as_the_record_wants_it_is_not_verifiable_here(
    loaded: LoadedBenchmark, record: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    verdict = answer(loaded, edited(record, change))
    assert verdict.answer == "not verifiable here"
    assert reason in verdict.reasons[0]


def test_without_scores_it_is_not_verifiable_here(loaded: LoadedBenchmark, record: Path) -> None:
    record.with_suffix(".scores.npz").unlink()
    verdict = answer(loaded, record)
    assert verdict.answer == "not verifiable here"
    assert "its scores are not beside it" in verdict.reasons[0]


def test_an_absent_corpus_is_told_with_where_to_get_it(
    loaded: LoadedBenchmark, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    (letters,) = (DIGITS.parent / "omniglot-latin").glob(
        "efficientnet-b0-softmax-seed0-????????????.json"
    )
    verdict = verify(loaded, letters, tmp_path)
    assert verdict.answer == "not verifiable here"
    assert "https://github.com/brendenlake/omniglot" in verdict.reasons[0]
