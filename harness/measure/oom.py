"""Telling that memory ran out from every other failure."""

from __future__ import annotations

# What torch's CPU allocator says (c10/core/impl/alloc_cpu.cpp); it raises a plain RuntimeError.
_CPU_ALLOCATOR = "DefaultCPUAllocator: can't allocate memory"


def is_out_of_memory(error: BaseException) -> bool:
    """True where a device's or the processor's allocator had no memory left, only there.

    A wider net (any RuntimeError, "out of memory" anywhere in a text) would take a shape bug
    for a full device and shrink its batch to nothing.
    """
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and _CPU_ALLOCATOR in str(error)
