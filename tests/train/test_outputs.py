"""What a system makes of items: whole, or the mean over crops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from harness.config.recipes import EvenCrops
from harness.datasets.subset import Subset
from harness.errors import OutOfMemory
from harness.train import system as module
from harness.train.system import System, outputs_of
from tests.train.small_training import RECIPE, small_batches, small_system

CPU = torch.device("cpu")
CROPS = EvenCrops(seconds=0.03, count=3)
STARTS = (0, 160, 320)
"""Where three crops of 480 samples begin in a sound of 800."""


@pytest.fixture
def judged() -> tuple[System, Subset]:
    return small_system(RECIPE).eval(), small_batches(RECIPE).subset


def of_crops(judged: tuple[System, Subset], row: int, kind: str) -> list[NDArray[np.float32]]:
    """The output of each crop of a sound, alone."""
    system, subset = judged
    sound = torch.from_numpy(subset.item(row).astype(np.float32) / 32768)
    with torch.inference_mode():
        crops = [sound[start : start + 480][None] for start in STARTS]
        return [system.output(crop, kind)[0].numpy() for crop in crops]  # type: ignore[arg-type]


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_embeddings_of_crops_are_averaged_at_length_one(judged: tuple[System, Subset]) -> None:
    found = outputs_of(*judged, "embedding", CPU, crops=CROPS)
    for row in range(6):
        each = [crop / np.linalg.norm(crop) for crop in of_crops(judged, row, "embedding")]
        np.testing.assert_allclose(found[row], np.mean(each, axis=0), rtol=1e-5, atol=1e-6)


def test_the_cosine_of_averages_is_the_mean_cosine_over_their_lengths(
    judged: tuple[System, Subset],
) -> None:
    """What recipes that average the crops' scores take, up to the two averages' lengths."""
    found = outputs_of(*judged, "embedding", CPU, crops=CROPS)
    one, other = (of_crops(judged, row, "embedding") for row in (0, 1))
    mean = np.mean([cosine(a, b) for a in one for b in other])
    lengths = np.linalg.norm(found[0]) * np.linalg.norm(found[1])
    assert cosine(found[0], found[1]) == pytest.approx(mean / lengths, abs=1e-5)


def test_logits_of_crops_are_averaged_as_they_are(judged: tuple[System, Subset]) -> None:
    found = outputs_of(*judged, "logits", CPU, crops=CROPS)
    for row in range(6):
        wanted = np.mean(of_crops(judged, row, "logits"), axis=0)
        np.testing.assert_allclose(found[row], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["embedding", "logits"])
def test_a_crop_of_the_whole_is_the_whole(judged: tuple[System, Subset], kind: str) -> None:
    """But for its length, which no cosine sees."""
    whole = outputs_of(*judged, kind, CPU)  # type: ignore[arg-type]
    one = outputs_of(*judged, kind, CPU, crops=EvenCrops(seconds=0.05, count=4))  # type: ignore[arg-type]
    length = np.linalg.norm(whole, axis=1, keepdims=True) if kind == "embedding" else 1
    np.testing.assert_allclose(one, whole / length, rtol=1e-6)


def test_batches_change_no_output_and_every_item_is_told_once(
    judged: tuple[System, Subset], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = outputs_of(*judged, "embedding", CPU, crops=CROPS)
    for numbers in (1, 1000, 2000):
        monkeypatch.setattr(module, "MOST_NUMBERS", numbers)
        told: list[int] = []
        found = outputs_of(*judged, "embedding", CPU, told.append, crops=CROPS)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
        assert sum(told) == 6
        assert len(told) > 1


def test_whole_items_are_what_the_network_makes_of_them(judged: tuple[System, Subset]) -> None:
    """To the bit: nothing is averaged where no crop is asked for."""
    system, subset = judged
    found = outputs_of(*judged, "embedding", CPU)
    sounds = np.stack([subset.item(row)[:720] for row in range(6)]).astype(np.float32) / 32768
    with torch.inference_mode():
        wanted = system.output(torch.from_numpy(sounds), "embedding").numpy()
    np.testing.assert_array_equal(found, wanted)


class Small:
    """Stands before a network and refuses what a small card would."""

    def __init__(self, system: System, samples: float) -> None:
        self.inputs, self.samples, self.sizes = system.inputs, samples, list[int]()

    def __call__(self, raw: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(raw))
        if raw.numel() > self.samples:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.inputs(raw)


def test_a_batch_that_is_refused_goes_through_in_halves(
    judged: tuple[System, Subset], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = outputs_of(*judged, "embedding", CPU)
    small = Small(judged[0], samples=2 * 800)
    monkeypatch.setattr(judged[0], "inputs", small)
    np.testing.assert_allclose(outputs_of(*judged, "embedding", CPU), wanted, rtol=1e-6)
    assert small.sizes == [6, 3, 1, 2, 3, 1, 2]


@pytest.mark.parametrize("crops", [None, CROPS])
def test_an_item_that_does_not_fit_alone_is_named(
    judged: tuple[System, Subset], monkeypatch: pytest.MonkeyPatch, crops: EvenCrops | None
) -> None:
    system, subset = judged
    items = subset.items.assign(id=[f"u{row}" for row in range(6)], source="long.flac")
    monkeypatch.setattr(system, "inputs", Small(system, samples=300))
    with pytest.raises(
        OutOfMemory, match=r"embedding u0 \(long.flac\) alone: 0\.0 s of its 0\.1 s"
    ):
        outputs_of(system, dataclasses.replace(subset, items=items), "embedding", CPU, crops=crops)


def test_another_error_is_no_lack_of_memory(
    judged: tuple[System, Subset], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(raw: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(judged[0], "inputs", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        outputs_of(*judged, "embedding", CPU)


def test_no_items_have_no_outputs(judged: tuple[System, Subset]) -> None:
    system, subset = judged
    nothing = dataclasses.replace(
        subset, items=subset.items[:0], rows=subset.rows[:0], after=subset.after[:0]
    )
    with pytest.raises(ValueError, match="empty"):
        outputs_of(system, nothing, "embedding", CPU)
