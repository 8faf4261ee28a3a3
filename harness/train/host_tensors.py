"""Tensors that autograd saves for the backward pass, kept in main memory meanwhile."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

LEAST = 2**12
"""Numbers of the smallest tensor that is moved: a copy of a smaller one takes longer than it is
worth.
"""

Bring = Callable[[], Tensor]
"""Brings a tensor back to its device."""


@dataclass(frozen=True, eq=False, weakref_slot=True, slots=True)
class _Moved:
    bring: Bring
    storage: Callable[[], object | None]


class HostTensors:
    """Moves what is saved within `hooks` to main memory, and back when it is asked for.

    A tensor that several operations save is moved once. Weights and what else stays on the device
    anyway are not moved.

    Args:
        stays: tensors that are on the device until the backward pass ends.

    Attributes:
        bytes: moved so far.
    """

    def __init__(self, stays: Iterable[Tensor]) -> None:
        self._stays = {
            id(storage): storage for storage in (each.untyped_storage() for each in stays)
        }
        self._moved: weakref.WeakValueDictionary[Any, _Moved] = weakref.WeakValueDictionary()
        self.bytes = 0

    def hooks(self) -> saved_tensors_hooks:
        """Return the context in which what autograd saves is moved."""
        return saved_tensors_hooks(self._pack, self._unpack)

    def move(self, tensor: Tensor) -> Bring:
        """Copy a tensor to main memory; the stream's order keeps either copy from what follows."""
        device = tensor.device
        host = torch.empty_like(tensor, device="cpu", pin_memory=True)
        host.copy_(tensor, non_blocking=True)
        return lambda: host.to(device, non_blocking=True)

    def _pack(self, tensor: Tensor) -> Tensor | _Moved:
        storage = tensor.untyped_storage()
        small = tensor.numel() < LEAST or storage.nbytes() < tensor.nbytes  # repeated, not held
        if small or id(storage) in self._stays:
            return tensor
        # What is changed in place has another version.
        view = (tensor.storage_offset(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        key = (id(storage), tensor._version, *view)
        known = self._moved.get(key)
        if known is None or known.storage() is not storage:
            self.bytes += tensor.nbytes
            known = _Moved(self.move(tensor), weakref.ref(storage))
            self._moved[key] = known
        return known

    @staticmethod
    def _unpack(kept: Tensor | _Moved) -> Tensor:
        return kept.bring() if isinstance(kept, _Moved) else kept
