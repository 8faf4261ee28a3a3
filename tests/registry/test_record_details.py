"""Companions computed from published records, and held against what lies beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config.loader import LoadedBenchmark, load
from harness.errors import DataError, RequestError
from harness.records.details_schema import Details, details_text, read_details
from harness.records.documents import readable_json
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.record_details import (
    DetailsMaker,
    complete_details,
    details_beside,
    details_content,
    details_of,
    differences,
)
from harness.registry.verify_record import record_files
from tests.places import ROOT
from tests.published import newest

RECORDS = ROOT / "leaderboards" / "records"
DIGITS = RECORDS / "image" / "quick" / "digits"
LIMIT = 20_000


@pytest.fixture(scope="module")
def loaded() -> LoadedBenchmark:
    return load(ROOT / "benchmark.toml")


def copied(source: Path, folder: Path) -> Path:
    shutil.copy(source.with_suffix(".scores.npz"), folder)
    return Path(shutil.copy(source, folder))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """One published record of embedded data, with its scores beside it."""
    (source,) = DIGITS.glob("efficientnet-b0-softmax-seed0-626cfbe375c7.json")
    return copied(source, tmp_path)


@pytest.fixture(scope="module")
def spoken(loaded: LoadedBenchmark, tmp_path_factory: pytest.TempPathFactory) -> Details:
    """The details of a record with trials."""
    path = copied(
        newest("speaker/quick/open-26666/campplus-aam"), tmp_path_factory.mktemp("spoken")
    )
    return details_of(loaded, path, read_record(path))


def published() -> list[tuple[Path, Record, Details]]:
    """Published records that have details."""
    beside = [(path, details_beside(path)) for path in record_files(RECORDS.parent)]
    return [(path, read_record(path), read_details(file)) for path, file in beside if file.exists()]


def test_all_published_details_tell_what_their_record_does() -> None:
    found = published()
    assert len(found) >= 49
    for path, record, details in found:
        assert details.is_of(path), path
        assert details_beside(path).stat().st_size < LIMIT
        assert details_beside(path).read_text() == details_text(details)
        counts = record.dataset.counts["test"]
        if details.det is not None:
            gaps = np.subtract(details.det.miss, details.det.false_alarm)
            crossed = np.interp(0.0, gaps, details.det.miss)
            assert crossed == pytest.approx(record.metrics["eer"].value, rel=1e-5)
            asked = record.protocol.parameters["p_target"]
            cheapest = details.det.min_dcf
            cost = cheapest.miss + (1 - asked) / asked * cheapest.false_alarm
            assert cost == pytest.approx(record.metrics["min_dcf"].value, rel=1e-4)
            assert details.det.targets == counts["targets"]
            assert details.det.targets + details.det.nontargets == counts["trials"]
        if "class" in details.breakdowns:
            groups = details.breakdowns["class"].groups
            assert sum(group.items for group in groups) == counts["items"]
            # The hits of all classes are those of the whole; a class too small for a share of its
            # own may hold any number of them.
            name = "accuracy" if "accuracy" in record.metrics else "cluster_accuracy"
            told = [(group.metrics[name], group.items) for group in groups]
            hits = sum(share.value * items for share, items in told if share)
            untold = sum(items for share, items in told if not share)
            hits_of_all = record.metrics[name].value * counts["items"]
            assert hits * (1 - 1e-4) <= hits_of_all <= (hits + untold) * (1 + 1e-4)


def test_groups_tell_metrics_that_the_table_knows() -> None:
    told = [
        (record.protocol.facts.keys(), group.metrics.keys())
        for _, record, details in published()
        for breakdown in details.breakdowns.values()
        for group in breakdown.groups
    ]
    assert any(metrics for _, metrics in told)
    assert all(metrics <= known for known, metrics in told)


def test_the_embedded_speech_is_broken_down(spoken: Details) -> None:
    assert sorted(spoken.breakdowns) == ["gender", "kind", "session"]
    kinds = {group.name: group for group in spoken.breakdowns["kind"].groups}
    assert {group.trials for group in kinds.values()} == {8000, 12000, 759, 201}
    far, near = (kinds[f"nontarget {word}-gender"].metrics["eer"] for word in ("cross", "same"))
    assert far is not None
    assert near is not None
    assert far.value < near.value
    sessions = {group.name: group for group in spoken.breakdowns["session"].groups}
    assert sessions["same session"].metrics == kinds["target same-session"].metrics


def test_missing_details_are_written_once(loaded: LoadedBenchmark, record: Path) -> None:
    assert complete_details(loaded, record).answer == "written"
    beside = record.with_name(f"{record.stem}.details.json")
    before = beside.stat().st_mtime_ns, beside.read_bytes()
    assert complete_details(loaded, record).answer == "there"
    assert (beside.stat().st_mtime_ns, beside.read_bytes()) == before
    assert read_details(beside).is_of(record)
    assert record_files(record.parent) == [record]


def test_a_run_has_its_details_in_its_folder(loaded: LoadedBenchmark, record: Path) -> None:
    run = record.rename(record.with_name("record.json"))
    record.with_suffix(".scores.npz").rename(record.with_name("scores.npz"))
    assert complete_details(loaded, run).answer == "written"
    assert details_beside(run) == run.with_name("details.json")
    assert read_details(run.with_name("details.json")).is_of(run)


def test_details_that_differ_are_told_and_kept(loaded: LoadedBenchmark, record: Path) -> None:
    complete_details(loaded, record)
    beside = details_beside(record)
    document = json.loads(beside.read_text())
    document["breakdowns"]["class"]["groups"][3]["metrics"]["accuracy"]["low"] -= 0.001
    beside.write_text(readable_json(document))
    kept = beside.read_bytes()
    done = complete_details(loaded, record)
    assert (done.answer, len(done.reasons)) == ("differs", 1)
    told = done.reasons[0]
    assert told.startswith("details.breakdowns.class.groups[3].metrics.accuracy.low: recorded 0.")
    assert beside.read_bytes() == kept


def test_another_record_makes_details_stale(loaded: LoadedBenchmark, record: Path) -> None:
    complete_details(loaded, record)
    document = json.loads(record.read_text())
    document["notes"] = ["another record"]
    record.write_text(readable_json(document))
    done = complete_details(loaded, record)
    assert done.answer == "differs"
    assert [reason.split(":")[0] for reason in done.reasons] == ["details.record"]


def test_a_last_digit_is_no_difference(loaded: LoadedBenchmark, record: Path) -> None:
    found = details_of(loaded, record, read_record(record))
    document = found.model_dump(mode="json", by_alias=True)
    estimate = document["breakdowns"]["class"]["groups"][0]["metrics"]["accuracy"]
    estimate["low"] = round(estimate["low"] + 1e-6, 6)
    near = Details.model_validate(document)
    assert near != found
    assert differences(near, found) == ()
    estimate["low"] = round(estimate["low"] + 1e-5, 6)
    assert len(differences(Details.model_validate(document), found)) == 1
    place = record.with_name("elsewhere.json")
    assert details_content(place, found) == details_text(found).encode()
    place.write_text(details_text(near))
    assert details_content(place, found) == details_text(near).encode()


def test_missing_parts_are_differences(spoken: Details) -> None:
    fewer = spoken.model_copy(update={"det": None, "breakdowns": {}})
    told = differences(fewer, spoken)
    assert told == (
        "details.breakdowns.gender: recorded nothing, computed something",
        "details.breakdowns.kind: recorded nothing, computed something",
        "details.breakdowns.session: recorded nothing, computed something",
        "details.det: recorded nothing, computed something",
    )


def test_what_cannot_be_computed_here_is_told_once_a_reason(
    loaded: LoadedBenchmark, record: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    letters = sorted((DIGITS.parent / "omniglot-latin").glob("*softmax*-*.json"))
    letters = [path for path in letters if not path.name.endswith(".details.json")]
    maker = DetailsMaker(loaded)
    assert [maker.of(path, read_record(path)) for path in letters] == [None] * 3
    assert maker.of(record, read_record(record)) is not None
    ((reason, records),) = maker.reasons.items()
    assert "https://github.com/brendenlake/omniglot" in reason
    assert records == letters
    assert complete_details(loaded, letters[0]).answer == "not here"


def test_other_scores_are_refused(loaded: LoadedBenchmark, record: Path) -> None:
    np.savez(record.with_suffix(".scores.npz"), logits=np.zeros((500, 10)))
    with pytest.raises(DataError, match="not the scores that the record names"):
        details_of(loaded, record, read_record(record))


def test_broken_details_are_refused(loaded: LoadedBenchmark, record: Path) -> None:
    details_beside(record).write_text("{}")
    with pytest.raises(RequestError, match="details schema None"):
        complete_details(loaded, record)


def test_details_are_no_record(record: Path, loaded: LoadedBenchmark) -> None:
    complete_details(loaded, record)
    document: dict[str, Any] = json.loads(record.read_text())
    record.with_name(f"{record.stem}.attestation-a.json").write_text(readable_json(document))
    assert record_files(record.parent) == [record]
