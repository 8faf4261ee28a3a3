"""A small training set in a pack on disk, and what makes inputs of it."""

from pathlib import Path

import numpy as np
import pandas as pd

from harness.adapter import Fbank
from harness.config.recipe_tables import Augment
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturber
from harness.feeding.libraries import library_sources
from harness.feeding.step_inputs import InputMaker

ITEMS, SAMPLES, CLASSES = 6, 2400, ("c0", "c1", "c2")
FULL = Augment(
    speeds=(0.9, 1.0, 1.1), probability=0.8, noise={}, reverb={}, frequency_mask=3, time_mask=2
)


def training_subset(folder: Path) -> Subset:
    """Six noises, two a class, memory-mapped as a pack is."""
    path = folder / "values"
    if not path.exists():
        rng = np.random.Generator(np.random.PCG64(0))
        rng.normal(0, 3000, ITEMS * SAMPLES).astype(np.int16).tofile(path)
    values = np.memmap(path, np.int16, mode="r")
    offsets = np.arange(ITEMS + 1) * SAMPLES
    pack = Pack(values, offsets, np.full((ITEMS, 1), SAMPLES), "", {})
    labels = [CLASSES[row % 3] for row in range(ITEMS)]
    items = pd.DataFrame({"id": [str(row) for row in range(ITEMS)], "label": labels})
    return Subset(items, np.arange(ITEMS), np.arange(1, ITEMS + 1), pack)


def maker(
    folder: Path, augment: Augment = FULL, declared: Fbank | None = None, seconds: float = 0.05
) -> InputMaker:
    """What makes inputs of crops; noises and rooms are packed in the folder."""
    opened = {use: shelf.open() for use, shelf in library_sources(augment, folder, folder).items()}
    disturber = Disturber(augment, opened.get("reverb"), opened.get("noise"), 3)
    batches = TrainingBatches(
        training_subset(folder), CLASSES, 4, seconds, seed=3, speeds=augment.speeds
    )
    wanted = declared or Fbank(bins=8, dither=1.0)
    return InputMaker(batches, disturber if opened else None, wanted, augment, 3)
