"""Model cards: metadata that Hugging Face can read, and what a corpus forbids."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from harness.records.record import Record
from harness.records.record_files import read_record
from harness.run.plan.questions import DeclaredInput
from harness.use.export_facts import ExportedFile, ExportFacts
from harness.use.model_card import forbids_commerce, model_card
from harness.use.model_facts import Decision, ModelFacts
from tests.places import RECORDS


@pytest.fixture
def record() -> Record:
    folder = RECORDS / "speaker" / "quick" / "speechocean762"
    path = next(
        each for each in sorted(folder.glob("ecapa-512*.json")) if each.name.count(".") == 1
    )
    return read_record(path)


def card(record: Record, licence: str) -> str:
    metrics, counts = record.metrics, record.dataset.counts["test"]
    model = ModelFacts(
        entry=record.entry,
        seed=record.seed,
        suite=record.protocol.suite,
        profile=record.protocol.profile,
        dataset=record.dataset.name,
        licence=licence,
        source=record.dataset.source,
        synthetic=False,
        unit="speaker",
        record="0" * 64,
        checkpoint="1" * 64,
        code=record.code,
        output="embedding",
        input=DeclaredInput(name="Fbank", fields={}),
        kind="audio",
        decision=Decision(
            threshold=metrics["threshold"].value,
            calibration=(10.0, -3.0),
            effective_prior=0.01,
            miss=metrics["miss_at_threshold"],
            false_alarm=metrics["false_alarm_at_threshold"],
            eer=metrics["eer"],
            targets=counts["targets"],
            nontargets=counts["trials"] - counts["targets"],
        ),
        metrics=metrics,
    )
    file = ExportedFile(
        name="model.onnx",
        input="waveform",
        input_shape=("batch", "samples"),
        output="embedding",
        output_size=192,
        items=16,
        difference=1e-6,
        score_difference=2e-6,
        bytes=25_000_000,
        latency=0.02,
        latency_of_pytorch=0.03,
    )
    export = ExportFacts(
        model=model,
        sample_rate=16_000,
        normalisation="a waveform in -1..1",
        features="inside",
        files=(file,),
    )
    return model_card(export, record)


def front(text: str) -> dict[str, Any]:
    _, matter, _ = text.split("---\n", 2)
    return dict(yaml.safe_load(matter))


def test_its_metadata_hold_the_records_figures(record: Record) -> None:
    (entry,) = front(card(record, "CC-BY-4.0"))["model-index"]
    (result,) = entry["results"]
    told = {each["type"]: each["value"] for each in result["metrics"]}
    assert told["eer"] == pytest.approx(100 * record.metrics["eer"].value, abs=0.01)
    assert result["task"]["type"] == "speaker-verification"
    assert result["dataset"]["type"] == "speechocean762"


@pytest.mark.parametrize(
    ("licence", "forbidden"),
    [
        ("CC-BY-4.0", False),
        ("Apache-2.0", False),
        ("free for commercial and non-commercial use", False),
        ("free for research", True),
        ("CC-BY-NC-SA-4.0", True),
        ("CC BY-NC 4.0", True),
    ],
)
def test_a_licence_that_forbids_commerce_is_told(
    record: Record, licence: str, forbidden: bool
) -> None:
    text = card(record, licence)
    assert forbids_commerce(licence) == forbidden
    assert ("Not for commercial use" in text) == forbidden
    assert ("not-for-commercial-use" in front(text)["tags"]) == forbidden
    assert licence in text
