"""Packed sound to be cropped, disturbed and hashed: utterances of 8 s, each as FLAC too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from xxhash import xxh3_128

from harness.adapter import Fbank
from harness.config.recipe_tables import Augment, Noise, Reverb
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturber
from harness.feeding.libraries import library_sources
from harness.feeding.step_inputs import InputMaker

ITEMS, SECONDS, CROP, BATCH = 256, 8.0, 2.0, 64
SAMPLES = round(SECONDS * SAMPLE_RATE)
SPEEDS = (0.9, 1.0, 1.1)
WESPEAKERS = Augment(speeds=SPEEDS, probability=0.6, noise=Noise(), reverb=Reverb())


def write_sound(place: Path) -> None:
    """Write the utterances into a folder: end to end with their hashes, and each as FLAC."""
    values = np.concatenate([_utterance(number) for number in range(ITEMS)])
    values.tofile(place / "values")
    hashes = b"".join(xxh3_128(item.data).digest() for item in values.reshape(ITEMS, -1))
    (place / "fast").write_bytes(hashes)
    for number, samples in enumerate(values.reshape(ITEMS, -1)):
        soundfile.write(place / f"{number}.flac", samples, SAMPLE_RATE, subtype="PCM_16")


def _utterance(number: int) -> np.ndarray:
    """Pulses through resonances, in noise: FLAC packs it about as tightly as it does speech."""
    rng = np.random.Generator(np.random.PCG64(number))
    seconds = np.arange(SAMPLES) / SAMPLE_RATE
    pitch = rng.uniform(90, 220)
    tones = sum(
        np.sin(2 * np.pi * pitch * harmonic * seconds) / harmonic for harmonic in range(1, 20)
    )
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(2, 5) * seconds)
    return np.rint(3000 * swell * tones + 60 * rng.normal(size=SAMPLES)).astype(np.int16)


def packed_subset(folder: Path, items: int = ITEMS, *, hashed: bool = False) -> Subset:
    """The first utterances; with hashes, each is held against its own when it is first used."""
    values = np.memmap(folder / "values", np.int16, mode="r")[: items * SAMPLES]
    pack = Pack(values, np.arange(items + 1) * SAMPLES, np.full((items, 1), SAMPLES), "", {})
    if hashed:
        fast = np.fromfile(folder / "fast", np.uint8).reshape(ITEMS, -1)[:items]
        pack = replace(pack, folder=folder, held=np.zeros(items, bool), fast=fast)
    names = [f"s{number % 32:02}" for number in range(items)]
    table = pd.DataFrame({"id": [str(number) for number in range(items)], "label": names})
    return Subset(table, np.arange(items), np.arange(1, items + 1), pack)


def packed_batches(
    folder: Path, speeds: tuple[float, ...] = (), *, hashed: bool = False
) -> TrainingBatches:
    subset = packed_subset(folder, hashed=hashed)
    return TrainingBatches(subset, classes_of(subset), BATCH, CROP, 0, speeds)


def classes_of(subset: Subset) -> tuple[str, ...]:
    return tuple(sorted(set(subset.items["label"])))


def input_maker(folder: Path, augment: Augment, *, hashed: bool = False) -> InputMaker:
    opened = {use: shelf.open() for use, shelf in library_sources(augment, folder, folder).items()}
    disturber = Disturber(augment, opened.get("reverb"), opened.get("noise"), 0)
    batches = packed_batches(folder, augment.speeds, hashed=hashed)
    return InputMaker(batches, disturber if opened else None, Fbank(dither=1.0), augment, 0)
