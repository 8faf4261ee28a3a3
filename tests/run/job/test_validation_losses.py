"""Losses of a real classification at its validations, from the file to the series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from harness.config.loader import load
from harness.datasets.subset import training_sample
from harness.run.job.context import JobContext
from harness.run.job.spec import JobSpec
from harness.run.job.train_stage import train_system
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.request import RunRequest
from harness.series.reading import read_series
from harness.train.checkpoint import load_weights
from harness.train.system import outputs_of
from tests.places import ROOT
from tests.tiny import planned_jobs

BENCHMARK = f"""
base = "{ROOT / "benchmark.toml"}"

[models.small]
adapter = "adapters.timm:Timm"
network = "test_resnet"
size = 16
channels = 1

[recipes.few]
batch = 64
steps = 6
optimizer = {{ lr = 3e-3 }}
select = "last"

[suites.few]
title = "A few steps"
task = "harness.tasks.classification:Classification"
protocol = 1
datasets = ["digits"]
models = ["small"]
losses = ["ghm"]
profiles.quick = {{ recipe = "few" }}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[JobSpec]:
    file = tmp_path / "benchmark.toml"
    file.write_text(BENCHMARK)
    request = RunRequest(
        suite="few", profile="quick", runs=tmp_path / "runs", device="cpu", threads=1
    )
    yield planned_jobs(load(file), request)[1]
    WORKERS.close()


def trained(spec: JobSpec, folder: Path, validations: int) -> tuple[dict[str, Any], Any]:
    folder.mkdir()
    assert spec.recipe is not None
    recipe = spec.recipe.model_copy(update={"validations": validations})
    result = train_system(JobContext(spec), recipe, folder)
    return result, read_series(folder)[0]


def test_they_are_of_both_splits_in_one_mode_and_change_no_weight(
    spec: JobSpec, tmp_path: Path
) -> None:
    result, series = trained(spec, tmp_path / "once", 1)
    often, steps = trained(spec, tmp_path / "often", 6)
    # The head's running density too is what it would have been.
    assert often["checkpoint"] == result["checkpoint"]
    assert steps["TrainEval/raw_loss"]["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert result["validation"].keys() == {"accuracy"}

    context = JobContext(spec)
    system = context.system()
    system.load_state_dict(load_weights(tmp_path / "once" / "weights.safetensors"))
    validation = context.dataset.subset("validation")
    sample = training_sample(context.dataset.training(), validation)
    assert len(sample) == min(500, len(validation))
    for group, subset in (("Test", validation), ("TrainEval", sample)):
        logits = torch.from_numpy(outputs_of(system, subset, "logits", context.device))
        labels = torch.tensor([context.dataset.classes.index(e) for e in subset.items["label"]])
        values = {name: series[f"{group}/{name}"]["value"].item() for name in
                  ("accuracy", "raw_loss", "weighted_loss")}  # fmt: skip
        right = int((logits.argmax(1) == labels).sum())
        assert values["accuracy"] == pytest.approx(right / len(labels))
        assert values["raw_loss"] == pytest.approx(
            float(functional.cross_entropy(logits, labels)), rel=1e-5
        )
        assert values["weighted_loss"] != pytest.approx(values["raw_loss"], rel=1e-3)
        assert np.isfinite(values["weighted_loss"])
