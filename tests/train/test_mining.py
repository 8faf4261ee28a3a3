"""Which labels are near is told by the head's centres, at fixed steps, and kept for a resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric
from torch.nn import functional

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax, SubcenterAam
from adapters.triplet import AngularTriplet
from harness.adapter import LossAdapter
from harness.config.recipe_tables import Augment, LearningRate, Optimizer, Sampler
from harness.config.recipes import Recipe
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.errors import ConfigError
from harness.feeding.batches import TrainingBatches
from harness.records.documents import sha256_file
from harness.train.loop import train
from harness.train.system import System, nearest_labels
from harness.train.training_plan import TrainingPlan, Validation
from harness.train.training_progress import FINAL
from tests.train.small_training import StopError, Trunk

LABELS, EACH, SAMPLES = 6, 4, 800


PK = Sampler(speakers=4, utterances=2)
HARD = Sampler(speakers=4, utterances=2, hard=0.5)


def recipe(sampler: Sampler, micro_batch: int | None = None, **augment: Any) -> Recipe:
    return Recipe(
        sampler=sampler, micro_batch=micro_batch, steps=8, crop_seconds=0.05, validations=2,
        checkpoints=8, optimizer=Optimizer(lr=0.1), augment=Augment(**augment), select="last",
        learning_rate=LearningRate(shape="constant", warmup=0),
    )  # fmt: skip


def system_of(how: Recipe, loss: LossAdapter) -> System:
    torch.manual_seed(1)
    several = how.sampler.speakers - 1 if how.sampler and how.sampler.hard else 0
    return System(Trunk(), loss, LABELS, how.augment, several=several)


def trained(folder: Path, how: Recipe, loss: LossAdapter, stop_at: int = 0, **more: Any) -> System:
    def report(step: int, steps: int, value: float) -> None:
        if step == stop_at:
            raise StopError

    system = system_of(how, loss)
    plan = TrainingPlan(
        recipe=how, batches=batches(how), validate=lambda _: Validation({"eer": 0.5}),
        primary="eer", higher_is_better=False, scheduled=loss.scheduled,
        folder=folder, seed=3, report=report,
        **more,
    )  # fmt: skip
    train(system, plan, Fabric(accelerator="cpu", devices=1))
    return system


def batches(how: Recipe) -> TrainingBatches:
    items = LABELS * EACH
    values = np.random.Generator(np.random.PCG64(0)).normal(0, 3000, items * SAMPLES)
    pack = Pack(
        values.astype(np.int16), np.arange(items + 1) * SAMPLES, np.full((items, 1), SAMPLES),
        "", {},
    )  # fmt: skip
    names = [f"c{row % LABELS}" for row in range(items)]
    table = pd.DataFrame({"id": [str(row) for row in range(items)], "label": names})
    subset = Subset(table, np.arange(items), np.arange(1, items + 1), pack)
    classes = tuple(sorted(set(names)))
    speeds = how.augment.speeds
    return TrainingBatches(subset, classes, how.batch, how.crop_seconds, 3, speeds, how.sampler)


CASES = [
    (recipe(PK), AngularTriplet()),
    (recipe(PK, 4), AngularTriplet(mining="semi-hard")),
    (recipe(PK, 2, speeds=(0.9, 1.0, 1.1)), GhmClassification()),
    (recipe(HARD), AamSoftmax()),
    (recipe(HARD, 4, speeds=(0.9, 1.1)), GhmClassification()),
]


@pytest.mark.parametrize("stop_at", [1, 3, 5])
@pytest.mark.parametrize(("how", "loss"), CASES)
def test_a_training_that_is_cut_off_gives_the_same_bytes(
    tmp_path: Path, how: Recipe, loss: LossAdapter, stop_at: int
) -> None:
    """An epoch is of three steps: cut within one, and at the end of one."""
    assert batches(how).steps_per_epoch == 3
    trained(tmp_path / "whole", how, loss)
    with pytest.raises(StopError):
        trained(tmp_path / "cut", how, loss, stop_at)
    trained(tmp_path / "cut", how, loss)
    assert (tmp_path / "cut" / FINAL).read_bytes() == (tmp_path / "whole" / FINAL).read_bytes()


@pytest.mark.parametrize(("how", "loss"), CASES[4:])
def test_workers_change_no_weight(tmp_path: Path, how: Recipe, loss: LossAdapter) -> None:
    hashes = set()
    for workers in (0, 2):
        folder = tmp_path / str(workers)
        trained(folder, how, loss, data_workers=workers)
        hashes.add(sha256_file(folder / FINAL))
    assert len(hashes) == 1


def test_hard_labels_make_another_training(tmp_path: Path) -> None:
    one = trained(tmp_path / "plain", recipe(PK), AamSoftmax()).head.weight
    two = trained(tmp_path / "hard", recipe(HARD), AamSoftmax()).head.weight
    assert not torch.equal(one, two)


def test_tables_are_made_at_the_first_step_of_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight steps before the first, the fourth and the seventh; a resume makes what is left."""
    looked_at: list[torch.Tensor] = []

    def recorded(centres: torch.Tensor, labels: int, several: int) -> torch.Tensor:
        looked_at.append(centres.detach().clone())
        return nearest_labels(centres, labels, several)

    monkeypatch.setattr("harness.train.system.nearest_labels", recorded)
    with pytest.raises(StopError):
        trained(tmp_path, recipe(HARD), AamSoftmax(), 5)
    assert len(looked_at) == 2
    whole = trained(tmp_path, recipe(HARD), AamSoftmax())
    assert len(looked_at) == 3
    assert torch.equal(whole.nearest, nearest_labels(looked_at[2], LABELS, 3))
    assert not any(torch.equal(looked_at[2], other) for other in looked_at[:2])
    assert not torch.equal(looked_at[2], whole.head.weight)


@pytest.mark.parametrize("speeds", [1, 3])
def test_nearest_are_the_highest_cosines_of_mean_directions(speeds: int) -> None:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(speeds * 9, 5, generator=generator)
    directions = []
    for label in range(9):
        rows = [functional.normalize(centres[label + 9 * speed], dim=0) for speed in range(speeds)]
        directions.append(sum(rows) / speeds)
    for label, found in enumerate(nearest_labels(centres, 9, 4).tolist()):
        cosines = {
            other: float(functional.cosine_similarity(directions[label], directions[other], dim=0))
            for other in range(9)
            if other != label
        }
        assert found == sorted(cosines, key=lambda other: -cosines[other])[:4]


def test_many_labels_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    centres = torch.randn(10, 4, generator=torch.Generator().manual_seed(1))
    whole = nearest_labels(centres, 10, 9)
    monkeypatch.setattr("harness.train.system._ROWS", 3)
    assert torch.equal(nearest_labels(centres, 10, 9), whole)
    assert all(label not in row for label, row in enumerate(whole.tolist()))


def test_the_centre_of_a_class_of_several_is_between_them() -> None:
    system = system_of(recipe(HARD), SubcenterAam(sub_centers=3))
    rows = functional.normalize(system.head.weight).reshape(LABELS, 3, -1)
    assert torch.allclose(system.class_centres(), rows.mean(dim=1))


def test_a_loss_without_centres_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sampler\.hard: AngularTriplet has no class centres"):
        system_of(recipe(HARD), AngularTriplet())


def test_without_hard_labels_no_table_is_kept() -> None:
    assert "nearest" not in system_of(recipe(PK), AamSoftmax()).state_dict()
