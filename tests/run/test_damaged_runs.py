"""Whatever file of a runs folder is damaged: the same result again, or a refusal that names it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harness.config.loader import load
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.errors import HarnessError, raised
from harness.records.damage import hear_damage, was_set_aside
from harness.records.record import Record
from harness.run.folder import collect_garbage, run_rows
from harness.run.job.evaluate_stage import TEST_USES
from harness.run.job.record_writing import build_failure, mend_record
from harness.run.job.results import RESULT, KeptAnswers, Speed
from harness.run.job.spec import JobSpec
from harness.run.job.stages import answer_job
from harness.run.plan.request import RunRequest
from harness.run.plan.status import job_status
from tests.tiny import TinyBenchmark, finished_tiny, planned_jobs


def flipped(content: bytes, generator: np.random.Generator) -> bytes:
    """Change one byte at random in each of three places."""
    changed = bytearray(content)
    for place in generator.integers(0, len(content), 3).tolist():
        changed[place] ^= int(generator.integers(1, 256))
    return bytes(changed)


WAYS: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "emptied": lambda content, _: b"",
    "cut": lambda content, _: content[: len(content) * 2 // 3],
    "flipped": flipped,
    "random": lambda content, generator: generator.bytes(max(1, len(content))),
}

SAMPLE = (
    "*/tiny+aam*/seed0*/record.json",
    "*/test-looks.jsonl",
    "stages/train-*/weights.safetensors",
    "stages/evaluate-*/scores.npz",
    "stages/evaluate-*/result.json",
    "cache/*/values",
    "cache/*/hashes.npy",
)
"""Files of the quick test, one each, every one in another way."""


def run(job: JobSpec) -> Record:
    """Run a job without a process; what a worker would die of is its record's reason."""
    try:
        return Record.model_validate(answer_job(job, lambda _: None))
    except Exception as error:  # noqa: BLE001 - any of them would be a worker's traceback
        return build_failure(job, "failed", f"Traceback: {raised(error)}")


@dataclass
class Runs:
    """A runs folder of two finished jobs, and a whole copy of it."""

    tiny: TinyBenchmark
    whole: Path
    jobs: list[JobSpec]
    results: list[object]

    @property
    def folder(self) -> Path:
        return self.tiny.runs

    def files(self) -> list[Path]:
        """Every file but locks, which are empty and hold nothing."""
        found = sorted(path for path in self.whole.rglob("*") if path.is_file())
        return [
            path.relative_to(self.whole)
            for path in found
            if path.suffix != ".lock" and "seed7-" not in str(path)
        ]

    def restore(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.whole, self.folder)

    def forget_records(self, but: Path) -> None:
        """Have the jobs judged again: their weights, packs and logs are read for it."""
        for job in self.jobs:
            for path in (*job.folder.glob("*.json"), *job.folder.glob("scores.npz")):
                if path != but:
                    path.unlink()
        for path in self.folder.glob("stages/evaluate-*/*"):
            if path != but and but.parent != path.parent:
                path.unlink()

    def forget_training(self, but: Path) -> None:
        """Have what was trained go on from its resume point, which is at its end."""
        self.forget_records(but)
        for path in self.folder.glob(f"stages/train-*/{RESULT}"):
            path.unlink()

    def call(self) -> list[Record]:
        """Do what a call of `run`, `plan`, `runs list` and `runs gc` does with the folder."""
        for job in self.jobs:
            job_status(job)
        run_rows(self.folder)
        collect_garbage(self.folder, delete=False)
        loaded = load(self.tiny.config)
        open_dataset(loaded, list_dataset(loaded, "voices", "quick"), self.jobs[0].cache)
        found = {job.digest: mend_record(job) for job in self.jobs}
        missing = [job for job in self.jobs if not (each := found[job.digest]) or not_done(each)]
        found |= {job.digest: run(job) for job in missing}
        return [record for job in self.jobs if (record := found[job.digest])]


def not_done(record: Record) -> bool:
    return record.state != "done"


def result(record: Record) -> object:
    values = {name: metric.value for name, metric in record.metrics.items()}
    return record.state, record.artefacts.get("scores"), values, record.left_one_out


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    tiny = finished_tiny(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("own") / "b")
    loaded = load(tiny.config)
    threads = tiny.record("tiny")["environment"]["threads"]
    request = RunRequest(
        suite="own",
        profile="quick",
        runs=tiny.runs,
        device="cpu",
        threads=threads,
        losses=("aam",),
        seeds=(0,),
    )
    jobs = planned_jobs(loaded, request)
    made = Runs(tiny, tmp_path_factory.mktemp("whole") / "runs", jobs, [])
    shutil.rmtree(tiny.runs / "cache")  # of the corpus where it was before
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "cpu_count", lambda: 1)  # packing starts no processes
        made.results = [result(record) for record in made.call()]
        assert len(made.results) == 2
        shutil.copytree(tiny.runs, made.whole)
        yield made


def complaints(runs: Runs, name: Path, way: str) -> list[str]:
    """Damage one file, give the calls, and tell what went wrong."""
    forgetting = [lambda but: None, runs.forget_records]
    if "train-" in str(name):
        forgetting.append(runs.forget_training)
    found = []
    for number, forget in enumerate(forgetting):
        runs.restore()
        path = runs.folder / name
        forget(path)
        if path.exists():
            generator = np.random.default_rng(len(str(name)))
            path.write_bytes(WAYS[way](path.read_bytes(), generator))
            found += [f"{name} {way} ({number}): {wrong}" for wrong in judge(runs, path)]
    return found


def judge(runs: Runs, path: Path) -> Iterator[str]:
    """Give the calls on a runs folder in which one file is damaged, and tell what went wrong."""
    said: list[str] = []
    try:
        with hear_damage(said.append):
            found = runs.call()
    except HarnessError as error:
        if path.name not in str(error) and path.parent.name not in str(error):
            yield f"refused without its name: {error}"
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, a user would see it
        yield raised(error)
        return
    for record, before in zip(found, runs.results, strict=True):
        refused = record.state == "failed" and path.name in record.reason
        if result(record) != before and not (refused and "Traceback" not in record.reason):
            yield f"another result ({record.state} {record.reason})"
    yield from (f"said no path: {each}" for each in said if str(runs.folder) not in each)


def test_a_damaged_file_gives_the_same_result_again(runs: Runs) -> None:
    ways = list(WAYS)
    chosen = [
        (next(path for path in runs.files() if path.match(pattern)), ways[number % len(ways)])
        for number, pattern in enumerate(SAMPLE)
    ]
    assert [each for name, way in chosen for each in complaints(runs, name, way)] == []


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_every_file_may_be_damaged(runs: Runs, way: str) -> None:
    assert [each for name in runs.files() for each in complaints(runs, name, way)] == []


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.long)])
def test_a_byte_of_the_weights_changed_anywhere_is_caught(runs: Runs, times: int) -> None:
    """Caught before the weights are used; how they are made again is the other tests'."""
    from harness.run.job.results import difference_in_files, read_result

    runs.restore()
    train = runs.jobs[1].train
    assert train is not None
    folder = runs.jobs[1].stage_folder("train", train.key)
    found, path = read_result(folder), folder / "weights.safetensors"
    assert found is not None
    assert difference_in_files(folder, found) is None
    whole, generator = path.read_bytes(), np.random.default_rng(times)
    for place in generator.integers(0, len(whole), times).tolist():
        changed = bytearray(whole)
        changed[place] ^= int(generator.integers(1, 256))
        path.write_bytes(changed)
        assert difference_in_files(folder, found) is not None, place


def test_what_was_set_aside_may_go(runs: Runs) -> None:
    runs.restore()
    path = next(runs.folder.rglob(TEST_USES))
    path.write_bytes(b"{")
    runs.forget_records(path)
    with hear_damage(lambda _: None):
        assert [result(each) for each in runs.call()] == runs.results
    aside = path.with_name(f"{TEST_USES}.damaged-1")
    assert was_set_aside(aside)
    assert aside.read_bytes() == b"{"
    garbage = collect_garbage(runs.folder, delete=True)
    assert (str(aside), "damaged, and set aside") in [(g["path"], g["why"]) for g in garbage]
    assert not aside.exists()


def test_a_kept_answer_is_held_against_its_hash(tmp_path: Path) -> None:
    answers, path = KeptAnswers("costs", lambda _: None), tmp_path / "a.json"
    answers.keep(path, {"torch": "2"}, Speed(item=1234.5))
    assert answers.read(path, Speed) == Speed(item=1234.5)
    for content in (path.read_bytes().replace(b"1234.5", b"1234.6"), b"\xff\xfe", b""):
        path.write_bytes(content)
        with hear_damage(lambda _: None):
            assert answers.read(path, Speed) is None
        assert not path.exists()
