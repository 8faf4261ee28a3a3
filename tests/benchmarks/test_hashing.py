"""What it costs that each item of a pack is held against its hash when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from adapters.losses import AamSoftmax
from adapters.speechbrain import EcapaTdnn
from harness.config.recipe_tables import LearningRate, Optimizer
from harness.config.recipes import Recipe
from harness.feeding.batches import TrainingBatches
from harness.train.system import System, outputs_of
from harness.train.training_plan import Validation
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.packed_sound import (
    BATCH,
    CROP,
    ITEMS,
    SECONDS,
    WESPEAKERS,
    classes_of,
    input_maker,
    packed_subset,
)
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns
from tests.train.small_training import trained

pytestmark = [ON_THE_PROCESSOR, pytest.mark.usefixtures("one_thread")]

FEW, SMALL = 64, 16
"""Utterances of an epoch with a network; of a step, and of an evaluation."""

RECIPE = Recipe(
    batch=SMALL, steps=FEW // SMALL, crop_seconds=CROP, validations=1, checkpoints=1,
    optimizer=Optimizer(lr=0.01), learning_rate=LearningRate(shape="constant", warmup=0),
)  # fmt: skip
CPU = torch.device("cpu")

MOST = 1.03
"""Times the processor time of the same without hashes."""


def overhead(
    benchmark: BenchmarkFixture, run: Callable[[bool], object], rounds: int
) -> tuple[float, float]:
    """Turns with and without hashes: the least seconds with, and the ratio of the least."""
    ours, bare = (Contestant[object](partial(run, hashed)) for hashed in (True, False))
    found = take_turns(benchmark, ours, {"nothing hashed": bare}, rounds=rounds)
    return ours.best, 1 / found["nothing hashed"]


def small_network() -> System:
    torch.manual_seed(1)
    return System(EcapaTdnn(channels=512, embedding_size=192), AamSoftmax(), 32, RECIPE.augment)


def test_inputs_of_an_epoch(
    packed: Path, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    def epoch(hashed: bool) -> None:
        maker = input_maker(packed, WESPEAKERS, hashed=hashed)
        for step in range(ITEMS // BATCH):
            maker.inputs(step)

    seconds, ratio = overhead(benchmark, epoch, rounds=15)
    what = f"disturbed inputs of {ITEMS} utterances of {SECONDS:g} s, each hashed whole"
    figures.append(Figure(what, 1000 * seconds, "ms of processor time"))
    figures.append(Figure("… against nothing hashed", ratio, "times as long", most=1.1))
    assert missed(figures) == []


def test_an_epoch_with_a_network(
    packed: Path, benchmark: BenchmarkFixture, figures: list[Figure], tmp_path: Path
) -> None:
    """The loop of a training, of a pack that this process has not used before."""
    system, turns = small_network(), count()

    def epoch(hashed: bool) -> None:
        subset = packed_subset(packed, FEW, hashed=hashed)
        batches = TrainingBatches(subset, classes_of(subset), SMALL, CROP, 3)
        trained(
            tmp_path / str(next(turns)), RECIPE, system=system, batches=batches,
            validate=lambda _: Validation({"eer": 0.5}),
        )  # fmt: skip

    seconds, ratio = overhead(benchmark, epoch, rounds=7)
    what = f"ECAPA-TDNN (512) trained for an epoch of {FEW} crops of {CROP:g} s, each utterance of"
    figures.append(Figure(f"{what} {SECONDS:g} s hashed whole", seconds, "s of processor time"))
    figures.append(Figure("… against nothing hashed", ratio, "times as long", most=MOST))
    assert missed(figures) == []


def test_an_evaluation(packed: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    system = small_network().eval()

    def evaluate(hashed: bool) -> None:
        outputs_of(system, packed_subset(packed, SMALL, hashed=hashed), "embedding", CPU)

    seconds, ratio = overhead(benchmark, evaluate, rounds=7)
    what = f"ECAPA-TDNN (512) embeds {SMALL} utterances of {SECONDS:g} s, each hashed whole"
    figures.append(Figure(what, seconds, "s of processor time"))
    figures.append(Figure("… against nothing hashed", ratio, "times as long", most=MOST))
    assert missed(figures) == []
