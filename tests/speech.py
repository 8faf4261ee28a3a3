"""A tiny corpus of real sound files, and a benchmark file that names it."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.config.loader import LoadedBenchmark, load

HEADER = ("utt_id", "speaker", "path", "duration_s", "label")
SPEAKERS = tuple("abcdefgh")
EACH = 3


def noise(seed: int, samples: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.rint(generator.normal(scale=3000, size=samples)).clip(-32768, 32767).astype(np.int16)


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's corpora nor another test's folder."""
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def manifest() -> Callable[..., Path]:
    """Write a manifest's rows, under the usual header unless another is given."""

    def write(folder: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = HEADER) -> Path:
        path = folder / "manifest.tsv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter="\t", lineterminator="\n").writerows([header, *rows])
        return path

    return write


@pytest.fixture
def speech(tmp_path: Path, manifest: Callable[..., Path]) -> Path:
    """Eight speakers of three utterances each, 0.30 to 0.32 seconds long, as FLAC and WAV."""
    folder = tmp_path / "speech"
    rows = []
    for number, speaker in enumerate(SPEAKERS):
        (folder / speaker).mkdir(parents=True)
        for take in range(EACH):
            ending = "wav" if take else "flac"
            source = f"{speaker}/{speaker}{take}.{ending}"
            samples = 4800 + 160 * take
            soundfile.write(folder / source, noise(10 * number + take, samples), 16_000, "PCM_16")
            rows.append((f"{speaker}{take}", speaker, source, f"{samples / 16_000:.3f}", "word"))
    manifest(folder, rows)
    return folder


@pytest.fixture
def loaded(tmp_path: Path, speech: Path) -> LoadedBenchmark:
    """A benchmark file with the tiny corpus, its folder absolute."""
    path = tmp_path / "benchmark.toml"
    path.write_text(
        f"""
[datasets.tiny]
adapter = "harness.data.corpora.speech_manifest:SpeechManifest"
path = "{speech}"
licence = "none"
source = "https://example.org/tiny"
split = {{ seed = 0, validation = 2, test = 3 }}
trials = 1000
"""
    )
    return load(path)
