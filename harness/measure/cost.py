"""Size of a network: its parameters and multiply-adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def parameters(module: nn.Module) -> int:
    """Return the number of parameters, trained or frozen; buffers are none."""
    return sum(parameter.numel() for parameter in module.parameters())


def multiply_adds(module: nn.Module, example: Tensor) -> int:
    """Return the multiply-adds of one forward pass in evaluation mode.

    They are half of the floating-point operations that `torch.utils.flop_counter` counts: those of
    convolutions, matrix products and attention. Normalisation, activations and pooling count
    nothing, as is the field's custom.

    Args:
        module: any network; the mode of each of its parts is as before afterwards.
        example: network input; a batch of one for the cost of one example.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        # Attention fused for a processor is not counted; its matrix products are.
        unfused = sdpa_kernel(SDPBackend.MATH)
        with torch.no_grad(), unfused, FlopCounterMode(display=False) as counter:
            module(example)
    finally:
        for part, training in modes:
            part.training = training
    return int(counter.get_total_flops()) // 2
