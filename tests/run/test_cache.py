"""What goes of a cache, and all that must stay."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from harness.config.loader import LoadedBenchmark, load
from harness.config.recipe_tables import Augment, Noise
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.feeding.libraries import library_sources
from harness.records.files import lock
from harness.run.cache import collect_cache
from harness.run.job.results import turn
from harness.run.plan.predictions import PREDICTION_VERSION
from tests.places import ROOT
from tests.tiny import make_tiny

OLD = "0123456789ab"
Collect = Callable[..., list[str]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedBenchmark:
    """A benchmark whose only dataset that is here was packed."""
    tiny = make_tiny(tmp_path_factory.mktemp("cached") / "own")
    loaded = load(tiny.config)
    open_dataset(loaded, list_dataset(loaded, "voices", "quick"), tiny.runs / "cache")
    return loaded


@pytest.fixture
def cache(loaded: LoadedBenchmark, tmp_path: Path) -> Path:
    shutil.copytree(loaded.folder / "runs", tmp_path / "runs")
    return tmp_path / "runs" / "cache"


@pytest.fixture
def collect(loaded: LoadedBenchmark, cache: Path) -> Collect:
    """The names of what goes."""

    def called(*, delete: bool = False, told: list[str] | None = None) -> list[str]:
        tell = (told if told is not None else []).append
        found = collect_cache(loaded, cache.parent, delete=delete, tell=tell)
        assert all(each["bytes"] > 0 and each["why"] for each in found)
        return sorted(Path(each["path"]).name for each in found)

    return called


def packed(cache: Path, name: str, *, whole: bool = True) -> Path:
    """A pack as far as its files are known, or an unfinished one."""
    (cache / name).mkdir(parents=True)
    (cache / name / "values").write_bytes(bytes(4096))
    if whole:
        (cache / name / "facts.json").write_text("{}")
    return cache / name


def current(cache: Path) -> str:
    (pack,) = (path.name for path in cache.glob("voices-quick-*") if path.is_dir())
    return pack


def prediction(cache: Path, name: str, **inputs: object) -> Path:
    path = cache / "predictions" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"inputs": inputs, "predicted": {}}))
    return path


def test_packs_that_a_run_opens_stay_and_others_go(
    loaded: LoadedBenchmark, cache: Path, collect: Collect
) -> None:
    augment = Augment(noise=Noise(source="embedded"))
    library = library_sources(augment, loaded.folder, cache)["noise"].pack_folder.name
    there = current(cache)
    stays = [library, f"elsewhere-quick-{OLD}", "notes", "voices-quick"]
    goes = [f"gone-quick-{OLD}", f"voices-quick-{OLD}", f"voices-full-{OLD}", f"noise-{OLD}"]
    for name in (*stays, *goes):
        packed(cache, name)
    parts = [f".{there}.part", f".elsewhere-quick-{OLD}.part"]
    leavings = [f".{there}.old", f".{there}.4711", f".gone-quick-{OLD}.part"]
    for name in (*parts, *leavings):
        packed(cache, name, whole=False)

    told: list[str] = []
    before = sorted(cache.rglob("*"))
    assert collect(told=told) == sorted(goes + leavings)
    assert sorted(cache.rglob("*")) == before
    assert told == ["packs of elsewhere stay: it is not on this machine"]

    assert collect(delete=True) == sorted(goes + leavings)
    left = {path.name for path in cache.iterdir() if path.is_dir()}
    assert left == {there, *stays, *parts}
    assert collect(delete=True) == []


def test_a_pack_of_a_dataset_that_a_record_names_stays(cache: Path, collect: Collect) -> None:
    packed(cache, f"open-26666-quick-{OLD}")
    assert collect() == [f"open-26666-quick-{OLD}"]
    published = ROOT / "leaderboards" / "records" / "speaker" / "quick" / "open-26666"
    record = next(path for path in published.glob("*.json") if "." not in path.stem)
    place = cache.parent / "speaker-quick" / "open-26666" / "entry" / "seed0"
    place.mkdir(parents=True)
    shutil.copy(record, place / "record.json")
    assert collect() == []


def test_while_a_job_runs_every_pack_stays(cache: Path, collect: Collect) -> None:
    packed(cache, f"gone-quick-{OLD}")
    with turn(cache.parent / "own-quick" / "voices" / "tiny" / "seed0"):
        assert collect(delete=True) == []
    assert collect(delete=True) == [f"gone-quick-{OLD}"]


def test_a_pack_that_somebody_makes_stays(cache: Path, collect: Collect) -> None:
    packed(cache, f".gone-quick-{OLD}.part", whole=False)
    with lock(cache / f"gone-quick-{OLD}"):
        assert collect(delete=True) == []
    assert collect(delete=True) == [f".gone-quick-{OLD}.part"]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system tells no mapped files")
def test_a_pack_that_somebody_reads_stays_also_through_a_linked_cache(
    cache: Path, collect: Collect
) -> None:
    """Several runs folders may share one cache; a job of another one is not seen by its lock."""
    shared = cache.parent.parent / "shared"
    cache.rename(shared)
    cache.symlink_to(shared)
    pack = packed(cache, f"gone-quick-{OLD}")
    values = np.memmap(pack / "values", np.int16, mode="r")
    assert collect(delete=True) == []
    del values
    assert collect(delete=True) == [f"gone-quick-{OLD}"]


def test_outdated_predictions_go(cache: Path, collect: Collect) -> None:
    torch = version("torch")
    prediction(cache, "current", version=PREDICTION_VERSION, torch=torch)
    prediction(cache, "older", version=PREDICTION_VERSION - 1, torch=torch)
    prediction(cache, "other", version=PREDICTION_VERSION, torch="1.0")
    prediction(cache, "broken").write_text("half a fi")
    assert collect(delete=True) == ["broken.json", "older.json", "other.json"]
    assert [path.name for path in (cache / "predictions").iterdir()] == ["current.json"]


@pytest.mark.parametrize("place", ["cache/predictions", "stages/train-0", "own-quick/v/m/seed0"])
def test_temporary_files_go_when_their_writer_must_be_dead(
    cache: Path, collect: Collect, place: str
) -> None:
    folder = cache.parent / place
    folder.mkdir(parents=True, exist_ok=True)
    dead, alive = folder / ".a.json.k3x1.part", folder / ".b.json.9d_2.part"
    for path in (dead, alive):
        path.write_text("{")
    long_ago = time.time() - 100_000
    os.utime(dead, (long_ago, long_ago))
    assert collect(delete=True) == [dead.name]
    assert not dead.exists()
    assert alive.exists()


def test_lists_that_cannot_be_read_keep_their_packs(
    loaded: LoadedBenchmark, cache: Path, collect: Collect
) -> None:
    packed(cache, f"voices-quick-{OLD}")
    manifest = loaded.folder / "voices" / "manifest.tsv"
    text, told = manifest.read_text(), list[str]()
    manifest.write_text("no table\n")
    try:
        assert collect(delete=True, told=told) == []
    finally:
        manifest.write_text(text)
    assert told[0].startswith("packs of voices-quick stay: ")


def test_a_folder_without_a_cache_has_nothing(loaded: LoadedBenchmark, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    assert collect_cache(loaded, tmp_path / "runs", delete=True, tell=print) == []
