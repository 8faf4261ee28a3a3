"""Error of a broken promise, and the modules and inputs that checks are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.adapter import Fbank, Image, Input, Spectrogram, Vector, Vectors

if TYPE_CHECKING:
    from torch import Tensor, nn


class ConformanceError(AssertionError):
    """An adapter breaks a promise of the interface; the message names it."""


def require(holds: bool, adapter: Any, message: str) -> None:
    """Refuse an adapter.

    Raises:
        ConformanceError: `holds` is False.
    """
    if not holds:
        raise ConformanceError(f"{type(adapter).__name__}: {message}")


def build_from_seed(build: Any, *arguments: Any, seed: int = 0) -> nn.Module:
    """Build a module from a seed, and leave the global generator as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: nn.Module = build(*arguments)
    return module


def example_input(inputs: Input, *, batch: int, frames: int = 200, seed: int = 0) -> Tensor:
    """Draw standard normal values in the shape that a backbone with these inputs wants.

    Args:
        inputs: as the adapter declares them.
        batch: number of examples.
        frames: length of audio inputs; without meaning for the others.
        seed: of the values.
    """
    import torch

    match inputs:
        case Fbank():
            shape: tuple[int, ...] = frames, inputs.bins
        case Spectrogram():
            shape = 1, inputs.bins, frames
        case Image():
            shape = inputs.channels, inputs.size, inputs.size
        case Vector():
            shape = (inputs.size,)
        case Vectors():
            shape = inputs.frames, sum(inputs.sizes)
    return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(seed))
