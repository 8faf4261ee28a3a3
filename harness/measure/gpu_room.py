"""The room on a GPU: what is free, what this process may take of it, and what is left of that."""

from __future__ import annotations

import gc
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class GpuRoom:
    """Bytes of a GPU that a job finds when it begins.

    Attributes:
        free: what no process holds; the context of this one is there already.
        limit: what its allocator may take.
    """

    free: int
    limit: int

    @property
    def usable(self) -> int:
        """Bytes that its tensors can have."""
        return min(self.free, self.limit)

    @property
    def note(self) -> str:
        """A note for the row of a job that finds less than its limit; empty for any other."""
        if self.free >= self.limit:
            return ""
        return (
            f"when the job began, {gib(self.free)} of the GPU were free, of the {gib(self.limit)} "
            "that the budget gives"
        )


def limit_allocator(limit: int | None) -> GpuRoom:
    """Hold this process's allocator to a limit, so that a large card behaves as the budget's does.

    Args:
        limit: bytes; None for all of the card.
    """
    import torch

    free, _ = torch.cuda.mem_get_info(0)
    card = card_bytes("cuda:0")
    usable = min(card, limit or card)
    # torch multiplies the share by the card's bytes and cuts what is behind the point: without the
    # half, it would at times be the byte below the limit.
    torch.cuda.set_per_process_memory_fraction(min(1.0, (usable + 0.5) / card))
    return GpuRoom(free, usable)


def card_bytes(device: str) -> int:
    """Return all that a GPU has; no context is made on it."""
    import torch

    return int(torch.cuda.get_device_properties(device).total_memory)


def memory_left() -> int | None:
    """Return the bytes that the allocator can still give out; None if no GPU is in use.

    They end at its limit, or where the card does.
    """
    import torch

    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call,unused-ignore]
        return None
    given, held = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
    free, _ = torch.cuda.mem_get_info()
    card = card_bytes("cuda:0")
    allowed = int(torch.cuda.get_per_process_memory_fraction() * card)
    return max(0, min(allowed, free + held) - given)


def release_memory() -> None:
    """Give back what nothing refers to any more, after a refusal; a processor's needs no more."""
    import torch

    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call,unused-ignore]
        torch.cuda.empty_cache()


def gib(size: int) -> str:
    """Write bytes in GiB.

    >>> gib(5 * 2**30 // 2)
    '2.5 GiB'
    """
    return f"{size / GIB:.3g} GiB"
