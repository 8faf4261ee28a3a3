"""From packed sound to a network's inputs: what it costs to crop, to disturb and to analyse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import torchaudio
from pytest_benchmark.fixture import BenchmarkFixture
from xxhash import xxh3_128

from harness.adapter import Fbank
from harness.config.recipe_tables import Augment, Noise, Reverb
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturber
from harness.feeding.feeder import Feeder
from harness.feeding.front_end import LogMel
from harness.feeding.libraries import library_sources
from harness.feeding.step_inputs import InputMaker
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns

ITEMS, SECONDS, CROP = 256, 8.0, 2.0
BATCH, STEPS, WARM_UP, WORKERS = 64, 40, 8, 2
SPEEDS = (0.9, 1.0, 1.1)
WESPEAKERS = Augment(speeds=SPEEDS, probability=0.6, noise=Noise(), reverb=Reverb())
PLAIN = Fbank(subtract_mean=False)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A pack of utterances of 8 s, and each of them as FLAC."""
    with TemporaryDirectory() as name:
        place = Path(name)
        values = np.concatenate([_utterance(number) for number in range(ITEMS)])
        values.tofile(place / "values")
        for number, samples in enumerate(values.reshape(ITEMS, -1)):
            soundfile.write(place / f"{number}.flac", samples, SAMPLE_RATE, subtype="PCM_16")
        yield place


def _utterance(number: int) -> np.ndarray:
    """Pulses through resonances, in noise: FLAC packs it about as tightly as it does speech."""
    rng = np.random.Generator(np.random.PCG64(number))
    samples = round(SECONDS * SAMPLE_RATE)
    seconds = np.arange(samples) / SAMPLE_RATE
    pitch = rng.uniform(90, 220)
    tones = sum(
        np.sin(2 * np.pi * pitch * harmonic * seconds) / harmonic for harmonic in range(1, 20)
    )
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(2, 5) * seconds)
    return np.rint(3000 * swell * tones + 60 * rng.normal(size=samples)).astype(np.int16)


def _batches(folder: Path, speeds: tuple[float, ...] = ()) -> TrainingBatches:
    samples = round(SECONDS * SAMPLE_RATE)
    values = np.memmap(folder / "values", np.int16, mode="r")
    pack = Pack(values, np.arange(ITEMS + 1) * samples, np.full((ITEMS, 1), samples), "", {})
    names = [f"s{number % 32:02}" for number in range(ITEMS)]
    items = pd.DataFrame({"id": [str(number) for number in range(ITEMS)], "label": names})
    subset = Subset(items, np.arange(ITEMS), np.arange(1, ITEMS + 1), pack)
    return TrainingBatches(subset, tuple(sorted(set(names))), BATCH, CROP, 0, speeds)


def _maker(folder: Path, augment: Augment) -> InputMaker:
    opened = {use: shelf.open() for use, shelf in library_sources(augment, folder, folder).items()}
    disturber = Disturber(augment, opened.get("reverb"), opened.get("noise"), 0)
    declared = Fbank(dither=1.0)
    batches = _batches(folder, augment.speeds)
    return InputMaker(batches, disturber if opened else None, declared, augment, 0)


def _decoded(folder: Path) -> list[np.ndarray]:
    """A crop of each utterance, decoded whole, as a loader without a pack does."""
    rng = np.random.default_rng(0)
    crops = []
    for number in range(BATCH):
        samples, _ = soundfile.read(folder / f"{number}.flac", dtype="int16")
        start = rng.integers(len(samples) - round(CROP * SAMPLE_RATE) + 1)
        crops.append(samples[start : start + round(CROP * SAMPLE_RATE)])
    return crops


@ON_THE_PROCESSOR
def test_crops(folder: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    batches = _batches(folder)
    ours = Contestant[object](partial(batches.at, 1))
    rival = Contestant[object](partial(_decoded, folder))
    name = f"decoding the whole FLAC ({SECONDS:g} s) for each crop"
    (ratio,) = take_turns(benchmark, ours, {name: rival}, rounds=5).values()
    what = f"{BATCH} crops of {CROP:g} s out of a pack"
    figures.append(Figure(what, 1000 * ours.best, "ms of processor time"))
    figures.append(Figure(f"… against {name}", ratio, "times as long", least=20))
    assert missed(figures) == []


def _kaldi(waves: torch.Tensor) -> torch.Tensor:
    return torch.stack(
        [
            torchaudio.compliance.kaldi.fbank(
                wave[None] * PLAIN.scale,
                window_type=PLAIN.window,
                num_mel_bins=PLAIN.bins,
                low_freq=PLAIN.low_hz,
                sample_frequency=float(SAMPLE_RATE),
                dither=0.0,
            )
            for wave in waves
        ]
    )


@ON_THE_PROCESSOR
def test_filterbank(folder: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    waves, _ = _batches(folder).at(0)
    bank = LogMel(PLAIN).eval()
    with torch.inference_mode():
        ours = Contestant[object](partial(bank, waves))
        rival = Contestant[object](partial(_kaldi, waves))
        name = "torchaudio.compliance.kaldi.fbank, a crop at a time"
        (ratio,) = take_turns(benchmark, ours, {name: rival}, rounds=10).values()
        apart = float((bank(waves) - _kaldi(waves)).abs().max())
    what = f"filterbank of {BATCH} crops of {CROP:g} s, one core"
    figures.append(Figure(what, 1000 * ours.best, "ms of processor time"))
    figures.append(Figure(f"… against {name}", ratio, "times as long", least=1.3))
    figures.append(Figure("… largest difference of a log-mel value", apart, "", most=2e-3))
    assert missed(figures) == []


def _epoch(folder: Path, hashes: np.ndarray | None) -> None:
    """Make the inputs of all utterances once, each held against its hash or not."""
    maker = _maker(folder, WESPEAKERS)
    if hashes is not None:
        pack = replace(
            maker.batches.subset.pack, folder=folder, held=np.zeros(ITEMS, bool), fast=hashes
        )
        subset = replace(maker.batches.subset, pack=pack)
        maker = replace(maker, batches=replace(maker.batches, subset=subset))
    for step in range(ITEMS // BATCH):
        maker.inputs(step)


@ON_THE_PROCESSOR
def test_hashes_of_an_epoch(
    folder: Path, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    values = np.fromfile(folder / "values", np.int16).reshape(ITEMS, -1)
    found = [np.frombuffer(xxh3_128(item.data).digest(), np.uint8) for item in values]
    ours = Contestant[object](partial(_epoch, folder, np.stack(found)))
    rival = Contestant[object](partial(_epoch, folder, None))
    (ratio,) = take_turns(benchmark, ours, {"unheld": rival}, rounds=15).values()
    what = f"disturbed inputs of {ITEMS} utterances of {SECONDS:g} s, each hashed whole"
    figures.append(Figure(what, 1000 * ours.best, "ms of processor time"))
    figures.append(Figure("… against nothing hashed", 1 / ratio, "times as long", most=1.1))
    assert missed(figures) == []


@ON_THE_PROCESSOR
def test_disturbed_crops(folder: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    plain, disturbed = (_maker(folder, augment) for augment in (Augment(), WESPEAKERS))
    ours = Contestant[object](partial(disturbed.inputs, 1))
    rival = Contestant[object](partial(plain.inputs, 1))
    (ratio,) = take_turns(benchmark, ours, {"plain": rival}, rounds=10).values()
    what = f"speed, rooms, noise and filterbank of {BATCH} crops of {CROP:g} s, one core"
    figures.append(Figure(what, 1000 * ours.best, "ms of processor time"))
    figures.append(Figure("… crops a second of processor time", BATCH / ours.best, ""))
    figures.append(Figure("… against the filterbank alone", 1 / ratio, "times as long"))


def test_two_workers_feed(folder: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    """By the clock on the wall, nothing taking the inputs; the machine must be idle for it."""
    seconds: list[float] = []

    def feed() -> None:
        maker, device = _maker(folder, WESPEAKERS), torch.device("cpu")
        with Feeder(maker, range(WARM_UP + STEPS), device, WORKERS) as feeder:
            for _ in range(WARM_UP):
                feeder.take()
            began = time.perf_counter()
            for _ in range(STEPS):
                feeder.take()
            seconds.append(time.perf_counter() - began)

    benchmark.pedantic(feed, rounds=2)  # type: ignore[no-untyped-call]
    what = f"{WORKERS} worker processes: speed, rooms, noise and filterbank of crops of {CROP:g} s"
    figures.append(Figure(what, BATCH * STEPS / min(seconds), "crops a second", least=400))
    assert missed(figures) == []
