"""A job that runs out of memory for real, under a limit on its process, and what its row says."""

from __future__ import annotations

import re
from typing import Any

import psutil
import pytest

from harness.config.loader import load
from harness.run.execute.child import Child
from harness.run.plan.request import RunRequest
from harness.run.plan.status import EarlierRuns, job_status
from tests.places import ROOT
from tests.tiny import TinyBenchmark, finished_tiny, plain_environment, planned_jobs

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="limits of a process are told on Linux")


NETWORK = """
[models.resnet]
adapter = "adapters.wespeaker:ResNet34"
embedding_size = 64

[suites.large]
title = "One network"
task = "harness.tasks.verification:Verification"
datasets = ["voices"]
models = ["resnet"]
losses = ["softmax"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    folder = tmp_path_factory.mktemp("large") / "own"
    tiny = finished_tiny(tmp_path_factory.getbasetemp(), folder)
    tiny.config.write_text(tiny.config.read_text() + NETWORK)
    return tiny


def asked(tiny: TinyBenchmark, **settings: Any) -> RunRequest:
    once = {"steps": 1, "validations": 1, "checkpoints": 1, **settings}
    return RunRequest(
        suite="large", profile="quick", runs=tiny.runs, device="cpu", threads=1, settings=once
    )


def run(tiny: TinyBenchmark, request: RunRequest) -> list[dict[str, Any]]:
    """What the network's job says in a process that may take 900 MiB more than its libraries.

    It is trained and evaluated; measuring its costs would take longer than both.
    """
    job = planned_jobs(load(tiny.config), request)[1].model_copy(update={"measure": None})
    here = {**plain_environment(), "MALLOC_ARENA_MAX": "1", "PYTHONPATH": str(ROOT)}
    worker = Child("tests.run.job.limited_worker", here)
    worker.send(job.model_dump_json())
    said = list(iter(worker.receive, None))
    assert worker.finish() == 0, worker.output
    return said


@pytest.mark.long
def test_the_row_says_what_was_tried_and_what_fits(large):
    record = run(large, asked(large, batch=96))[-1]["result"]
    assert record["state"] == "oom"
    told = re.fullmatch(
        r"out of memory in training at batch 96 of 0\.5 s crops: .*can't allocate memory.*; "
        r"(\d+) at once are predicted to fit in the 0\.\d+ GiB there were: give the recipe "
        r"micro_batch = \1",
        record["reason"],
    )
    assert told, record["reason"]
    fits = int(told[1])
    assert 2 <= fits < 96
    # What is told is true: under the same limit the batch is trained on in such parts.
    request = asked(large, batch=96, micro_batch=fits)
    run(large, request)
    _, job = planned_jobs(load(large.config), request)
    assert job_status(job, EarlierRuns())["train"].state == "cached"


def test_the_budget_of_a_card_is_larger_than_that_limit(large):
    job = planned_jobs(load(large.config), asked(large, batch=96))[1]
    assert job.prediction is not None
    assert job.recipe is not None
    assert job.recipe.micro_batch is None
