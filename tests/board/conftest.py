"""Records for the board's tests, made by one small factory."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from harness.measure.environment import environment_digest
from harness.records.costs import Memory, Resources
from harness.records.documents import digest
from harness.records.record import (
    Data,
    Environment,
    Metric,
    MetricFacts,
    Protocol,
    Record,
    RecordedComponent,
    Stage,
)

Make = Callable[..., Record]

FACTS = {
    "eer": MetricFacts(title="EER", unit="%", higher_is_better=False),
    "min_dcf": MetricFacts(title="minDCF", unit="", higher_is_better=False, decimals=3),
}


def make_protocol(**changes: Any) -> Protocol:
    """The speaker suite's protocol, or one that differs."""
    fields: dict[str, Any] = {
        "suite": "speaker",
        "suite_title": "Speaker verification",
        "profile": "quick",
        "version": 1,
        "digest": "a" * 64,
        "task": "harness.tasks.verification:Verification",
        "primary": "eer",
        "facts": FACTS,
        "parameters": {"p_target": 0.01, "c_miss": 1.0, "c_fa": 1.0},
    }
    return Protocol(**fields | changes)


def make_data(**changes: Any) -> Data:
    """The embedded corpus, or one that differs."""
    fields: dict[str, Any] = {
        "name": "open-26666",
        "title": "open-26666",
        "synthetic": True,
        "licence": "CC0-1.0",
        "publish_scores": True,
        "source": "",
        "lock": "b" * 64,
        "counts": {"test": {"units": 24, "items": 240, "trials": 2400, "targets": 400}},
        "unit": "speaker",
    }
    return Data(**fields | changes)


def make_environment(device: str = "NVIDIA H200") -> Environment:
    """A machine."""
    return Environment(
        device=device,
        processor="Xeon 8481C",
        threads=8,
        python="3.11.4",
        platform="Linux",
        libraries={},
        allocator={},
    )


def make_metrics(value: float) -> dict[str, Metric]:
    """The two metrics of FACTS around an error rate."""
    return {
        "eer": Metric(value=value, low=value * 0.8, high=value * 1.2, unit="%"),
        "min_dcf": Metric(value=value * 5, low=value * 4, high=value * 6, unit=""),
    }


def make_left_out(value: float, units: int, noise: int) -> dict[str, dict[str, float]]:
    """The error rate without each of some speakers."""
    draw = random.Random(noise)
    values = [value + draw.gauss(0, 0.0005) for _ in range(units)]
    return {"eer": {f"spk{i:02}": min(max(0.0, each), 1.0) for i, each in enumerate(values)}}


def make_stage(fields: dict[str, Any]) -> Stage:
    """A training's stage that agrees with a record's fields, and has the key of its inputs."""
    model, loss = fields["model"], fields["loss"]
    inputs = {
        "stage": "train",
        "dataset": {"name": fields["dataset"].name, "profile": fields["protocol"].profile},
        "model": model.model_dump(mode="json"),
        "loss": loss.model_dump(mode="json") if loss else None,
        "recipe": fields["recipe"],
        "seed": fields["seed"],
    }
    return Stage(key=digest(inputs), inputs=inputs, finished="2026-01-02T03:04:05Z")


def make_record(
    model: str = "ecapa-512",
    loss: str | None = "aam",
    value: float = 0.05,
    seed: int | None = 0,
    units: int = 24,
    **changes: Any,
) -> Record:
    """A done record, or one that differs."""
    device = changes.pop("device", "NVIDIA H200")
    resources = {
        "parameters": 6_190_000,
        "macs": 1_570_000_000,
        "macs_input": "3 s of audio",
        "batch_asked": 64,
        "batch_used": 64,
        "training_memory": Memory(bytes=3_450_000_000, counted="gpu"),
        "training_per_second": 812.3,
        "inference_per_second": 2312.0,
        "throughput_unit": "s of audio/s",
        "latency_p50": 0.00712,
        "training_seconds": 754.0,
    }
    fields: dict[str, Any] = {
        "state": "done",
        "protocol": make_protocol(),
        "dataset": make_data(),
        "model": RecordedComponent(
            name=model, adapter="adapters.speechbrain:Ecapa", version=1, fields={}
        ),
        "loss": loss
        and RecordedComponent(name=loss, adapter="adapters.losses:X", version=1, fields={}),
        "recipe": {"steps": 2000, "batch": 64} if loss else None,
        "recipe_name": "short" if loss else None,
        "track": "matched" if loss else "baseline",
        "seed": seed,
        "code": "0123abc",
        "metrics": make_metrics(value),
        "left_one_out": make_left_out(value, units, noise=len(model)),
        "resources": Resources(**resources),
        "environment": make_environment(device),
        "environment_digest": environment_digest(make_environment(device)),
    }
    fields |= changes
    return Record(**{"stages": {"train": make_stage(fields)}} | fields)


@pytest.fixture(scope="session")
def make() -> Make:
    """The factory of records."""
    return make_record


@pytest.fixture
def protocol() -> Callable[..., Protocol]:
    """The factory of protocols."""
    return make_protocol


@pytest.fixture
def data() -> Callable[..., Data]:
    """The factory of datasets."""
    return make_data


@pytest.fixture(scope="session")
def several(make: Make) -> list[Record]:
    """Entries of one table: two near each other, one worse, a baseline, one that failed."""
    return [
        make("ecapa-512", value=0.0531, seed=0),
        make("ecapa-512", value=0.0542, seed=1),
        make("campplus", value=0.0536),
        make("resnet34", value=0.0731),
        make("mean-fbank", None, value=0.31, seed=None, resources=Resources()),
        make(
            "eres2net",
            state="oom",
            reason="out of memory at batch 128, fits 56",
            metrics={},
            left_one_out={},
            resources=Resources(),
        ),
    ]
