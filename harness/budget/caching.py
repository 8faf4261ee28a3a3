"""What torch's CUDA caching allocator would reserve on a GPU, simulated without torch or a device.

A memory budget must hold what the allocator takes from the device, not what tensors use: segments
with holes count in full. How large the holes are depends on the order of allocations and frees,
so the rules are followed one by one. They are those of c10/cuda/CUDACachingAllocator.cpp, torch
2.11 to 2.14, with the settings as they are by default (no expandable segments, no rounding to
divisions, no limit on splitting, no garbage collection) and one stream.

Two things are outside. Addresses that the driver hands out are not known: here each new segment
lies above all earlier ones, which decides only between free blocks of one size. And the bytes of
the CUDA context and of libraries that ask the driver themselves are never the allocator's.
"""

from __future__ import annotations

from harness.budget.caching_blocks import (
    LARGE_REMAINDER,
    MIN_BLOCK,
    SMALL_REMAINDER,
    SMALL_SIZE,
    Block,
    Pool,
    segment_size,
)

_MEBIBYTE = 2**20
_NOTHING = 0  # The handle of no bytes, as torch gives a null pointer.
_FIRST_ADDRESS = 2**21


class DoesNotFit(Exception):
    """A request would exceed the limit even with every unused segment released.

    Attributes:
        asked: bytes of the request, before rounding.
        limit: bytes that may be reserved.
        reserved: bytes reserved when it failed; what is left is in use or shares its segment.
    """

    def __init__(self, asked: int, limit: int, reserved: int) -> None:
        super().__init__(
            f"{asked / _MEBIBYTE:.1f} MiB asked, {reserved / _MEBIBYTE:.1f} MiB reserved, "
            f"{limit / _MEBIBYTE:.1f} MiB allowed"
        )
        self.asked = asked
        self.limit = limit
        self.reserved = reserved


class CachingAllocator:
    """Takes allocations and frees in the order of a program, and counts as torch does.

    >>> allocator = CachingAllocator()
    >>> handle = allocator.allocate(3 * 2**20)
    >>> allocator.free(handle)
    >>> allocator.allocated, allocator.peak_allocated, allocator.reserved
    (0, 3145728, 20971520)
    """

    def __init__(self, limit: int | None = None) -> None:
        """Start with nothing reserved.

        Args:
            limit: bytes that may be reserved, as `torch.cuda.set_per_process_memory_fraction`
                sets them; None for no limit.
        """
        self._limit = limit
        self._small = Pool(SMALL_REMAINDER)
        self._large = Pool(LARGE_REMAINDER)
        self._segments: dict[int, Block] = {}  # The first block of each, by its address.
        self._taken: dict[int, Block] = {}
        self._last_handle = _NOTHING
        self._next_address = _FIRST_ADDRESS
        self._allocated = self._peak_allocated = 0
        self._reserved = self._peak_reserved = 0

    def allocate(self, size: int) -> int:
        """Take a block and return its handle; no bytes take nothing.

        Args:
            size: bytes.

        Raises:
            DoesNotFit: the limit forbids it. Unused segments are released then, as in torch.
            ValueError: the size is negative.
        """
        if size <= 0:
            return _handle_of_nothing(size)
        rounded = -(-size // MIN_BLOCK) * MIN_BLOCK
        pool = self._small if rounded <= SMALL_SIZE else self._large
        block = pool.take(rounded) or self._new_segment(pool, rounded, size)
        if block.size - rounded >= pool.least_remainder:
            pool.put(block.split(rounded))
        block.taken = True
        self._allocated += block.size
        self._peak_allocated = max(self._peak_allocated, self._allocated)
        self._last_handle += 1
        self._taken[self._last_handle] = block
        return self._last_handle

    def free(self, handle: int) -> None:
        """Give a block back to its pool; the bytes stay reserved.

        Raises:
            KeyError: nothing is allocated under this handle.
        """
        if handle == _NOTHING:
            return
        block = self._taken.pop(handle)
        self._allocated -= block.size
        block.pool.give_back(block)

    def empty_cache(self) -> None:
        """Release every segment that is free as a whole (`release_cached_blocks`)."""
        for pool in (self._small, self._large):
            for block in pool.release_whole():
                del self._segments[block.address]
                self._reserved -= block.size

    def reset_peak(self) -> None:
        """Count both peaks anew, from what is there now."""
        self._peak_allocated = self._allocated
        self._peak_reserved = self._reserved

    @property
    def allocated(self) -> int:
        """Bytes of the blocks in use (`torch.cuda.memory_allocated`).

        A rest too small to be cut off counts with its block.
        """
        return self._allocated

    @property
    def reserved(self) -> int:
        """Bytes of all segments (`torch.cuda.memory_reserved`)."""
        return self._reserved

    @property
    def peak_allocated(self) -> int:
        """The highest `allocated` since the last reset."""
        return self._peak_allocated

    @property
    def peak_reserved(self) -> int:
        """The highest `reserved` since the last reset."""
        return self._peak_reserved

    def segments(self) -> list[list[Block]]:
        """The blocks of each segment in order of address, to be looked at only."""
        return [_chain(first) for first in self._segments.values()]

    def _new_segment(self, pool: Pool, rounded: int, asked: int) -> Block:
        """Take a segment from the device, after a release of the unused ones where it must be."""
        size = segment_size(rounded)
        if self._limit is not None and self._reserved + size > self._limit:
            self.empty_cache()
            if self._reserved + size > self._limit:
                raise DoesNotFit(asked, self._limit, self._reserved)
        block = Block(self._next_address, size, pool)
        self._next_address += size
        self._segments[block.address] = block
        self._reserved += size
        self._peak_reserved = max(self._peak_reserved, self._reserved)
        return block


def _handle_of_nothing(size: int) -> int:
    if size < 0:
        raise ValueError(f"a size must be 0 bytes or more, not {size}")
    return _NOTHING


def _chain(first: Block) -> list[Block]:
    blocks = [first]
    while (after := blocks[-1].after) is not None:
        blocks.append(after)
    return blocks
