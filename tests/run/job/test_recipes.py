"""What a recipe says of judging and of values, as a job's stages take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config.loader import load
from harness.config.recipes import EvenCrops
from harness.errors import ConfigError
from harness.run.job.context import JobContext
from harness.run.job.evaluate_stage import evaluate_system
from harness.run.job.spec import JobSpec
from harness.run.job.train_stage import train_system
from harness.run.plan.request import RunRequest
from harness.tasks.task import Side
from harness.train.checkpoint import load_weights
from harness.train.system import outputs_of
from tests.tiny import TinyBenchmark, planned_jobs

CROPS = {"seconds": 0.4, "count": 3}


def job(tiny: TinyBenchmark, **settings: Any) -> JobSpec:
    """The tiny network's job, its recipe changed."""
    request = RunRequest(
        suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1,
        losses=("aam",), seeds=(0,), settings=settings,
    )  # fmt: skip
    return planned_jobs(load(tiny.config), request)[1]


def test_only_crops_are_in_the_key_of_an_evaluation(tiny: TinyBenchmark) -> None:
    plain, cropped, tuned = (
        job(tiny, **settings).evaluate("weights")
        for settings in ({}, {"test_crops": CROPS}, {"fine_tune": {"share": 0.5, "lr": 1e-3}})
    )
    assert plain == tuned
    assert "test_crops" not in plain.inputs
    assert cropped.inputs == {**plain.inputs, "test_crops": CROPS}
    assert cropped.key != plain.key
    other = job(tiny, test_crops={**CROPS, "count": 4}).evaluate("weights")
    assert other.key not in (plain.key, cropped.key)


def test_a_baseline_has_no_crops(tiny: TinyBenchmark) -> None:
    request = RunRequest(
        suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1,
        settings={"test_crops": CROPS},
    )  # fmt: skip
    baseline = planned_jobs(load(tiny.config), request)[0]
    assert baseline.test_crops is None
    assert baseline.evaluate("baseline").key == tiny_baseline(tiny)


def tiny_baseline(tiny: TinyBenchmark) -> str:
    request = RunRequest(suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1)
    return planned_jobs(load(tiny.config), request)[0].evaluate("baseline").key


def test_crops_are_judged_and_the_row_says_it(tiny: TinyBenchmark, tmp_path: Path) -> None:
    weights = tiny.stage(tiny.record("tiny"), "train") / "weights.safetensors"
    found = {}
    for name, settings in (("whole", {}), ("crops", {"test_crops": CROPS})):
        (tmp_path / name).mkdir()
        parts = JobContext(job(tiny, **settings))
        found[name] = evaluate_system(parts, weights, tmp_path / name)
    assert found["crops"]["scores"]["sha256"] != found["whole"]["scores"]["sha256"]
    (said,) = set(found["crops"]["notes"]) - set(found["whole"]["notes"])
    assert said == (
        "items longer than 0.4 s were judged by 3 evenly spaced crops of 0.4 s, their outputs "
        "averaged, not as a whole"
    )
    scores = np.load(tmp_path / "crops" / "scores.npz")["scores"]
    assert np.isfinite(scores).all()


def test_validation_is_judged_by_the_same_crops(tiny: TinyBenchmark, tmp_path: Path) -> None:
    spec = job(tiny, test_crops=CROPS, steps=2, validations=1)
    parts = JobContext(spec)
    assert spec.recipe is not None
    result = train_system(parts, spec.recipe, tmp_path)
    system = parts.system()
    system.load_state_dict(load_weights(tmp_path / "weights.safetensors"))
    lists = parts.task.lists(parts.dataset.listing, "validation", ())

    def validated(crops: EvenCrops | None) -> dict[str, float]:
        subset = parts.dataset.subset("validation")
        outputs = outputs_of(system, subset, "embedding", parts.device, crops=crops)
        return parts.task.validate(Side(outputs, lists))

    assert result["validation"] == validated(EvenCrops(seconds=0.4, count=3))
    assert result["validation"] != validated(None)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"schedules.margin": 4.0}, "schedules.margin: margin is in radians"),
        ({"schedules.scale": {"initial_value": -1.0}}, "schedules.scale: scale must be positive"),
        (
            {"fine_tune": {"share": 0.5, "lr": 1e-3, "schedules": {"margin": 4.0}}},
            "schedules.margin: margin is in radians",
        ),
    ],
)
def test_a_value_that_the_loss_cannot_have_is_refused(
    tiny: TinyBenchmark, tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    spec = job(tiny, **settings)
    assert spec.recipe is not None
    with pytest.raises(ConfigError, match=told):
        train_system(JobContext(spec), spec.recipe, tmp_path)
