"""A job that runs out of memory for real, under a limit on its process, and what its row says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import psutil
import pytest

from harness.campaign import planned
from harness.config.loader import load
from harness.plan.request import RunRequest
from harness.plan.status import job_status
from tests.tiny import TinyBenchmark, finished_tiny, plain_environment

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="limits of a process are told on Linux")

LIMITED = """
import resource
import psutil
import torch._dynamo
import harness.job.run
from harness.execute.worker import main

left = 900 * 2**20
limit = psutil.Process().memory_info().vms + left
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
main()
"""

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
    tiny = finished_tiny(tmp_path_factory.getbasetemp()).copy(folder)
    tiny.config.write_text(tiny.config.read_text() + NETWORK)
    return tiny


def asked(tiny: TinyBenchmark, **settings: Any) -> RunRequest:
    once = {"steps": 1, "validations": 1, "checkpoints": 1, **settings}
    return RunRequest(
        suite="large", profile="quick", runs=tiny.runs, device="cpu", threads=1, settings=once
    )


def run(tiny: TinyBenchmark, request: RunRequest) -> list[dict[str, Any]]:
    """What the network's job says in a process that may take 900 MiB more than its libraries."""
    job = planned(load(tiny.config), request)[0][1]
    with (tiny.folder / "errors.txt").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", LIMITED],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**plain_environment(), "MALLOC_ARENA_MAX": "1"},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(job.model_dump_json() + "\n")
        process.stdin.flush()
        said = [json.loads(line) for line in process.stdout]
        process.stdin.close()
        process.wait()
    return said


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
    (_, job), _ = planned(load(large.config), request)
    assert job_status(job)["train"].state == "cached"


def test_the_budget_of_a_card_is_larger_than_that_limit(large):
    job = planned(load(large.config), asked(large, batch=96))[0][1]
    assert job.prediction is not None
    assert job.recipe is not None
    assert job.recipe.micro_batch is None
