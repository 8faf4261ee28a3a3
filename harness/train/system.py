"""A system as one module: front end, backbone and head, with the hard labels of its head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from harness.adapter import (
    Assigned,
    Batch,
    Image,
    Input,
    LossAdapter,
    LossOutput,
    ModelAdapter,
    build_head,
)
from harness.config.recipe_tables import Augment, Distill
from harness.config.recipes import EvenCrops, Recipe
from harness.data.corpus import SAMPLE_RATE
from harness.errors import ConfigError, JobFailed, OutOfMemory
from harness.feeding.effects import mask_features
from harness.feeding.evaluation_batches import Items, whole_batches
from harness.feeding.feeder import Feeder
from harness.feeding.front_end import front_end
from harness.measure.gpu_room import release_memory
from harness.measure.memory_use import is_out_of_memory
from harness.measure.rounding import arithmetic
from harness.train.distillation import distilled

Advance = Callable[[int], None]
Keep = Callable[[NDArray[np.int64], Tensor], None]
"""Receives rows of a subset and the embeddings `[rows, size]` of them, or of crops of them."""

MOST_NUMBERS = 16 * 16_000 * 4
"""Numbers in an evaluation batch: 64 seconds of audio, which keeps activations small."""

OF_ITEMS = frozenset({"pk", "pairs", "grades", "views", "epoch_embeddings"})
"""Needs of a loss that not any batch of items meets."""

OF_WHOLE_BATCHES = OF_ITEMS | {"full_batch"}
"""Needs of a loss that a part of a batch does not meet."""

_ROWS = 1024
"""Labels whose cosines to all others are held at a time."""


class System(nn.Module):
    """A system that is trained and evaluated.

    Args:
        model: the model's adapter.
        loss: the loss's adapter; None if only embeddings are wanted.
        classes: number of training labels; the head has more, if speeds make classes.
        augment: augmentation of training inputs.
        counts: training items of each label, for a loss that needs them.
        several: how many of the labels nearest to each are kept, if batches draw hard ones.
        distill: how much a teacher counts whose logits come with a batch.

    Raises:
        ConfigError: batches draw hard labels, and the loss has no class centres.
    """

    nearest: Tensor

    def __init__(
        self,
        model: ModelAdapter,
        loss: LossAdapter | None,
        classes: int,
        augment: Augment | None = None,
        counts: Sequence[int] | None = None,
        *,
        several: int = 0,
        distill: Distill | None = None,
    ) -> None:
        super().__init__()
        self.distill = distill
        self.declared: Input = model.inputs()
        self.augment = augment or Augment()
        self.front_end = front_end(self.declared)
        self.trunk = model.build()
        self.size = model.embedding_size
        self.adapter = f"{type(model).__module__}:{type(model).__qualname__}"
        factor = self.augment.class_factor
        # The classes of a speed follow those of another, each with a label's own items.
        repeated = None if counts is None else list(counts) * factor
        self.head = build_head(loss, self.size, classes * factor, repeated) if loss else None
        if several:
            if not hasattr(self.head, "class_centres"):
                raise ConfigError(
                    f"sampler.hard: {type(loss).__name__} has no class centres to tell which "
                    "labels are near; take hard out, or choose a loss with a classifier"
                )
            self.register_buffer("nearest", torch.zeros(classes, several, dtype=torch.int64))
        needs = loss.needs if loss else frozenset()
        self.takes_views = "views" in needs
        self.assigns = "epoch_embeddings" in needs
        self.assigned: Assigned | None = None  # of the items of the step that is being learnt
        self.looks_at_whole_batch = bool(needs & OF_WHOLE_BATCHES)
        self.judges_any_batch = bool(loss and not needs & OF_ITEMS)
        self.is_ranking = bool(needs & {"pairs", "grades"})

    def inputs(self, raw: Tensor) -> Tensor:
        """Return the network input of a raw batch, masked in training mode only."""
        with torch.no_grad(), torch.autocast(raw.device.type, enabled=False):
            features: Tensor = self.front_end(raw)
            return (
                mask_features(features, self.declared, self.augment) if self.training else features
            )

    def forward(
        self, raw: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor | None, Mapping[str, float]]:
        """Return loss, logits and statistics of a labelled raw batch."""
        return self.learn(self.inputs(raw), labels)

    def learn(
        self, inputs: Tensor, labels: Tensor | Batch
    ) -> tuple[Tensor, Tensor | None, Mapping[str, float]]:
        """Return loss, logits and statistics of network inputs that were made before."""
        output = self.judge(self.embed(inputs), labels)
        return output.loss, output.logits, output.statistics

    def embed(self, inputs: Tensor) -> Tensor:
        """Return embeddings `[batch, size]` of network inputs.

        Raises:
            JobFailed: the network gives something of another shape than its adapter says.
        """
        if isinstance(self.declared, Image) and inputs.device.type == "cpu":
            # Depthwise convolutions of pictures are half as fast again in this order there.
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        embeddings: Tensor = self.trunk(inputs)
        wanted = (len(inputs), self.size)
        found = tuple(embeddings.shape) if isinstance(embeddings, Tensor) else None
        if found != wanted:
            given = f"a tensor {list(found)}" if found is not None else type(embeddings).__name__
            raise JobFailed(
                f"{self.adapter}: its network gives {given} for {wanted[0]} items, where its "
                f"embedding_size asks for {list(wanted)}; change either"
            )
        return embeddings

    def judge(self, embeddings: Tensor, labels: Tensor | Batch) -> LossOutput:
        """Return the output of the head for embeddings, taught if the batch says so."""
        batch = self.batch(labels)
        output: LossOutput = self._head(embeddings, batch)
        if self.distill is None or batch.teacher is None:
            return output
        return distilled(output, batch.teacher, self.distill)

    def batch(self, labels: Tensor | Batch) -> Batch:
        """Return what the head gets beside the embeddings; the second half of views is the first.

        Args:
            labels: class indices, `[batch]`, or these with all else that the head is told. A
                ranking loss that gets no grades, where only shapes count (memory, times), ranks
                the items in their order.
        """
        batch = batch_of(labels)
        if self.takes_views:
            items = torch.arange(len(batch.labels) // 2, device=batch.labels.device)
            pairs = torch.stack((items, items + len(items)), dim=1)
            twice = self.assigned and self.assigned.of(torch.cat((items, items)))
            return replace(batch, pairs=pairs, assigned=twice)
        if not self.is_ranking:
            return batch if self.assigned is None else replace(batch, assigned=self.assigned)
        ranks = batch.grades
        if ranks is None:
            ranks = torch.linspace(-1, 1, len(batch.labels), device=batch.labels.device)
        return replace(batch, grades=ranks, pairs=ordered_pairs(ranks))

    def class_centres(self) -> Tensor:
        """Return the head's centres of its classes, `[classes, size]`."""
        centres: Tensor = self._head.class_centres()
        return centres

    def output(self, raw: Tensor, kind: Literal["embedding", "logits"]) -> Tensor:
        """Return embeddings `[batch, size]` or logits `[batch, classes]` with no label known."""
        return self.decide(self.embed(self.inputs(raw)), kind)

    def decide(self, embeddings: Tensor, kind: Literal["embedding", "logits"]) -> Tensor:
        """Return embeddings as they are, or the logits of them `[batch, classes]`."""
        return embeddings if kind == "embedding" else self._head.logits(embeddings)

    @property
    def _head(self) -> Any:
        if self.head is None:
            raise TypeError("this system was built without a loss; it has no head")
        return self.head


def batch_of(labels: Tensor | Batch) -> Batch:
    """Return labels alone, or with all else that a loss is told, as a batch."""
    return labels if isinstance(labels, Batch) else Batch(labels)


def outputs_of(
    system: System,
    subset: Items,
    kind: Literal["embedding", "logits"],
    device: torch.device,
    advance: Advance = lambda _: None,
    *,
    crops: EvenCrops | None = None,
    keep: Keep = lambda _rows, _embeddings: None,
) -> NDArray[np.float32]:
    """Compute outputs of whole items, in the order of the subset: `[items, size]`.

    Items of one length share a batch, so that no item is padded. With crops, an item's output is
    the mean over its crops: of embeddings each brought to length 1, or of logits. The cosine of
    two such means is the mean cosine of all pairs of crops over the product of the means' lengths.

    A GPU computes them in full float32 and repeatably, whatever the training was computed in.

    Args:
        system: is left in evaluation mode.
        subset: the items.
        kind: of the outputs.
        device: the system's.
        advance: receives the count of newly finished items.
        crops: by which an item is judged; None for the whole of it.
        keep: receives the embeddings of each batch, before anything is averaged.

    Raises:
        OutOfMemory: an item does not fit the memory even alone; the message names it.
    """
    system.eval()
    found: NDArray[np.float32] | None = None
    counts = np.zeros(len(subset), dtype=np.int64)
    with arithmetic(device), torch.inference_mode():
        for rows, raw in whole_batches(subset, system.declared, MOST_NUMBERS, crops):
            embeddings, values = _output_in_halves(system, subset, rows, raw, kind, device)
            keep(rows, embeddings)
            if crops is not None and kind == "embedding":
                values = nn.functional.normalize(values)
            if found is None:
                found = np.zeros((len(subset), values.shape[1]), dtype=np.float32)
            np.add.at(found, rows, values.cpu().numpy())
            advance(int((counts[np.unique(rows)] == 0).sum()))
            np.add.at(counts, rows, 1)
    if found is None:
        raise ValueError("the subset is empty")
    found /= counts[:, None].astype(np.float32)
    return found


def _output_in_halves(
    system: System,
    subset: Items,
    rows: NDArray[np.int64],
    raw: Tensor,
    kind: Literal["embedding", "logits"],
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Compute embeddings and outputs of a batch, in halves for as long as memory runs out."""
    try:
        embeddings = system.embed(system.inputs(raw.to(device)))
        return embeddings.float(), system.decide(embeddings, kind).float()
    except (RuntimeError, MemoryError) as error:
        if not (isinstance(error, MemoryError) or is_out_of_memory(error)):
            raise
        if len(raw) == 1:
            raise OutOfMemory(_too_large(system, subset, int(rows[0]), raw)) from error
    release_memory()  # not within the handler: the error holds what the network had made
    half = len(raw) // 2
    parts = (slice(half), slice(half, None))
    halves = [
        _output_in_halves(system, subset, rows[part], raw[part], kind, device) for part in parts
    ]
    embeddings, outputs = (torch.cat(each) for each in zip(*halves, strict=True))
    return embeddings, outputs


def _too_large(system: System, subset: Items, row: int, raw: Tensor) -> str:
    item = subset.items.iloc[row]
    told = f"out of memory in embedding {item['id']} ({item['source']}) alone"
    if system.declared.kind != "audio":
        return told
    whole, piece = subset.length(row) / SAMPLE_RATE, raw.shape[1] / SAMPLE_RATE
    return (
        f"{told}: {piece:.1f} s of its {whole:.1f} s at once; give the recipe test_crops, so that "
        "shorter crops of it are embedded, or leave it out of the lists"
    )


def ordered_pairs(grades: Tensor) -> Tensor:
    """Return all pairs of items of different grade, the higher first: `[pairs, 2]`.

    Args:
        grades: `[batch]`.

    >>> ordered_pairs(torch.tensor([0.0, 1.0, 1.0])).tolist()
    [[1, 0], [2, 0]]
    """
    return (grades.unsqueeze(1) > grades.unsqueeze(0)).nonzero()


def example_labels(recipe: Recipe, batch: int, classes: int) -> Tensor:
    """Return labels of an example batch, `[batch]`: as many of each as the recipe draws."""
    different = recipe.sampler.speakers if recipe.sampler else batch
    return torch.arange(batch) % min(different, classes)


def example_targets(labels: Tensor) -> Assigned:
    """Return what an `AssigningHead` may answer for an example batch: each other item trusted."""
    return Assigned(labels.clone(), (torch.arange(len(labels)) % 2).float())


def mine_hard_labels(system: System, feeder: Feeder, step: int, steps_per_epoch: int) -> None:
    """Give the nearest labels to a feeder that waits for them; do nothing for any other.

    The table is made at the first step of an epoch, and is a buffer of the system: a training that
    goes on from a resume point within an epoch finds it there.

    Args:
        system: the system in training.
        feeder: the maker of its inputs.
        step: of this training, from 0.
        steps_per_epoch: number of steps for which a table holds.
    """
    if not feeder.must_mine:
        return
    within = step % steps_per_epoch
    if within == 0:
        system.nearest.copy_(nearest_labels(system.class_centres(), *system.nearest.shape))
    feeder.mine(system.nearest.cpu().numpy().copy(), step - within + steps_per_epoch)


def nearest_labels(centres: Tensor, labels: int, several: int) -> Tensor:
    """Return the labels with the highest cosines to each label's centre, `[labels, several]`.

    A label that is a class at every speed counts with the mean direction of its classes.

    Args:
        centres: of classes, `[speeds * labels, size]`, the labels of a speed one after another.
        labels: how many there are.
        several: how many of the nearest, under `labels`.
    """
    with torch.no_grad(), torch.autocast(centres.device.type, enabled=False):
        each = functional.normalize(centres.float()).reshape(-1, labels, centres.shape[1])
        directions = functional.normalize(each.mean(dim=0))
        found = []
        for rows in torch.split(torch.arange(labels, device=centres.device), _ROWS):
            cosines = directions[rows] @ directions.T
            cosines.scatter_(1, rows.unsqueeze(1), -torch.inf)
            found.append(cosines.topk(several, dim=1).indices)
        return torch.cat(found)
