"""The size of a network: its parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def parameters(module: nn.Module) -> int:
    """Number of parameters, trained or frozen; buffers are none."""
    return sum(parameter.numel() for parameter in module.parameters())


def multiply_adds(module: nn.Module, example: Tensor) -> int:
    """Multiply-adds of one forward pass in evaluation mode.

    Half of the floating-point operations that `torch.utils.flop_counter` counts: those of
    convolutions, matrix products and attention. Normalisation, activations and pooling count
    nothing, as is the field's custom.

    Args:
        module: any network; its mode is as before afterwards.
        example: network input; a batch of one for the cost of one example.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), evaluating(module), FlopCounterMode(display=False) as counter:
        module(example)
    return int(counter.get_total_flops()) // 2


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode, and every part back into its own mode afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
