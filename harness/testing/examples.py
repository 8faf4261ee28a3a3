"""Random network inputs of every declared kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.adapter import Fbank, Image, Input, Spectrogram, Vector

if TYPE_CHECKING:
    from torch import Tensor


def example_input(inputs: Input, *, batch: int, frames: int = 200, seed: int = 0) -> Tensor:
    """Standard normal values in the shape that a trunk with these inputs wants.

    Args:
        inputs: as the adapter declares them.
        batch: number of examples.
        frames: length of audio inputs; without meaning for the others.
        seed: of the values.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, *input_shape(inputs, frames=frames), generator=generator)


def input_shape(inputs: Input, *, frames: int) -> tuple[int, ...]:
    """Shape of one example, without the batch."""
    match inputs:
        case Fbank():
            return frames, inputs.bins
        case Spectrogram():
            return 1, inputs.bins, frames
        case Image():
            return inputs.channels, inputs.size, inputs.size
        case Vector():
            return (inputs.size,)
