"""Bytes of tensors while code runs, and systems whose network runs on tensors without numbers.

`StorageTrace` sees fake tensors (`torch._subclasses`) and real ones alike, so that a prediction and
a check of it count the same way. What a kernel takes for itself inside an operation (the workspace
of a convolution) is seen by neither.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from harness.adapter import ModelAdapter
from harness.budget.step_memory import Event
from harness.errors import HarnessError
from harness.train.system import System


class NotPredictable(HarnessError):
    """A network's computation depends on the numbers that it is given."""


class StorageTrace(TorchDispatchMode):  # type: ignore[no-untyped-call,unused-ignore]
    """Counts the storages that operations make within it.

    Attributes:
        live: bytes held now.
        peak: most bytes held at once.
        events: storages in the order in which they came and went.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.live = self.peak = 0
        self.events: list[Event] = []
        # By identity: a storage has one Python object for as long as it lives.
        self._known: dict[int, int] = {}
        self._sizes: dict[int, int] = {}

    def watch(self, tensors: Iterable[Tensor]) -> int:
        """Count tensors that were made before, and return their bytes."""
        before = self.live
        for tensor in tensors:
            self._see(tensor)
        return self.live - before

    def numbers(self, tensors: Iterable[Tensor]) -> list[int]:
        """Return the numbers of tensors that are counted."""
        return [self._known[id(tensor.untyped_storage())] for tensor in tensors]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and count its results."""
        results = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(results):
            if isinstance(leaf, Tensor):
                self._see(leaf)
        return results

    def _see(self, tensor: Tensor) -> None:
        if tensor.layout is not torch.strided:
            return
        storage = tensor.untyped_storage()
        name = id(storage)
        if name in self._known:
            return
        number = len(self.events)
        self._known[name] = number
        self.count(number, storage.nbytes())
        weakref.finalize(storage, self._forget, name, number).atexit = False

    def _forget(self, name: int, number: int) -> None:
        self._known.pop(name, None)
        self.count(number, None)

    def count(self, number: int, size: int | None) -> None:
        """Count the coming of a storage, or its going if no size is given."""
        self.events.append((number, size))
        if size is None:
            self.live -= self._sizes.pop(number)
        else:
            self._sizes[number] = size
            self.live += size
            self.peak = max(self.peak, self.live)


def fake_backbone(system: System) -> FakeTensorMode:
    """Take the numbers out of a system's network; its inputs must have none from then on.

    The head keeps its numbers, so that a loss may look at them.
    """
    # Masks and positions that a network makes anew in each pass have numbers, and are small.
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    made: dict[int, Tensor] = {}

    def fake(tensor: Tensor) -> Tensor:
        if id(tensor) not in made:
            plain = mode.from_tensor(tensor.detach())
            trained = isinstance(tensor, nn.Parameter)
            made[id(tensor)] = nn.Parameter(plain, tensor.requires_grad) if trained else plain
        return made[id(tensor)]

    for part in system.trunk.modules():
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                if tensor is not None:
                    table[name] = fake(tensor)  # type: ignore[assignment]
    system.trunk = _FakeTrunk(system.trunk, mode)
    return mode


@contextmanager
def refuse_numbers(model: ModelAdapter) -> Iterator[None]:
    """Turn torch's errors about missing numbers into `NotPredictable`."""
    try:
        yield
    except (
        DataDependentOutputException,
        DynamicOutputShapeException,
        UnsupportedFakeTensorException,
        UnsupportedOperatorException,
    ) as error:
        raise NotPredictable(
            f"{type(model).__name__}: what it computes rests on the numbers in its input "
            f"({str(error).partition(chr(10))[0][:120]}), so its memory cannot be told beforehand"
        ) from error


class _FakeTrunk(nn.Module):
    """A network without numbers, whose embeddings have some."""

    def __init__(self, trunk: nn.Module, mode: FakeTensorMode) -> None:
        super().__init__()
        self.trunk, self.mode = trunk, mode

    def forward(self, inputs: Tensor) -> Tensor:
        """Return embeddings `[batch, size]`."""
        embeddings: Tensor = _Seam.apply(self.trunk(inputs), self.mode)
        return embeddings


class _Seam(torch.autograd.Function):
    """Gives real numbers to embeddings that have none, and a gradient without numbers back."""

    @staticmethod
    def forward(ctx: Any, embeddings: Tensor, mode: FakeTensorMode) -> Tensor:
        ctx.mode = mode
        return torch.randn(embeddings.shape, dtype=embeddings.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.mode.from_tensor(gradients[0]), None
