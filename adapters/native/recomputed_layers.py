"""Convolutions and batch normalisations that a stretch runs a second time at little cost.

Outside of a stretch, and in evaluation, they are those of PyTorch; so are their weights' names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from adapters.native.recomputation import TAPE

Layer = Callable[[Tensor], Tensor]
Normalisation = nn.BatchNorm1d | nn.BatchNorm2d


class Conv1d(nn.Conv1d):
    """A convolution over time whose output a stretch may keep."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name that it overrides)
        """See `torch.nn.Conv1d`."""
        return _convolve(self, input, super().forward)


class Conv2d(nn.Conv2d):
    """A convolution over frequency and time whose output a stretch may keep."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name that it overrides)
        """See `torch.nn.Conv2d`."""
        return _convolve(self, input, super().forward)


class BatchNorm1d(nn.BatchNorm1d):
    """A batch normalisation over time whose statistics a stretch keeps."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name that it overrides)
        """See `torch.nn.BatchNorm1d`."""
        return _normalise(self, input, super().forward)


class BatchNorm2d(nn.BatchNorm2d):
    """A batch normalisation over frequency and time whose statistics a stretch keeps."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name that it overrides)
        """See `torch.nn.BatchNorm2d`."""
        return _normalise(self, input, super().forward)


def convolve_parts(layer: Conv2d, parts: Sequence[Tensor]) -> Tensor:
    """Convolve channels that come in parts: `layer(torch.cat(parts, dim=1))`.

    In a stretch that keeps convolutions the parts are convolved one by one, so that they are never
    copied into one, nor their gradients out of one.
    """
    tape = TAPE.get()
    if tape is None or not tape.convolutions:
        joined: Tensor = layer(torch.cat(tuple(parts), dim=1))
        return joined
    if tape.given is not None:
        return _replay_convolution(layer, parts, next(tape.given))
    weights = torch.split(layer.weight, [part.shape[1] for part in parts], dim=1)
    output: Tensor = layer._conv_forward(parts[0], weights[0], layer.bias)
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        output += layer._conv_forward(part, weight, None)
    tape.recorded.append(output)
    return output


def _convolve(layer: nn.Conv1d | nn.Conv2d, image: Tensor, plain: Layer) -> Tensor:
    tape = TAPE.get()
    if tape is None or not tape.convolutions:
        return plain(image)
    if tape.given is not None:
        return _replay_convolution(layer, (image,), next(tape.given))
    output = plain(image)
    tape.recorded.append(output)
    return output


def _replay_convolution(
    layer: nn.Conv1d | nn.Conv2d, parts: Sequence[Tensor], known: Tensor
) -> Tensor:
    form = (layer.stride, layer.padding, layer.dilation, layer.groups)
    # Under autocast the first run was of another type than the weight: the output tells which.
    weights = (
        each if each is None else each.to(known.dtype) for each in (layer.weight, layer.bias)
    )
    images = (part.to(known.dtype) for part in parts)
    output: Tensor = _KnownConvolution.apply(known, form, *weights, *images)
    return output


class _KnownConvolution(torch.autograd.Function):
    """A convolution whose output is known: only its gradients are computed."""

    @staticmethod
    def forward(
        ctx: Any, known: Tensor, form: Any, weight: Tensor, bias: Tensor | None, *parts: Tensor
    ) -> Tensor:
        ctx.save_for_backward(weight, *parts)
        ctx.form, ctx.bias_sizes = form, None if bias is None else list(bias.shape)
        return known.detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, *parts = ctx.saved_tensors
        _, _, for_weight, for_bias, *for_parts = ctx.needs_input_grad
        widths = [part.shape[1] for part in parts]
        # Groups have narrower weights than images; they come in one part.
        weights = torch.split(weight, widths, dim=1) if len(parts) > 1 else (weight,)
        found: list[tuple[Tensor | None, ...]] = []
        for part, part_weight, for_part in zip(parts, weights, for_parts, strict=True):
            needed = (for_part, for_weight, for_bias and not found)
            # Neither transposed nor padded at the output.
            form = (*ctx.form[:3], False, [0] * len(ctx.form[0]), ctx.form[3])
            found.append(
                torch.ops.aten.convolution_backward(
                    gradient, part, part_weight, ctx.bias_sizes, *form, needed
                )
            )
        of_parts, of_weights, of_bias = zip(*found, strict=True)
        of_weight = torch.cat(of_weights, dim=1) if for_weight else None
        return None, None, of_weight, of_bias[0], *of_parts


def add_and_clip(layer: Normalisation, hidden: Tensor, other: Tensor, *, ceiling: float) -> Tensor:
    """Normalise `hidden`, add `other`, and clip the sum to 0..ceiling.

    A stretch that ends in this keeps the sum: the stretch after it keeps its input anyway.
    """
    tape = TAPE.get()
    if tape is not None and tape.given is not None and layer.training:
        known = (next(tape.given), next(tape.given), next(tape.given))
        replayed: Tensor = _KnownSum.apply(
            hidden, layer.weight, layer.bias, other, known, layer.eps, ceiling
        )
        return replayed
    output = layer(hidden)
    # Safe in place: batch normalisation's gradient needs its input, not its output.
    output += other
    output = functional.hardtanh(output, 0.0, ceiling, inplace=True)
    if tape is not None and layer.training:
        tape.recorded.append(output)
    return output


class _KnownSum(torch.autograd.Function):
    """A clipped sum that is known: only its gradients are computed."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        _bias: Tensor,
        _other: Tensor,
        known: tuple[Tensor, Tensor, Tensor],
        *bounds: float,
    ) -> Tensor:
        ctx.save_for_backward(hidden, weight, *known)
        ctx.eps, ctx.ceiling = bounds
        return known[-1].detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, mean, inverse, known = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        gradient = torch.ops.aten.hardtanh_backward(gradient, known, 0.0, ctx.ceiling)
        found = torch.ops.aten.native_batch_norm_backward(
            gradient, hidden, weight, None, None, mean, inverse, True, ctx.eps, needed
        )
        return *found, gradient, None, None, None


def _normalise(layer: Normalisation, hidden: Tensor, plain: Layer) -> Tensor:
    tape = TAPE.get()
    # One value a channel has no variance: PyTorch's own layer refuses it with its reason.
    if tape is None or not layer.training or hidden.numel() == hidden.shape[1]:
        return plain(hidden)
    if tape.given is None:
        output, *statistics = _with_statistics(layer, hidden)
        tape.recorded += statistics
        return output
    known = (next(tape.given), next(tape.given))
    replayed: Tensor = _KnownNormalisation.apply(hidden, layer.weight, layer.bias, known, layer.eps)
    return replayed


def _with_statistics(layer: Normalisation, hidden: Tensor) -> tuple[Tensor, ...]:
    """Return the output, the mean and one over the deviation; running statistics move.

    Raises:
        ValueError: the layer has no momentum.
    """
    if layer.momentum is None:
        raise ValueError("batch normalisation in a stretch: give it a momentum, got None")
    if layer.num_batches_tracked is not None:
        layer.num_batches_tracked.add_(1)
    return torch.native_batch_norm(
        hidden,
        layer.weight,
        layer.bias,
        layer.running_mean,
        layer.running_var,
        True,
        layer.momentum,
        layer.eps,
    )


class _KnownNormalisation(torch.autograd.Function):
    """A batch normalisation whose mean and deviation are known: one pass, not two."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        known: tuple[Tensor, Tensor],
        eps: float,
    ) -> Tensor:
        mean, inverse = known
        ctx.save_for_backward(hidden, weight, mean, inverse)
        ctx.eps = eps
        variance = inverse.pow(-2) - eps
        output, *_ = torch.native_batch_norm(hidden, weight, bias, mean, variance, False, 0.0, eps)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, mean, inverse = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        found = torch.ops.aten.native_batch_norm_backward(
            gradient, hidden, weight, None, None, mean, inverse, True, ctx.eps, needed
        )
        return *found, None, None
