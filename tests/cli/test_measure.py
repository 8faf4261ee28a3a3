"""`harness measure` and what `harness plan` tells beforehand, on a user's own benchmark."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.run.plan.jobs import plan_measuring
from harness.run.plan.request import RunRequest, listing_state
from tests.tiny import TinyBenchmark, finished_tiny

BROKEN = """
from dataclasses import dataclass

from harness.adapter import Fbank


@dataclass(frozen=True)
class Broken:
    version = 1
    embedding_size = 8

    def inputs(self):
        return Fbank(bins=24)

    def build(self):
        raise ZeroDivisionError("by no frames")
"""

MODELS = """
[models.broken]
adapter = "broken_models:Broken"

[models.small]
adapter = "adapters.wespeaker:XVector"
embedding_size = 32

[models.picture]
adapter = "adapters.timm:Timm"
network = "efficientnet_b0"

[suites.costs]
title = "What it costs"
task = "harness.tasks.verification:Verification"
datasets = ["voices"]
models = ["small"]
losses = ["softmax"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    folder = tmp_path_factory.mktemp("costs") / "own"
    copied = finished_tiny(tmp_path_factory.getbasetemp(), folder)
    copied.config.write_text(copied.config.read_text() + MODELS)
    (folder / "broken_models.py").write_text(BROKEN)
    return copied


@pytest.fixture(scope="module")
def measured(tiny: TinyBenchmark):
    done = tiny.run("measure", "--suite", "costs", "--batch", "12", "--json", "--device", "cpu",
                    "--model", "small", "--model", "tiny")  # fmt: skip
    assert done.status == 0, done.err
    return done.json


def test_a_models_costs_are_all_there(measured):
    small = measured["models"][0]
    assert (small["model"], small["loss"], small["state"]) == ("small", "softmax", "done")
    assert (small["batch"], small["plan"]) == (12, "12")
    assert small["parameters"] > 1e6
    assert small["macs"] > 1e6
    assert small["checkpoint_bytes"] > 4 * small["parameters"]
    assert small["first_result_seconds"] > 0
    told = small["training_prediction"]
    assert told["reserved"] >= told["peak"] > told["parameters"] + told["optimizer"]
    assert small["largest_training_batch"] > 12
    assert small["largest_inference_batch"] > 12
    for rate in ("training", "inference"):
        spread = small[f"{rate}_spread"]
        assert spread["low"] <= small[f"{rate}_per_second"] <= spread["high"]
    assert [each["seconds"] for each in small["latencies"]] == sorted(
        2 * [2.0, 5.0, 10.0] if len(small["latencies"]) == 6 else [2.0, 5.0, 10.0]
    )
    assert all(0 < each["p50"] <= each["p95"] for each in small["latencies"])


def test_the_budget_stands_beside_it(measured):
    assert measured["budget"] == {
        "gpu_memory": 6 * 2**30, "reserved": 3 * 2**29, "usable": 9 * 2**29,
    }  # fmt: skip
    assert measured["environment"]["device"] == "cpu"


def test_what_cannot_be_told_beforehand_is_null_and_measured_all_the_same(measured):
    other = measured["models"][1]
    assert other["training_prediction"] is None
    assert other["largest_training_batch"] is None
    assert other["training_per_second"] > 0


def test_a_network_that_does_not_work_is_told_and_the_others_are_measured(tiny: TinyBenchmark):
    done = tiny.run("measure", "--suite", "costs", "--device", "cpu", "--batch", "12",
                    "--model", "broken", "--model", "small")  # fmt: skip
    assert done.status == 1, done.err
    assert "broken: failed: ZeroDivisionError: by no frames" in done.out
    assert "broken + softmax: predicting the memory of a training step" in done.err
    (small,) = (line for line in done.out.splitlines() if line.startswith("small"))
    assert re.search(r" 1,[3-5]\d\d ", small)  # of 2 s at once in 4.5 GiB
    assert "measured: main memory of the whole process" in done.err


def test_of_several_batches_a_failure_names_its_own(tiny: TinyBenchmark):
    done = tiny.run("measure", "--suite", "costs", "--device", "cpu", "--model", "broken",
                    "--batch", "12", "--batch", "6")  # fmt: skip
    assert done.status == 1, done.err
    for batch in ("12", "6"):
        assert f"broken at batch {batch}: failed: ZeroDivisionError: by no frames" in done.out
    rows = [line.split() for line in done.out.splitlines() if line.startswith("broken ")]
    assert [row for row in rows if len(row) == 2] == [["broken", "12"], ["broken", "6"]]


@pytest.mark.long
def test_half_precision_is_predicted_and_measured(tiny: TinyBenchmark, measured):
    done = tiny.run("measure", "--suite", "costs", "--batch", "12", "--json", "--device", "cpu",
                    "--model", "small", "--with", "bf16", "--with", "channels-last")  # fmt: skip
    assert done.status == 0, done.err
    (half,) = done.json["models"]
    whole = measured["models"][0]
    assert half["options"] == ["bf16", "channels-last"]
    told, other = half["training_prediction"], whole["training_prediction"]
    assert told["activations"] < other["activations"]
    assert half["inference_prediction"]
    assert half["largest_training_batch"] > whole["largest_training_batch"]
    assert half["training_per_second"] > 0


@pytest.mark.usefixtures("preloaded_workers")  # each network that fails costs its worker
def test_every_model_of_the_kind_is_measured_and_no_other(tiny: TinyBenchmark):
    loaded = load(tiny.config)
    request = RunRequest(suite="costs", profile="quick", runs=tiny.runs, device="cpu", threads=1)
    source = listing_state(loaded, list_dataset(loaded, "voices", "quick"))
    sources = {"voices": source}
    jobs = plan_measuring(loaded, request, sources).jobs(sources)
    named = [job.model.name for job in jobs]
    assert named == [name for name in loaded.benchmark.models if name != "picture"]
    assert {job.loss.name for job in jobs if job.loss} == {"softmax"}
    one = replace(request, models=("tiny",), losses=("aam",))
    (other,) = plan_measuring(loaded, one, sources).jobs(sources)
    assert other.loss is not None
    assert other.loss.name == "aam"


def test_a_run_finds_what_was_measured(tiny: TinyBenchmark, measured):
    for path in (tiny.runs / "stages").glob("measure-*/result.json"):
        found = json.loads(path.read_text())  # as if nothing had run beside it
        del found["own"]  # which would tell that somebody changed it
        path.write_text(json.dumps({**found, "measuring_cpu_wait": 0.0}))
    planned = tiny.run("plan", "--suite", "costs", "--device", "cpu", "--json", "--set", "batch=12")
    job = planned.json["jobs"][1]
    assert job["stages"]["measure"]["state"] == "cached"
    assert job["predicted"]["told_by"] == "measured"
    rate = measured["models"][0]["training_per_second"]
    assert job["predicted"]["training_seconds"] == pytest.approx(12 * 12 / rate)
    assert job["predicted"]["training_memory"] == measured["models"][0]["training_prediction"]


@pytest.mark.long
def test_a_small_budget_divides_the_batch_and_the_row_says_so(tiny: TinyBenchmark):
    own = tiny.copy(tiny.folder.parent / "narrow")
    text = own.config.read_text()
    own.config.write_text('[budget]\ngpu_memory = "100 MiB"\nreserved = "1 MiB"\n' + text)
    done = own.run("run", "--suite", "costs", "--device", "cpu", "--json", "--set", "batch=64")
    assert done.status == 0, done.err
    row = next(row for row in done.json["tables"][0]["rows"] if row["model"] == "small")
    assert row["state"] == "done"
    (path,) = own.runs.glob("costs-quick/voices/small+*/*/record.json")
    record = json.loads(path.read_text())
    part = record["recipe"]["micro_batch"]
    count = -(-64 // part)
    assert count > 1
    assert record["resources"]["micro_batches"] == count
    said = f"64 = {count} x {part}"
    assert any(said in note and "batch normalisation saw" in note for note in record["notes"])
    assert any(said in note for note in done.json["tables"][0]["footnotes"])


def test_an_option_that_torch_does_not_have(tiny: TinyBenchmark):
    done = tiny.run("measure", "--suite", "costs", "--with", "chanels-last")
    assert done.status == 2
    assert "channels-last" in done.err
