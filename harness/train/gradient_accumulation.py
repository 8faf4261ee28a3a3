"""Loss and gradients of one step, the batch going through the network whole or in parts.

In parts (gradient accumulation), the activations of one part alone are held at a time. If a loss is
a mean over items, the gradients of the parts add up to the batch's. A loss that looks at the whole
batch gets all embeddings at once, made without a graph; its gradient on them is kept, and each part
goes through the network again with its graph to take its share of that gradient further down (Gao,
Zhang, Han and Callan, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
2021, arXiv:2101.06983, gradient caching).

Batch normalisation sees a part at a time in either. Where a recipe asks for that of the whole
batch, the parts go through the network in lock-step (see `harness.train.lockstep`) and the loss is
that of all embeddings: the step is the undivided one, up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from harness.adapter import Batch
from harness.train.host_tensors import HostTensors
from harness.train.lockstep import embed_in_lockstep
from harness.train.system import System, batch_of


@dataclass(frozen=True)
class Precision:
    """Number formats of a step.

    Attributes:
        forward: around every forward pass, anew for each: autocast keeps rounded weights until it
            is left, and those made without a graph would be cut off from theirs.
        backward: from a loss to gradients; a scaler's factor is on them afterwards.
    """

    forward: Callable[[], AbstractContextManager[object]]
    backward: Callable[[Tensor], None]


_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}

Keeper = Callable[[list[Tensor]], HostTensors]
"""Makes what keeps saved tensors, given those that stay on the device anyway."""


@dataclass(frozen=True)
class Learned:
    """Result of a batch whose gradients are with the parameters.

    Attributes:
        loss: the mean over the batch.
        logits: `[batch, classes]`, or None.
        statistics: the head's own.
    """

    loss: float
    logits: Tensor | None
    statistics: Mapping[str, float]


def learn(
    system: System,
    inputs: Tensor,
    labels: Tensor | Batch,
    part: int | None,
    precision: Precision,
    batch_norm: Literal["parts", "full"] = "parts",
    keeper: Keeper | None = None,
) -> Learned:
    """Add a batch's gradients to those of the parameters.

    Args:
        system: in training mode.
        inputs: of the network, `[batch, ...]`.
        labels: class indices, `[batch]`, or these with all else that the loss is told.
        part: most items that go through the network together; None for all of them.
        precision: the number formats.
        batch_norm: items over which batch normalisation takes its statistics: a part's or all.
        keeper: keeps what parts in lock-step save; None for main memory if a GPU computes, and for
            autograd's own way if not.

    Raises:
        JobFailed: parts in lock-step do not meet at the same batch normalisations.
    """
    batch = batch_of(labels)
    if system.takes_views:
        inputs, again = torch.cat((inputs, inputs)), torch.cat((batch.labels, batch.labels))
        batch = replace(batch, labels=again)
    if part is None:
        return _learn_at_once(system, inputs, batch, precision)
    count = parts_of(len(batch.labels), part)
    # Of even size, within one: a small rest would have poor statistics of its own.
    inputs_of = torch.tensor_split(inputs, count)
    if batch_norm == "full" and count > 1:
        if keeper is None and inputs.device.type == "cuda":
            keeper = HostTensors
        return _learn_in_lockstep(system, inputs_of, batch, precision, keeper)
    if system.looks_at_whole_batch:
        return _learn_with_cached_gradient(system, inputs_of, batch, precision)
    return _learn_in_parts(system, inputs_of, _split(batch, count), precision)


def _split(batch: Batch, count: int) -> list[Batch]:
    """Divide a batch evenly; pairs, which a part would cut, are of whole batches alone."""
    whole = (batch.labels, batch.mix_labels, batch.mix_weights, batch.teacher)
    parts = [[None] * count if each is None else torch.tensor_split(each, count) for each in whole]
    return [Batch(*part) for part in zip(*parts, strict=True)]


def autocast(precision: str, device: str) -> torch.autocast:
    """Return the autocast of a planned recipe's precision; `32-true` changes nothing."""
    if precision == "32-true":
        return torch.autocast(device, enabled=False)
    return torch.autocast(device, dtype=_HALF[precision])


def parts_of(batch: int, part: int) -> int:
    """Return the number of parts of a batch, each of at most so many items."""
    return math.ceil(batch / part)


def _learn_at_once(system: System, inputs: Tensor, batch: Batch, precision: Precision) -> Learned:
    with precision.forward():
        loss, logits, statistics = system.learn(inputs, batch)
    precision.backward(loss)
    # Read only now: a GPU is waited for, which would have nothing to do meanwhile.
    return Learned(float(loss.detach()), None if logits is None else logits.detach(), statistics)


def _learn_in_parts(
    system: System, inputs: Sequence[Tensor], batches: Sequence[Batch], precision: Precision
) -> Learned:
    """Learn from parts one after the other: exact for a mean over items."""
    count = sum(map(len, inputs))
    losses, rows, shares = list[Tensor](), [], dict[str, list[float]]()
    for some, theirs in zip(inputs, batches, strict=True):
        share = len(some) / count
        with precision.forward():
            loss, logits, statistics = system.learn(some, theirs)
            loss = share * loss
        losses.append(loss.detach())
        precision.backward(loss)
        if logits is not None:
            rows.append(logits.detach())
        for name, number in statistics.items():
            shares.setdefault(name, []).append(share * number)
    statistics = {name: sum(numbers) for name, numbers in shares.items()}
    return Learned(sum(map(float, losses)), torch.cat(rows) if rows else None, statistics)


def _learn_in_lockstep(
    system: System,
    parts: Sequence[Tensor],
    batch: Batch,
    precision: Precision,
    keeper: Keeper | None,
) -> Learned:
    """Make all embeddings by statistics of the whole batch, then the loss of all."""
    stays = [*system.trunk.parameters(), *system.trunk.buffers(), parts[0]]
    kept: AbstractContextManager[object] = keeper(stays).hooks() if keeper else nullcontext()
    with precision.forward():
        with kept:
            embeddings = torch.cat(embed_in_lockstep(system.embed, system.trunk, parts))
        output = system.judge(embeddings, batch)
    precision.backward(output.loss)
    logits = None if output.logits is None else output.logits.detach()
    return Learned(float(output.loss.detach()), logits, output.statistics)


def _learn_with_cached_gradient(
    system: System, parts: Sequence[Tensor], batch: Batch, precision: Precision
) -> Learned:
    """Make all embeddings, then the loss, then each part again with its share of the gradient."""
    states, rows = [], []
    with _restore_buffers(system.trunk), torch.no_grad():
        for inputs in parts:
            states.append(_random_state(inputs.device))
            with precision.forward():
                rows.append(system.embed(inputs))
    embeddings = torch.cat(rows).requires_grad_()
    with precision.forward():
        output = system.judge(embeddings, batch)
    precision.backward(output.loss)
    if embeddings.grad is None:
        raise TypeError("the loss does not rest on the embeddings; there is nothing to learn")
    gradients = torch.split(embeddings.grad, [len(inputs) for inputs in parts])
    for inputs, state, gradient in zip(parts, states, gradients, strict=True):
        torch.set_rng_state(state[0])
        for of_device in state[1:]:
            torch.cuda.set_rng_state(of_device, inputs.device)
        with precision.forward():
            again = system.embed(inputs)
        # The gradient carries a scaler's factor already.
        torch.autograd.backward(again, gradient)
    logits = None if output.logits is None else output.logits.detach()
    return Learned(float(output.loss.detach()), logits, output.statistics)


@contextmanager
def _restore_buffers(module: torch.nn.Module) -> Iterator[None]:
    """Undo what passes do to buffers: running statistics move in the pass that has a graph."""
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    yield
    with torch.no_grad():
        for buffer, value in before:
            buffer.copy_(value)


def _random_state(device: torch.device) -> list[Tensor]:
    """Return the state of the processor's generator and of a GPU's: dropout draws from it."""
    of_device = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    if device.type == "mps":
        of_device = [torch.mps.get_rng_state()]
    return [torch.get_rng_state(), *of_device]
