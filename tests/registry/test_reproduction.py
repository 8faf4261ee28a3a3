"""A record's job is planned again, or it is told why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.errors import RequestError
from harness.records.record import Data, Record, Submission
from harness.records.record_files import read_record
from harness.registry.record_job import (
    Rerun,
    check_reproducible,
    plan_again,
    planned_job,
    request_for,
)
from harness.run.plan.request import listing_state
from tests.places import ROOT

DIGITS = ROOT / "leaderboards" / "records" / "image" / "quick" / "digits"
BASELINE = next(DIGITS.glob("nearest-class-mean-seednone-????????????.json"))
FIRST = next(DIGITS.glob("efficientnet-b0-softmax-seed0-????????????.json"))


def planned(record: Record, runs: Path) -> Any:
    loaded = load(ROOT / "benchmark.toml")
    source = listing_state(loaded, list_dataset(loaded, "digits", "quick"))
    request = request_for(loaded, record, Rerun(runs=runs, threads=1))
    return planned_job(plan_again(loaded, request, record, source), record, source)


def test_a_published_record_is_planned_as_it_was(tmp_path: Path) -> None:
    record = read_record(BASELINE)
    job = planned(record, tmp_path)
    assert (job.protocol.digest, job.dataset.lock) == (record.protocol.digest, record.dataset.lock)
    assert (job.model, job.is_baseline, job.train) == (record.model, True, None)


def test_what_is_planned_otherwise_is_named_with_the_commit_that_planned_it(
    tmp_path: Path,
) -> None:
    """The keys of first records held less than those of today."""
    record = read_record(FIRST)
    with pytest.raises(RequestError) as refused:
        planned(record, tmp_path)
    for part in (
        "another job for efficientnet-b0 + softmax",
        "train.left_out: recorded false, planned []",
        f"check out {record.code[:12]}",
    ):
        assert part in str(refused.value)


def test_a_model_that_is_gone_is_named_with_the_commit(tmp_path: Path) -> None:
    record = read_record(FIRST)
    gone = record.model_copy(update={"model": record.model.model_copy(update={"name": "b9"})})
    with pytest.raises(RequestError, match=r"plans no such job: .*'b9'.*check out"):
        planned(gone, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "failed"}, "it is failed"),
        ({"trust": "claimed"}, "computed elsewhere"),
        ({"submission": Submission(made_from="scores")}, "computed elsewhere"),
        ({"track": "checkpoint"}, "harness evaluate"),
    ],
)
def test_a_record_without_a_job_is_refused(changes: dict[str, Any], message: str) -> None:
    record = read_record(BASELINE).model_copy(update=changes)
    with pytest.raises(RequestError, match=message):
        check_reproducible(record, BASELINE)


def test_a_record_without_some_items_is_refused() -> None:
    record = read_record(BASELINE)
    data = Data(**record.dataset.model_dump() | {"left_out": ("a", "b")})
    with pytest.raises(RequestError, match="2 items were left out"):
        check_reproducible(record.model_copy(update={"dataset": data}), BASELINE)
