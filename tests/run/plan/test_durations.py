"""How long jobs take: from a trial that is made once in a place, and from shapes alone."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config.loader import load
from harness.config.recipes import EvenCrops
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.datasets.dataset import pack_folder
from harness.datasets.listing import list_dataset
from harness.run.job.results import Speed, TimedShapes
from harness.run.job.spec import JobSpec
from harness.run.plan.durations import PARTS
from harness.run.plan.item_lengths import ItemLengths, items_together
from harness.run.plan.request import RunRequest
from harness.run.plan.speeds import packing_times
from harness.run.session import CallEstimate, forecast
from harness.series.series_file import FILE as SERIES
from harness.train.training_progress import RESUME
from tests.tiny import TinyBenchmark, make_tiny

pytestmark = pytest.mark.usefixtures("preloaded_workers")

FAST = Speed(start=3.0, steps=(0.5,), item=0.1, measuring=7.0)
PACKING = 60.0
ITEMS = {"validation": 12, "test": 20}
"""Of the tiny corpus: three and five of twelve speakers, with four utterances of 1 s each."""


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[JobSpec]]:
    """The jobs of which a trial was made, in place of making it; reading takes a minute."""
    jobs: list[JobSpec] = []

    def trial(job: JobSpec) -> Speed:
        jobs.append(job)
        return FAST

    monkeypatch.setattr("harness.run.plan.speeds.run_trial", trial)
    monkeypatch.setattr("harness.run.plan.speeds.packing_seconds", lambda request: PACKING)
    return jobs


def request_of(tiny: TinyBenchmark, **changes: Any) -> RunRequest:
    """A call with a seed and a number of threads with which nothing was run yet."""
    asked = {"suite": "own", "losses": ("aam",), "seeds": (3,), "device": "cpu", "threads": 7}
    return RunRequest(profile="quick", runs=tiny.runs, **{**asked, **changes})


def told(tiny: TinyBenchmark, said: list[str] | None = None, **changes: Any) -> CallEstimate:
    said = [] if said is None else said
    return forecast(load(tiny.config), request_of(tiny, **changes), said.append)


def test_a_job_takes_what_its_stages_take(tiny: TinyBenchmark, tried: list[JobSpec]) -> None:
    baseline, network = told(tiny).durations
    assert baseline.left == 0.0
    assert network.source == "trial"
    assert network.parts == pytest.approx(
        {
            "start": 3.0,
            "steps": 12 * 0.5,
            # And as many training items as validation has.
            "validation": 2 * 2 * ITEMS["validation"] * 0.1,
            "evaluation": sum(ITEMS.values()) * 0.1,
            "measuring": 7.0,
        }
    )
    assert network.left == pytest.approx(sum(network.parts.values()))
    assert {part for stage in PARTS.values() for part in stage} | {"start"} == set(network.parts)


def test_steps_count_and_need_no_other_trial(tiny: TinyBenchmark, tried: list[JobSpec]) -> None:
    changed = {"steps": 120, "validations": 1}
    few, many = told(tiny).durations[1], told(tiny, settings=changed, seeds=(5,)).durations[1]
    assert many.parts["steps"] == pytest.approx(10 * few.parts["steps"])
    assert many.parts["validation"] == pytest.approx(few.parts["validation"] / 2)
    assert len(tried) == 1


@pytest.mark.parametrize("epochs", [1, 2.5])
def test_epochs_are_whole_batches_of_what_is_trained(
    tiny: TinyBenchmark, tried: list[JobSpec], epochs: float
) -> None:
    tiny.edit("steps = 12", f"epochs = {epochs}")
    assert told(tiny).durations[1].parts["steps"] == pytest.approx(round(epochs * (16 // 8)) * 0.5)


def test_a_trial_is_made_once_and_told(tiny: TinyBenchmark, tried: list[JobSpec]) -> None:
    said: list[str] = []
    first = told(tiny, said)
    assert "tiny + aam: timing a few steps on cpu" in said
    said.clear()
    assert told(tiny, said).durations == first.durations
    assert said == []
    assert len(tried) == 1


def test_a_trial_of_a_busy_machine_is_told_once_a_call_and_not_kept(
    tiny: TinyBenchmark, tried: list[JobSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(job: JobSpec) -> Speed:
        tried.append(job)
        return FAST.model_copy(update={"waited": 0.9})

    said: list[str] = []
    monkeypatch.setattr("harness.run.plan.speeds.run_trial", busy)
    assert told(tiny, said, seeds=(3, 4, 5)).durations[1].parts["steps"] == 12 * 0.5
    assert len([line for line in said if "other work held the processor for 90 %" in line]) == 1
    assert len(tried) == 1
    told(tiny, said)
    assert len(tried) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"threads": 3},
        {"losses": ("softmax",)},
        {"settings": {"batch": 4}},
        {"settings": {"crop_seconds": 0.3}},
        {"settings": {"precision": "bf16-mixed"}},
    ],
)
def test_another_place_or_another_step_is_tried_anew(
    tiny: TinyBenchmark, tried: list[JobSpec], changes: dict[str, Any]
) -> None:
    told(tiny)
    told(tiny, **changes)
    assert len(tried) == 2


def test_another_environment_is_tried_anew(
    tiny: TinyBenchmark, tried: list[JobSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(tiny)
    monkeypatch.setattr("harness.measure.environment.processor_name", lambda: "another processor")
    told(tiny)
    assert len(tried) == 2


def test_what_is_done_takes_nothing_and_is_not_tried(
    tiny: TinyBenchmark, tried: list[JobSpec]
) -> None:
    threads = tiny.record("tiny")["environment"]["threads"]
    found = told(tiny, seeds=(0, 7), threads=threads)
    assert [each.left for each in found.durations] == [0.0, 0.0, 0.0]
    assert found.seconds(1) == 0.0
    assert tried == []


def waited(tiny: TinyBenchmark, share: float) -> None:
    """Let everything have been measured while threads waited so much for a processor."""
    for path in (tiny.runs / "stages").glob("measure-*/result.json"):
        found = json.loads(path.read_text())
        del found["own"]  # which would tell that somebody changed it
        path.write_text(json.dumps({**found, "measuring_cpu_wait": share}))


def test_what_was_measured_on_a_busy_machine_is_tried(
    tiny: TinyBenchmark, tried: list[JobSpec]
) -> None:
    waited(tiny, 0.8)
    threads = tiny.record("tiny")["environment"]["threads"]
    assert told(tiny, threads=threads).durations[1].source == "trial"
    assert len(tried) == 1


def test_a_measured_speed_comes_before_a_trial(tiny: TinyBenchmark, tried: list[JobSpec]) -> None:
    waited(tiny, 0.1)
    record = tiny.record("tiny")
    duration = told(tiny, threads=record["environment"]["threads"]).durations[1]
    assert duration.source == "measured"
    rate = record["resources"]["training_per_second"]
    assert duration.parts["steps"] == pytest.approx(12 * 8 / rate)
    assert duration.left == pytest.approx(
        sum(duration.parts[part] for part in ("start", "steps", "validation", "evaluation"))
    )
    assert tried == []


def test_a_training_that_goes_on_takes_the_rest(tiny: TinyBenchmark, tried: list[JobSpec]) -> None:
    before = told(tiny)
    job = before.jobs[1]
    assert job.train is not None
    folder = job.stage_folder("train", job.train.key)
    folder.mkdir()
    (folder / RESUME).touch()
    (folder / SERIES).write_text('{"step": 9, "resume_point": true}\n')
    first, second = before.durations[1].left, told(tiny).durations[1].left
    assert first is not None
    assert second is not None
    trained = sum(before.durations[1].parts[part] for part in PARTS["train"])
    assert first - second == pytest.approx(trained * 9 / 12)


def test_workers_share_the_jobs_and_packing_comes_before(
    tmp_path: Path, tried: list[JobSpec]
) -> None:
    found = told(make_tiny(tmp_path / "own"))
    jobs = sum(each.left or 0.0 for each in found.durations)
    assert found.packing == {"voices": PACKING}
    assert found.seconds(1) == pytest.approx(jobs + PACKING)
    assert found.seconds(2) == pytest.approx(jobs / 2 + PACKING)


@dataclass(frozen=True)
class Broken(SpeechManifest):
    """A reader that fails in a way that nobody foresaw."""

    def read(self, item: Any, folder: Path) -> Any:
        raise ZeroDivisionError("by no channel")


def test_a_corpus_that_cannot_be_read_is_told_and_stops_no_plan(tiny: TinyBenchmark) -> None:
    listing = list_dataset(load(tiny.config), "voices", "quick")
    said: list[str] = []
    broken = dataclasses.replace(listing, corpus=Broken())
    assert packing_times([broken], tiny.folder / "nowhere", said.append) == {}
    assert said[0] == "voices: timing how fast a few items are read"
    assert "by no channel; how long packing takes is not known" in said[1]


def test_a_real_trial_finds_the_speed_of_a_network_of_the_users_own(tiny: TinyBenchmark) -> None:
    found = told(tiny)
    assert found.durations[1].why == ""
    assert min(found.durations[1].parts.values()) > 0
    assert found.packing["voices"] > 0


def test_a_trial_that_fails_says_why_and_is_not_kept(tiny: TinyBenchmark) -> None:
    _, duration = told(tiny, suite="faulty", models=("die",)).durations
    assert duration.left is None
    assert "SIGKILL" in duration.why
    kept = (tiny.runs / "cache" / "speeds").glob("*.json")
    assert [path for path in kept if "trial" in path.read_text()] == []


def items_of(tiny: TinyBenchmark, **changes: Any) -> ItemLengths:
    listing = list_dataset(load(tiny.config), "voices", "quick")
    return ItemLengths(dataclasses.replace(listing, **changes), tiny.runs / "cache")


def test_long_items_are_judged_by_their_crops(tiny: TinyBenchmark) -> None:
    items = items_of(tiny)
    listed = items.listing.items
    items = items_of(tiny, items=listed.assign(seconds=np.linspace(1.0, 5.8, len(listed))))
    whole = items.of(["test"])
    cut = items.of(["test"], EvenCrops(seconds=2.0, count=3))
    long = whole > 2.0
    assert len(cut) == (~long).sum() + 3 * long.sum()
    assert cut.sum() == pytest.approx(whole[~long].sum() + 6.0 * long.sum())


def test_lengths_that_lists_do_not_tell_are_the_packs(tiny: TinyBenchmark) -> None:
    mute = items_of(tiny).listing.items.assign(seconds=0.0)
    with pytest.raises(LookupError, match="lists do not tell"):
        ItemLengths(items_of(tiny, items=mute).listing, tiny.folder / "nowhere").of(["test"])
    packed = items_of(tiny)
    other = items_of(tiny, items=mute)
    (facts,) = (tiny.runs / "cache").glob("voices-quick-*/facts.json")
    shutil.copytree(facts.parent, pack_folder(other.listing, other.cache))
    assert other.of(["test"]) == pytest.approx(packed.of(["test"]))


@pytest.mark.parametrize(
    ("lengths", "together"), [([2.0] * 64, 32), ([2.0] * 8, 8), ([1.0, 2.0, 3.0, 4.0], 1)]
)
def test_sounds_of_one_length_are_embedded_together(lengths: list[float], together: int) -> None:
    assert items_together(np.array(lengths), is_audio=True) == together


def test_a_trial_is_plain_data(tiny: TinyBenchmark, tried: list[JobSpec]) -> None:
    told(tiny)
    (job,) = tried
    assert job.shapes == TimedShapes(classes=4, crop_seconds=(0.5,), item_seconds=1.0, together=32)
    assert JobSpec.model_validate_json(job.model_dump_json()) == job
