"""From packed sound to a network's inputs: what it costs to crop, to disturb and to analyse."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from pytest_benchmark.fixture import BenchmarkFixture

from harness.adapter import Fbank
from harness.config.recipe_tables import Augment
from harness.data.corpus import SAMPLE_RATE
from harness.feeding.feeder import Feeder
from harness.feeding.log_mel import LogMel
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.packed_sound import (
    BATCH,
    CROP,
    SECONDS,
    WESPEAKERS,
    input_maker,
    packed_batches,
)
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns

pytestmark = pytest.mark.usefixtures("one_thread")

STEPS, WARM_UP, WORKERS = 40, 8, 2
PLAIN = Fbank(subtract_mean=False)


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
def test_crops(packed: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    batches = packed_batches(packed)
    ours = Contestant[object](partial(batches.at, 1))
    rival = Contestant[object](partial(_decoded, packed))
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
def test_filterbank(packed: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    waves, _ = packed_batches(packed).at(0)
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


@ON_THE_PROCESSOR
def test_disturbed_crops(packed: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    plain, disturbed = (input_maker(packed, augment) for augment in (Augment(), WESPEAKERS))
    ours = Contestant[object](partial(disturbed.inputs, 1))
    rival = Contestant[object](partial(plain.inputs, 1))
    (ratio,) = take_turns(benchmark, ours, {"plain": rival}, rounds=10).values()
    what = f"speed, rooms, noise and filterbank of {BATCH} crops of {CROP:g} s, one core"
    figures.append(Figure(what, 1000 * ours.best, "ms of processor time"))
    figures.append(Figure("… crops a second of processor time", BATCH / ours.best, ""))
    figures.append(Figure("… against the filterbank alone", 1 / ratio, "times as long"))


def test_two_workers_feed(packed: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    """By the clock on the wall, nothing taking the inputs; the machine must be idle for it."""
    seconds: list[float] = []

    def feed() -> None:
        maker, device = input_maker(packed, WESPEAKERS), torch.device("cpu")
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
