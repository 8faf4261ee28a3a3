"""Recomputation in the backward pass: stretches of a network that keep little.

Between forward and backward, autograd keeps the input of every convolution and of every batch
normalisation, and the result of every activation. Most of these follow from the convolutions'
outputs by work that costs little: normalising, clipping, adding, joining channels. A `Stretch`
keeps its inputs, the outputs of its convolutions, and the mean and deviation of every batch
normalisation; in the backward pass it runs once more with these given, so that no convolution is
computed twice and no statistic is taken twice, and differentiates that second run. What the second
run makes is freed before the next stretch's begins.

With the outputs of the convolutions not kept either (`"inputs"`), this is gradient checkpointing
(Chen et al., 2016, arXiv:1604.06174). Either way running statistics move in the first run alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from harness.adapter import IN_LOCKSTEP

Keeps = Literal["everything", "convolutions", "inputs"]
"""Tensors that a stretch keeps: all of autograd's, or its inputs, with or without convolutions."""

Network = TypeVar("Network", bound=nn.Module)


@dataclass
class Tape:
    """Tensors that a stretch's layers hand from its first run to its second, in their order.

    Attributes:
        convolutions: whether outputs of convolutions are among it.
        recorded: tensors that the first run kept.
        given: the same for the second run; None in the first.
    """

    convolutions: bool
    recorded: list[Tensor] = field(default_factory=list)
    given: Iterator[Tensor] | None = None


TAPE: ContextVar[Tape | None] = ContextVar("TAPE", default=None)
"""The tape of the stretch that runs at this moment, in this thread; None outside of any."""


class Lean(nn.Module):
    """A network, or a part of one, with stretches in it; `keep` sets what they keep."""

    keeps: Keeps = "convolutions"


class Stretch(Lean):
    """A part of a network that is one stretch, run by `body`.

    Its convolutions and batch normalisations must be those of `adapters.native.recomputed_layers`.

    Attributes:
        body: a method that maps the inputs to the output. It runs twice a training step, and must
            do the same both times: no random numbers.
    """

    body: Callable[..., Tensor]

    def forward(self, *inputs: Tensor) -> Tensor:
        """Run `body`."""
        return stretch(self.body, *inputs, layers=(self,), keeps=self.keeps)


def keep(network: Network, what: Keeps) -> Network:
    """Set what every stretch of a network keeps; return the network."""
    for module in network.modules():
        if isinstance(module, Lean):
            module.keeps = what
    return network


def stretch(
    body: Callable[..., Tensor], *inputs: Tensor, layers: Sequence[nn.Module], keeps: Keeps
) -> Tensor:
    """Run `body`, keeping little for the backward pass.

    A stretch inside a stretch is part of the outer one. If no backward pass can follow, in
    evaluation, and if other parts of the batch share its statistics, `body` is run as it is.

    Args:
        body: maps the inputs to one tensor.
        inputs: arguments of `body`.
        layers: hold all parameters that `body` uses.
        keeps: the tensors that are kept.
    """
    training = torch.is_grad_enabled() and any(layer.training for layer in layers)
    if not training or keeps == "everything" or IN_LOCKSTEP.get() or TAPE.get() is not None:
        return body(*inputs)
    parameters = tuple(parameter for layer in layers for parameter in layer.parameters())
    output: Tensor = _Stretch.apply(body, keeps, len(inputs), *inputs, *parameters)
    return output


class _Stretch(torch.autograd.Function):
    """Keeps what the first run records, and differentiates the second."""

    @staticmethod
    def forward(
        ctx: Any, body: Callable[..., Tensor], keeps: Keeps, count: int, *tensors: Tensor
    ) -> Tensor:
        tape = Tape(convolutions=keeps == "convolutions")
        with _running(tape):
            output = body(*tensors[:count])
        ctx.body, ctx.keeps, ctx.count, ctx.total = body, keeps, count, len(tensors)
        kind = output.device.type
        ctx.autocast = {
            "device_type": kind,
            "enabled": torch.is_autocast_enabled(kind),
            "dtype": torch.get_autocast_dtype(kind),
        }
        ctx.save_for_backward(*tensors, *tape.recorded)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        tensors, needed = list(ctx.saved_tensors), ctx.needs_input_grad[3:]
        # Detached, as what was recorded may be the output, whose gradient leads here again.
        recorded = [tensor.detach() for tensor in tensors[ctx.total :]]
        del tensors[ctx.total :]
        for index in range(ctx.count):
            tensors[index] = tensors[index].detach().requires_grad_(needed[index])
        tape = Tape(convolutions=ctx.keeps == "convolutions", given=iter(recorded))
        with _running(tape), torch.enable_grad(), torch.autocast(**ctx.autocast):
            output = ctx.body(*tensors[: ctx.count])
        wanted = [tensor for tensor, need in zip(tensors, needed, strict=True) if need]
        found = iter(
            torch.autograd.grad(output, wanted, _match_layout(output, gradient), allow_unused=True)
        )
        return None, None, None, *(next(found) if need else None for need in needed)


@contextmanager
def _running(tape: Tape) -> Iterator[None]:
    token = TAPE.set(tape)
    try:
        yield
    finally:
        TAPE.reset(token)


def _match_layout(output: Tensor, gradient: Tensor) -> Tensor:
    """Return the gradient in its output's memory format: work on two formats is slow."""
    last = torch.channels_last
    if output.ndim == 4 and output.is_contiguous(memory_format=last):
        return gradient.contiguous(memory_format=last)
    return gradient.contiguous()
