"""Whatever file of a runs folder is damaged: the same result again, or a refusal that names it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.config.loader import load
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.errors import HarnessError, raised
from harness.records.damage import hear_damage, was_set_aside
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.run.folder import collect_garbage, run_rows
from harness.run.job.evaluate_stage import TEST_USES, log_test_use
from harness.run.job.record_writing import RECORD, build_failure, mend_record
from harness.run.job.results import RESULT, KeptAnswers, Speed, run_stage
from harness.run.job.spec import JobSpec
from harness.run.job.stages import answer_job
from harness.run.plan.request import RunRequest
from harness.run.plan.status import EarlierRuns, job_status
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

SWAPPED = "swapped"
"""A way that is none of bytes: the whole file of another job, stage, dataset or pack."""

SAMPLE = (
    ("*/tiny+aam*/seed0*/record.json", "emptied"),
    ("*/test-looks.jsonl", SWAPPED),
    ("stages/train-*/weights.safetensors", "flipped"),
    ("stages/train-*/resume.pt", SWAPPED),
    ("stages/evaluate-*/scores.npz", "random"),
    ("stages/evaluate-*/result.json", SWAPPED),
    ("cache/*/values", "flipped"),
    ("cache/*/hashes.npy", "cut"),
)
"""Files of the quick test, one each."""


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
    foreign: Path
    jobs: list[JobSpec]
    results: list[object]

    @property
    def folder(self) -> Path:
        return self.tiny.runs

    def files(self) -> list[Path]:
        """Every file of the jobs but locks, which are empty and hold nothing."""
        names = (path.relative_to(self.whole) for path in sorted(self.whole.rglob("*")))
        return [
            name
            for name in names
            if (self.whole / name).is_file() and name.suffix != ".lock" and self.is_own(name)
        ]

    def is_own(self, name: Path) -> bool:
        """True but for what the job of another seed left."""
        if name.parts[0] != "stages":
            return "seed7-" not in str(name)
        paths = (self.whole / job.folder.relative_to(self.folder) / RECORD for job in self.jobs)
        stages = [read_record(path).stages.items() for path in paths]
        return any(name.parts[1].endswith(each.key[:16]) for stage in stages for _, each in stage)

    def folders(self) -> list[Path]:
        """Every folder that has another of its kind."""
        found = sorted({parent for name in self.files() for parent in name.parents})
        return [name for name in found if self.other(name)]

    def other(self, name: Path) -> Path | None:
        """A file or folder of that kind elsewhere, with another content."""
        own = self.whole / name
        for root in (self.whole, self.foreign):
            for path in sorted(root.rglob("*")):
                alike = kind_of(path.relative_to(root)) == kind_of(name)
                if alike and path != own and contents(path) != contents(own):
                    return path
        return None

    def damage(self, name: Path, way: str) -> None:
        path, other = self.folder / name, self.other(name)
        if way != SWAPPED:
            content, generator = path.read_bytes(), np.random.default_rng(len(str(name)))
            path.write_bytes(WAYS[way](content, generator))
        elif other is not None and path.is_dir():
            shutil.rmtree(path)
            shutil.copytree(other, path)
        elif other is not None:
            shutil.copyfile(other, path)

    def restore(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.whole, self.folder)

    def forget_records(self, but: Path) -> None:
        """Have the jobs judged again: their weights, packs and logs are read for it."""
        for job in self.jobs:
            for path in (*job.folder.glob("*.json"), *job.folder.glob("scores.npz")):
                if but not in (path, path.parent):
                    path.unlink()
        for path in self.folder.glob("stages/evaluate-*/*"):
            if path.parent not in (but, but.parent):
                path.unlink()

    def forget_training(self, but: Path) -> None:
        """Have what was trained go on from its resume point, which is at its end."""
        self.forget_records(but)
        for path in self.folder.glob(f"stages/train-*/{RESULT}"):
            if path.parent != but:
                path.unlink()

    def call(self) -> list[Record]:
        """Do what a call of `run`, `plan`, `runs list` and `runs gc` does with the folder."""
        for job in self.jobs:
            job_status(job, EarlierRuns())
        run_rows(self.folder)
        collect_garbage(self.folder, delete=False)
        loaded = load(self.tiny.config)
        open_dataset(loaded, list_dataset(loaded, "voices", "quick"), self.jobs[0].cache)
        found = {job.digest: mend_record(job) for job in self.jobs}
        missing = [job for job in self.jobs if not (each := found[job.digest]) or not_done(each)]
        found |= {job.digest: run(job) for job in missing}
        return [record for job in self.jobs if (record := found[job.digest])]


def kind_of(name: Path) -> str:
    """The place of a file or folder in any runs folder, whatever job or dataset it is of."""
    plain = re.sub(r"[0-9a-f]{12,}", "*", re.sub(r"seed\d+-", "", str(name)))
    plain = plain.replace("elsewhere", "voices")
    return re.sub(r"(own-quick/voices)/[^/]+", r"\1/*", plain) if "*" in plain else plain


def contents(path: Path) -> dict[str, bytes]:
    files = (each for each in (path, *path.rglob("*")) if each.is_file())
    return {str(each.relative_to(path)): each.read_bytes() for each in files}


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
    place = tmp_path_factory.mktemp("whole")
    made = Runs(tiny, place / "runs", place / "foreign", jobs, [])
    keep_foreign(made)
    shutil.rmtree(tiny.runs / "cache")  # of the corpus where it was before
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "cpu_count", lambda: 1)  # packing starts no processes
        made.results = [result(record) for record in made.call()]
        assert len(made.results) == 2
        shutil.copytree(tiny.runs, made.whole)
        yield made


def keep_foreign(runs: Runs) -> None:
    """Make files of another dataset, as a runs folder keeps them."""
    shutil.copytree(runs.tiny.folder / "voices", runs.tiny.folder / "elsewhere")
    runs.tiny.edit('path = "no/such/folder"', 'path = "elsewhere"')
    for sound in sorted((runs.tiny.folder / "elsewhere").glob("*.flac")):
        samples, rate = soundfile.read(sound)
        soundfile.write(sound, -samples, rate, subtype="PCM_16")
    loaded = load(runs.tiny.config)
    open_dataset(loaded, list_dataset(loaded, "elsewhere", "quick"), runs.foreign / "cache")
    job = runs.jobs[1]
    data = job.dataset.model_copy(update={"name": "elsewhere"})
    log_test_use(job.model_copy(update={"runs": runs.foreign, "dataset": data}), "evaluate-1")


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
        if path.exists() and (way != SWAPPED or runs.other(name)):
            runs.damage(name, way)
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
    chosen = [
        (next(path for path in runs.files() if path.match(pattern)), way) for pattern, way in SAMPLE
    ]
    assert all(runs.other(name) for name, way in chosen if way == SWAPPED)
    assert [each for name, way in chosen for each in complaints(runs, name, way)] == []


@pytest.mark.long
@pytest.mark.parametrize("way", [*WAYS, SWAPPED])
def test_every_file_may_be_damaged(runs: Runs, way: str) -> None:
    assert [each for name in runs.files() for each in complaints(runs, name, way)] == []


@pytest.mark.long
def test_every_folder_may_be_that_of_another(runs: Runs) -> None:
    found = runs.folders()
    assert {path.name.partition("-")[0] for path in found} >= {"train", "evaluate", "seed0"}
    assert [each for name in found for each in complaints(runs, name, SWAPPED)] == []


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.long)])
def test_a_byte_of_the_weights_changed_anywhere_is_caught(runs: Runs, times: int) -> None:
    """Caught before the weights are used: the stage wants to train, as the other tests let it."""
    runs.restore()
    train = runs.jobs[1].train
    assert train is not None
    folder = runs.jobs[1].stage_folder("train", train.key)
    paths = [folder / name for name in ("weights.safetensors", RESULT)]
    whole, generator = [path.read_bytes() for path in paths], np.random.default_rng(times)
    caught = list[Path]()

    def again(place: Path) -> dict[str, object]:
        caught.append(place)
        raise HarnessError("trains again")

    assert run_stage(folder, train, "", again)["checkpoint"]["bytes"] == len(whole[0])
    for place in generator.integers(0, len(whole[0]), times).tolist():
        changed = bytearray(whole[0])
        changed[place] ^= int(generator.integers(1, 256))
        paths[0].write_bytes(changed)
        with pytest.raises(HarnessError, match="trains again"), hear_damage(lambda _: None):
            run_stage(folder, train, "", again)
        assert paths[0].with_name("weights.safetensors.damaged-1").read_bytes() == changed
        for path, content in zip(paths, whole, strict=True):
            path.with_name(f"{path.name}.damaged-1").unlink()
            path.write_bytes(content)
    assert caught == [folder] * times


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
    assert answers.read(path, {"torch": "2"}, Speed) == Speed(item=1234.5)
    for content in (path.read_bytes().replace(b"1234.5", b"1234.6"), b"\xff\xfe", b""):
        path.write_bytes(content)
        with hear_damage(lambda _: None):
            assert answers.read(path, {"torch": "2"}, Speed) is None
        assert not path.exists()
    answers.keep(path, {"torch": "2"}, Speed(item=1234.5))
    with hear_damage(lambda _: None):
        assert answers.read(path, {"torch": "3"}, Speed) is None
