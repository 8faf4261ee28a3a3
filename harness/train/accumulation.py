"""One step's loss and gradients, the batch going through the network whole or in parts.

In parts, the activations of one part alone are held at a time. Where a loss is a mean over items,
the gradients of the parts add up to the batch's. A loss that looks at the whole batch gets all
embeddings at once, made without a graph; its gradient on them is kept, and each part goes through
the network again with its graph to take its share of that gradient further down (Gao, Zhang, Han
and Callan, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021,
arXiv:2101.06983, gradient caching).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.train.system import System


@dataclass(frozen=True)
class Precision:
    """How a step computes.

    Attributes:
        forward: around every forward pass, anew for each: autocast keeps rounded weights until it
            is left, and those made without a graph would be cut off from theirs.
        backward: from a loss to gradients; a scaler's factor is on them afterwards.
    """

    forward: Callable[[], AbstractContextManager[object]]
    backward: Callable[[Tensor], None]


@dataclass(frozen=True)
class Learned:
    """What a batch said, its gradients being with the parameters.

    Attributes:
        loss: the mean over the batch.
        logits: `[batch, classes]`, or None.
        statistics: the head's own.
    """

    loss: float
    logits: Tensor | None
    statistics: Mapping[str, float]


def learn(
    system: System, inputs: Tensor, labels: Tensor, part: int | None, precision: Precision
) -> Learned:
    """Add a batch's gradients to those of the parameters.

    Args:
        system: in training mode.
        inputs: of the network, `[batch, ...]`.
        labels: class indices, `[batch]`.
        part: most items that go through the network together; None for all of them.
        precision: how it is computed.
    """
    if part is None:
        return _whole(system, inputs, labels, precision)
    count = parts_of(len(labels), part)
    # Of even size, within one: a small rest would have poor statistics of its own.
    evenly = (torch.tensor_split(each, count) for each in (inputs, labels))
    parts = list(zip(*evenly, strict=True))
    if system.looks_at_whole_batch:
        return _cached(system, [one for one, _ in parts], labels, precision)
    return _summed(system, parts, precision)


def autocast(precision: str, device: str) -> torch.autocast:
    """What a forward pass computes in, by a recipe's name of it; `32-true` changes nothing."""
    kind = torch.bfloat16 if precision.startswith("bf16") else torch.float16
    return torch.autocast(device, dtype=kind, enabled=precision != "32-true")


def parts_of(batch: int, part: int) -> int:
    """In how many parts a batch goes through the network, of so many items at most."""
    return math.ceil(batch / part)


def _whole(system: System, inputs: Tensor, labels: Tensor, precision: Precision) -> Learned:
    with precision.forward():
        loss, logits, statistics = system.learn(inputs, labels)
    value = float(loss.detach())
    precision.backward(loss)
    return Learned(value, _detached(logits), statistics)


def _summed(
    system: System, parts: Iterable[tuple[Tensor, Tensor]], precision: Precision
) -> Learned:
    """Parts one after the other: exact for a mean over items, and each goes through once."""
    parts = list(parts)
    count = sum(len(labels) for _, labels in parts)
    done = []
    for inputs, labels in parts:
        share = len(labels) / count
        with precision.forward():
            loss, logits, statistics = system.learn(inputs, labels)
            loss = share * loss
        value = float(loss.detach())
        precision.backward(loss)
        done.append(Learned(value, _detached(logits), _times(statistics, share)))
    return Learned(
        sum(each.loss for each in done),
        _joined([each.logits for each in done]),
        _added([each.statistics for each in done]),
    )


def _cached(system: System, parts: list[Tensor], labels: Tensor, precision: Precision) -> Learned:
    """All embeddings first, then the loss, then each part again with its share of the gradient."""
    states, rows = [], []
    with _buffers_as_before(system.trunk), torch.no_grad():
        for inputs in parts:
            states.append(_random_state(inputs.device))
            with precision.forward():
                rows.append(system.embed(inputs))
    embeddings = torch.cat(rows).requires_grad_()
    with precision.forward():
        output = system.judge(embeddings, labels)
    value = float(output.loss.detach())
    precision.backward(output.loss)
    gradients = torch.split(_gradient(embeddings), [len(inputs) for inputs in parts])
    for inputs, state, gradient in zip(parts, states, gradients, strict=True):
        _restore(state, inputs.device)
        with precision.forward():
            again = system.embed(inputs)
        # The gradient carries a scaler's factor already.
        torch.autograd.backward(again, gradient)
    return Learned(value, _detached(output.logits), output.statistics)


def _gradient(embeddings: Tensor) -> Tensor:
    if embeddings.grad is None:
        raise TypeError("the loss does not rest on the embeddings; there is nothing to learn")
    return embeddings.grad


@contextmanager
def _buffers_as_before(module: torch.nn.Module) -> Iterator[None]:
    """Undo what passes do to buffers: running statistics move in the pass that has a graph."""
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    yield
    with torch.no_grad():
        for buffer, value in before:
            buffer.copy_(value)


def _random_state(device: torch.device) -> list[Tensor]:
    """Of the processor's generator and, on a GPU, of its own: dropout draws from it."""
    of_device = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *of_device]


def _restore(state: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(state[0])
    for of_device in state[1:]:
        torch.cuda.set_rng_state(of_device, device)


def _detached(logits: Tensor | None) -> Tensor | None:
    return None if logits is None else logits.detach()


def _joined(logits: list[Tensor | None]) -> Tensor | None:
    every = [each for each in logits if each is not None]
    return torch.cat(every) if every else None


def _times(statistics: Mapping[str, float], share: float) -> dict[str, float]:
    return {name: share * value for name, value in statistics.items()}


def _added(many: list[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for statistics in many for name in statistics)
    return {name: sum(each.get(name, 0.0) for each in many) for name in names}
