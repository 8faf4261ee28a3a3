"""Bytes of tensors while code runs: every storage that the dispatcher hands out, until it is freed.

It sees fake tensors (`torch._subclasses`) and real ones alike, so that a prediction and a check of
it count the same way. What a kernel takes for itself inside an operation (the workspace of a
convolution) is seen by neither.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class StorageTrace(TorchDispatchMode):  # type: ignore[no-untyped-call,unused-ignore]
    """Counts storages that operations make within it.

    Attributes:
        live: bytes held now.
        peak: most bytes held at once since `reset_peak`.
        events: storages in the order in which they came and went: (number, bytes), then
            (number, None).
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.live = self.peak = 0
        self.events: list[tuple[int, int | None]] = []
        # By identity: a storage has one Python object for as long as it lives.
        self._known: dict[int, int] = {}

    def watch(self, tensors: Iterable[Tensor]) -> int:
        """Count tensors that were made before; gives their bytes."""
        before = self.live
        for tensor in tensors:
            self._see(tensor)
        return self.live - before

    def numbers(self, tensors: Iterable[Tensor]) -> list[int]:
        """The numbers of tensors that are counted."""
        return [self._known[id(tensor.untyped_storage())] for tensor in tensors]

    def reset_peak(self) -> None:
        """Forget how much was held before."""
        self.peak = self.live

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and see what it gives."""
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
        size, number = storage.nbytes(), len(self.events)
        self._known[name] = number
        self.events.append((number, size))
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._gone, name, number, size).atexit = False

    def _gone(self, name: int, number: int, size: int) -> None:
        self._known.pop(name, None)
        self.events.append((number, None))
        self.live -= size
