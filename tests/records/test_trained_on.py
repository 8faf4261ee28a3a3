"""What weights made elsewhere were trained on, in a record's file."""

from __future__ import annotations

from harness.records.record import Data, Protocol, Record
from harness.records.record_files import to_document

RECORD = Record(
    state="done",
    protocol=Protocol(
        suite="s", suite_title="S", profile="quick", version=1, digest="d", task="t:T",
        primary="eer", facts={}, parameters={},
    ),
    dataset=Data(
        name="d", title="D", synthetic=True, licence="CC0-1.0", publish_scores=True, source="",
        lock="l", counts={}, unit="speaker",
    ),
    model={"name": "m", "adapter": "a:A", "version": 1, "fields": {}},  # type: ignore[arg-type]
    track="checkpoint",
    code="c",
)  # fmt: skip


def test_untold_it_is_no_part_of_the_file() -> None:
    assert "trained_on" not in to_document(RECORD)
    assert Record.model_validate(to_document(RECORD)) == RECORD


def test_told_it_comes_back() -> None:
    told = RECORD.model_copy(update={"trained_on": ("VoxCeleb2 dev", "MUSAN")})
    assert to_document(told)["trained_on"] == ["VoxCeleb2 dev", "MUSAN"]
    assert Record.model_validate(to_document(told)) == told
