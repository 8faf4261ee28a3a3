"""A user's own benchmark of pictures: letters of a few drawers, and a network of two layers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.tiny import TinyBenchmark

LETTERS, DRAWERS, SIDE = 5, 8, 16

PICTURE_FOLDERS = """
[datasets.shots]
adapter = "harness.data.corpora.pictures:Pictures"
path = "shots"
licence = "MIT"
size = 64
train = "train"
validation = "validation"
test = "test"
"""
"""A folder a class in a folder a split."""

MODELS = '''
"""A user's own network of pictures."""

from dataclasses import dataclass

from harness.adapter import Image


@dataclass(frozen=True, kw_only=True)
class Small:
    """One convolution with batch normalisation and dropout, and one layer."""

    size: int = 8
    channels: int = 4

    version = 1

    @property
    def embedding_size(self):
        return self.size

    def inputs(self):
        return Image(size=16, channels=1)

    def build(self):
        from torch import nn

        return nn.Sequential(
            nn.Conv2d(1, self.channels, 3, stride=2),
            nn.BatchNorm2d(self.channels),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Flatten(),
            nn.Linear(self.channels * 49, self.size),
        )
'''

BENCHMARK = """
[datasets.letters]
adapter = "harness.data.corpora.drawings:Drawings"
title = "A few letters"
synthetic = true
licence = "CC0-1.0"
publish_scores = true
path = "letters"
split = { seed = 0, validation = 2, folds = 2 }

[models.small]
adapter = "small_models:Small"

[models.wide]
adapter = "small_models:Small"
channels = 8

[losses.softmax]
adapter = "adapters.losses:Softmax"

[recipes.short]
batch = 8
steps = 12
optimizer = { name = "adamw", lr = 1e-2 }
learning_rate = { shape = "cosine", warmup = 0.2, final = 0.1 }
validations = 3
checkpoints = 6

[suites.own]
title = "Our own letters"
task = "harness.tasks.classification:Classification"
protocol = 1
datasets = ["letters"]
models = ["small"]
losses = ["softmax"]
profiles.quick = { recipe = "short" }
"""


def make_pictures(folder: Path) -> TinyBenchmark:
    """Write the benchmark file, the user's module and the drawings."""
    folder.mkdir(parents=True)
    (folder / "benchmark.toml").write_text(BENCHMARK)
    (folder / "small_models.py").write_text(MODELS)
    generator = np.random.Generator(np.random.PCG64(5))
    strokes = generator.uniform(3, SIDE - 3, (LETTERS, 3, 2))
    for letter in range(LETTERS):
        place = folder / "letters" / f"character{letter + 1:02}"
        place.mkdir(parents=True)
        for drawer in range(DRAWERS):
            drawn = _drawing(strokes[letter] + generator.normal(0, 0.7, (3, 2)))
            Image.fromarray(drawn).save(place / f"{letter + 1:04}_{drawer + 1:02}.png")
    return TinyBenchmark(folder)


def _drawing(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Draw a line through some points, black on white."""
    paper = np.full((SIDE, SIDE), 255, dtype=np.uint8)
    for start, end in pairwise(points):
        for share in np.linspace(0, 1, 4 * SIDE):
            row, column = np.clip(np.rint(start + share * (end - start)), 0, SIDE - 1).astype(int)
            paper[row, column] = 0
    return paper
