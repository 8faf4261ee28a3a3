"""Batch normalisation over a batch that comes in parts: statistics of all, gradients through them.

A part gives its mean m_i and its variance v_i over n_i numbers a channel. With N the sum of n_i,
the whole batch has (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for
Computing Sample Variances", 1979, equation 2.1)

    m = sum(n_i m_i) / N,    v = sum(n_i (v_i + (m_i - m)^2)) / N.

Each part is then normalised as in evaluation, with m and v given. That operation has no gradient on
m and v; its gradients on scale and shift hold what these need. So with r = 1 / sqrt(v + eps), m0
and r0 the values of m and r without a graph, and the layer's weight w and bias b, it is given

    scale = w r / r0,    shift = b - (m - m0) r0 w,

whose values are w and b. (x - m0) r0 scale + shift has the value of (x - m) r w + b, and, as m = m0
and r = r0 in value, the same derivatives by x, m, r, w and b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from harness.errors import JobFailed


class NormCall(NamedTuple):
    """Arguments of `torch.nn.functional.batch_norm`, by its own order.

    Attributes:
        values: `[items, channels, ...]`.
        mean, var: running statistics `[channels]`, or None.
    """

    values: Tensor
    mean: Tensor | None
    var: Tensor | None
    weight: Tensor | None = None
    bias: Tensor | None = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5

    @property
    def layer(self) -> tuple[object, ...]:
        """All by which the calls of two parts are told to be of one layer."""
        tensors = (self.weight, self.bias, self.mean, self.var)
        return (*map(id, tensors), self.values.shape[1], self.values.dtype, self.eps)


@dataclass(frozen=True)
class Arrival:
    """A part at a batch normalisation.

    Attributes:
        call: of the part.
        mean, var: of the part, `[channels]`; the variance is over all numbers, not one less.
    """

    call: NormCall
    mean: Tensor
    var: Tensor

    @property
    def count(self) -> int:
        """Numbers a channel."""
        return self.call.values.numel() // max(1, self.call.values.shape[1])


class Moments(torch.autograd.Function):
    """Mean and variance of each channel, in float32 of what is in half precision."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance `[channels]` of `[items, channels, ...]`."""
        var, mean = torch.var_mean(_wide(values), _all_but_channels(values), correction=0)
        ctx.save_for_backward(values, mean)
        return mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, on_mean: Tensor, on_var: Tensor) -> Tensor:
        """Return (on_mean + 2 on_var (x - mean)) / count."""
        values, mean = ctx.saved_tensors
        count = values.numel() // values.shape[1]
        shape = (1, -1, *[1] * (values.ndim - 2))
        found: Tensor = _wide(values) - mean.view(shape)
        found.mul_((2 / count * on_var).view(shape)).add_((on_mean / count).view(shape))
        return found.to(values.dtype)


@dataclass(frozen=True)
class JoinedNorm:
    """A batch normalisation by given statistics.

    Attributes:
        mean, var: `[channels]`, without a graph.
        scale, shift: `[channels]`, with the graph of weight, bias and statistics.
        eps: added to the variance.
    """

    mean: Tensor
    var: Tensor
    scale: Tensor
    shift: Tensor
    eps: float

    def __call__(self, values: Tensor) -> Tensor:
        """Return a part normalised."""
        return functional.batch_norm(
            values, self.mean, self.var, self.scale, self.shift, False, 0.0, self.eps
        )


def join(arrivals: Sequence[Arrival]) -> JoinedNorm:
    """Return the normalisation by the statistics of all parts; running statistics move once.

    Raises:
        JobFailed: the parts are at different layers.
        ValueError: all parts have one number a channel, together.
    """
    call = arrivals[0].call
    if any(each.call.layer != call.layer for each in arrivals):
        raise JobFailed(
            "the parts of a batch do not come to their batch normalisations in the same order "
            f'(one has {call.values.shape[1]} channels); take batch_norm = "full" out of the recipe'
        )
    counts = [each.count for each in arrivals]
    total = sum(counts)
    if total <= 1:
        raise ValueError("batch normalisation needs more than one number a channel, got 1 in all")
    means = torch.stack([each.mean for each in arrivals])
    shares = _shares(counts, means)
    mean = (shares * means).sum(0)
    var = (shares * (torch.stack([each.var for each in arrivals]) + (means - mean).square())).sum(0)
    inverse = torch.rsqrt(var + call.eps)
    known, scale = mean.detach(), inverse / inverse.detach()
    shift = (known - mean) * inverse.detach()
    if call.weight is not None:
        scale, shift = scale * call.weight, shift * call.weight
    if call.bias is not None:
        shift = shift + call.bias
    _move_running(call, known, var.detach() * (total / (total - 1)))
    return JoinedNorm(known, var.detach(), scale, shift, call.eps)


def _shares(counts: Sequence[int], like: Tensor) -> Tensor | float:
    """Return each part's share of all numbers, `[parts, 1]`, or one number if all are equal."""
    if len(set(counts)) == 1:
        return 1 / len(counts)
    # Not copied from the processor, for which a GPU would be waited for.
    return torch.cat([like.new_full((1, 1), count / sum(counts)) for count in counts])


def _move_running(call: NormCall, mean: Tensor, var: Tensor) -> None:
    with torch.no_grad():
        for running, now in ((call.mean, mean), (call.var, var)):
            if running is not None:
                running.lerp_(now.to(running.dtype), call.momentum)


def _wide(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def _all_but_channels(values: Tensor) -> list[int]:
    return [dim for dim in range(values.ndim) if dim != 1]
