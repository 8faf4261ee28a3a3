"""What a GPU would move to main memory, in a step that is predicted: bytes that go and come."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from harness.train.host_tensors import Bring, HostTensors


class TracedHostTensors(HostTensors):
    """Lets go of what is moved, and brings back a tensor of its form without its numbers."""

    def __init__(self, stays: list[Tensor]) -> None:
        super().__init__(stays)
        self._like = stays[0]

    def move(self, tensor: Tensor) -> Bring:
        """Return what makes a tensor of the same form, as `HostTensors.move` would lay it out."""
        reach = 1 + sum(
            (n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True)
        )
        if reach == tensor.numel():
            form = (tensor.shape, tensor.stride())
            return partial(self._like.new_empty_strided, *form, dtype=tensor.dtype)
        return partial(self._like.new_empty, tensor.shape, dtype=tensor.dtype)
