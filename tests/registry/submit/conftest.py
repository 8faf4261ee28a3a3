"""A tiny benchmark whose dataset is pinned, and files of scores and embeddings for it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config.loader import LoadedBenchmark, load
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import Listing, list_dataset
from harness.registry.submit.filing import FiledSubmission, submit
from harness.registry.submit.given import Given, SubmittedEntry
from harness.run.plan.request import RunRequest
from tests.tiny import make_tiny

CLASSES = """
[datasets.words]
adapter = "harness.data.corpora.speech_manifest:SpeechManifest"
licence = "CC0-1.0"
path = "words"
label = "word"
split = { seed = 0, validation = 3, test = 5 }

[suites.words]
title = "Words"
task = "harness.tasks.classification:Classification"
protocol = 1
datasets = ["words"]
models = ["tiny"]
losses = ["softmax"]
profiles.quick = { recipe = "short" }
"""


@dataclass(frozen=True)
class Site:
    """A benchmark with its runs folder, and what may be submitted there."""

    folder: Path
    suite: str = "own"
    dataset: str = "voices"

    @property
    def loaded(self) -> LoadedBenchmark:
        return load(self.folder / "benchmark.toml")

    @property
    def listing(self) -> Listing:
        return list_dataset(self.loaded, self.dataset, "quick")

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def request(self) -> RunRequest:
        return RunRequest(
            suite=self.suite,
            profile="quick",
            datasets=(self.dataset,),
            runs=self.runs,
            device="cpu",
            threads=1,
        )

    def embeddings(self, *splits: str, seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
        """Noisy embeddings of some splits' items, alike within a speaker."""
        items = self.listing.items
        items = items[items["split"].isin(splits)]
        generator = np.random.default_rng(seed)
        means = {unit: generator.normal(size=6) for unit in sorted(set(self.listing.items["unit"]))}
        rows = [means[unit] + 0.8 * generator.normal(size=6) for unit in items["unit"]]
        return {
            "ids": items["id"].to_numpy(str),
            "embeddings": np.array(rows, dtype=np.float32),
        }

    def npz(self, arrays: Mapping[str, Any], name: str = "given.npz") -> Path:
        path = self.folder / name
        np.savez(path, **arrays)
        return path

    def lines(self, split: str = "test", seed: int = 0) -> list[str]:
        """A score file's lines, in the order of the locked list."""
        table = self.listing.trial_tables[split].trials  # type: ignore[index]
        generator = np.random.default_rng([seed, len(split)])
        scores = generator.normal(size=len(table)) + 2 * table["target"]
        pairs = zip(table["enrol"], table["test"], scores, strict=True)
        return [f"{enrol} {test} {score:.6f}" for enrol, test, score in pairs]

    def text(self, lines: list[str], name: str = "scores.txt") -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def submit(self, *, name: str = "theirs", check: bool = False, **given: Any) -> FiledSubmission:
        told = {key: given.pop(key) for key in ("submitter", "source", "system") if key in given}
        return submit(
            self.loaded,
            self.request,
            SubmittedEntry(name=name, **told),
            Given(**given),
            published=self.folder / "leaderboards",
            check=check,
        )


def _pinned(folder: Path, dataset: str) -> None:
    loaded = load(folder / "benchmark.toml")
    open_dataset(loaded, list_dataset(loaded, dataset, "quick"), folder / "runs" / "cache")


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmark, its two datasets pinned; only copied from."""
    tiny = make_tiny(tmp_path_factory.mktemp("submit") / "own")
    with tiny.config.open("a") as file:
        file.write(CLASSES)
    words = tiny.folder / "words"
    words.mkdir()
    lines = (tiny.folder / "voices" / "manifest.tsv").read_text().splitlines()
    labelled = [f"{lines[0]}\tword"]
    for number, line in enumerate(lines[1:]):
        name, speaker, path, seconds = line.split("\t")
        (words / path).write_bytes((tiny.folder / "voices" / path).read_bytes())
        labelled.append(f"{name}\t{speaker}\t{path}\t{seconds}\tw{number % 4}")
    (words / "manifest.tsv").write_text("\n".join(labelled) + "\n")
    for dataset in ("voices", "words"):
        _pinned(tiny.folder, dataset)
    return tiny.folder


@pytest.fixture
def site(_made: Path, tmp_path: Path) -> Site:
    """Verification of a dozen voices."""
    return Site(Path(shutil.copytree(_made, tmp_path / "own")))


@pytest.fixture
def words(site: Site) -> Site:
    """Four words of the same voices, told apart."""
    return Site(site.folder, "words", "words")
