"""Replay of torch's CUDA caching allocator, without torch or a device.

A memory budget must hold what the allocator takes from the device, not what tensors use: segments
with holes count in full. How large the holes are depends on the order of allocations and frees,
so the rules are followed one by one. They are those of c10/cuda/CUDACachingAllocator.cpp, torch
2.11 to 2.14, with the settings as they are by default (`PYTORCH_ALLOC_CONF` not set: no expandable
segments, no rounding to divisions, no limit on splitting, no garbage collection) and one stream.
The constants stand in c10/core/AllocatorConfig.h, in older versions in the file above. All sizes
are bytes.

Two things are outside. Addresses that the driver hands out are not known: here each new segment
lies above all earlier ones, which decides only between free blocks of one size. And the bytes of
the CUDA context and of libraries that ask the driver themselves are never the allocator's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

MIN_BLOCK = 512
"""kMinBlockSize: every size is rounded up to a multiple of it."""

SMALL_SIZE = 2**20
"""kSmallSize: the largest request of the small pool."""

SMALL_SEGMENT = 2 * 2**20
"""kSmallBuffer: a segment of the small pool."""

LARGE_SEGMENT = 20 * 2**20
"""large_segment_size by default, once kLargeBuffer: a segment that large requests share."""

MIN_OWN_SEGMENT = 10 * 2**20
"""kMinLargeAlloc: from this size on a request takes a segment made to its measure."""

SEGMENT_ROUNDING = 2 * 2**20
"""kRoundLarge: the size of such a segment is a multiple of it."""

SMALL_REMAINDER = MIN_BLOCK
"""`should_split`: the least rest that is cut off a block of the small pool."""

LARGE_REMAINDER = SMALL_SIZE + MIN_BLOCK
"""`should_split`: the same of the large pool, whose rest must be larger than kSmallSize."""

_MEBIBYTE = 2**20
_NULL = 0  # The handle of no bytes, as torch gives a null pointer.


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
        self.asked, self.limit, self.reserved = asked, limit, reserved


@dataclass(slots=True, eq=False)
class MemoryBlock:
    """A stretch of one segment, linked to its neighbours there.

    Attributes:
        address: its first byte; segments lie one after another in the order they were made.
        size: bytes.
        pool: the pool that keeps it while it is free.
        taken: True if it is handed out, not free.
        before: the neighbour at lower addresses, None at the segment's start.
        after: the neighbour at higher addresses, None at the segment's end.
    """

    address: int
    size: int
    pool: Pool = field(repr=False)
    taken: bool = False
    before: MemoryBlock | None = field(default=None, repr=False)
    after: MemoryBlock | None = field(default=None, repr=False)

    def split(self, size: int) -> MemoryBlock:
        """Keep the first `size` bytes, and return the rest as a new block."""
        rest = MemoryBlock(
            self.address + size, self.size - size, self.pool, before=self, after=self.after
        )
        if rest.after is not None:
            rest.after.before = rest
        self.size, self.after = size, rest
        return rest

    def absorb_next(self, after: MemoryBlock) -> None:
        """Join with the next block, which is used no more."""
        self.size += after.size
        self.after = after.after
        if self.after is not None:
            self.after.before = self


class Pool:
    """The free blocks of one kind of segment, in order of size and then of address."""

    def __init__(self, least_remainder: int) -> None:
        """Start empty; a smaller rest than `least_remainder` stays with the block in use."""
        self.least_remainder = least_remainder
        # Two lists in step: an order by plain tuples is compared without a call of Python.
        self._order: list[tuple[int, int]] = []
        self._blocks: list[MemoryBlock] = []

    def take(self, size: int) -> MemoryBlock | None:
        """Remove the smallest block that holds `size` bytes; the lowest address of equal ones."""
        place = bisect_left(self._order, (size, 0))
        if place == len(self._order):
            return None
        del self._order[place]
        return self._blocks.pop(place)

    def put(self, block: MemoryBlock) -> None:
        """Keep a free block that has no free neighbour."""
        key = (block.size, block.address)
        place = bisect_left(self._order, key)
        self._order.insert(place, key)
        self._blocks.insert(place, block)

    def give_back(self, block: MemoryBlock) -> None:
        """Free a block of this pool and join it with its free neighbours (`free_block`)."""
        block.taken = False
        before, after = block.before, block.after
        if after is not None and not after.taken:
            self._remove(after)
            block.absorb_next(after)
        if before is not None and not before.taken:
            self._remove(before)
            before.absorb_next(block)
            block = before
        self.put(block)

    def release_whole(self) -> Iterator[MemoryBlock]:
        """Remove and yield the blocks that are whole segments (`release_blocks`)."""
        for block in [each for each in self._blocks if each.before is None and each.after is None]:
            self._remove(block)
            yield block

    def _remove(self, block: MemoryBlock) -> None:
        place = bisect_left(self._order, (block.size, block.address))
        del self._order[place]
        del self._blocks[place]


class CachingAllocator:
    """Takes allocations and frees in the order of a program, and counts as torch does.

    >>> allocator = CachingAllocator()
    >>> handle = allocator.allocate(3 * 2**20)
    >>> allocator.free(handle)
    >>> allocator.allocated, allocator.peak_allocated, allocator.reserved
    (0, 3145728, 20971520)

    Attributes:
        allocated: bytes of the blocks in use (`torch.cuda.memory_allocated`). A rest too small to
            be cut off counts with its block.
        reserved: bytes of all segments (`torch.cuda.memory_reserved`).
        peak_allocated, peak_reserved: the highest of both since the last reset.
    """

    def __init__(self, limit: int | None = None) -> None:
        """Start with nothing reserved.

        Args:
            limit: bytes that may be reserved, as `torch.cuda.set_per_process_memory_fraction`
                sets them; None for no limit.
        """
        self._limit = limit
        self._small, self._large = Pool(SMALL_REMAINDER), Pool(LARGE_REMAINDER)
        self._segments: dict[int, MemoryBlock] = {}  # The first block of each, by its address.
        self._taken: dict[int, MemoryBlock] = {}
        self._last_handle = _NULL
        self._next_address = 2**21
        self.allocated = self.peak_allocated = self.reserved = self.peak_reserved = 0

    def allocate(self, size: int) -> int:
        """Take a block and return its handle; no bytes take nothing.

        Args:
            size: bytes.

        Raises:
            DoesNotFit: the limit forbids it. Unused segments are released then, as in torch.
            ValueError: the size is negative.
        """
        if size < 0:
            raise ValueError(f"a size must be 0 bytes or more, not {size}")
        if size == 0:
            return _NULL
        rounded = -(-size // MIN_BLOCK) * MIN_BLOCK
        pool = self._small if rounded <= SMALL_SIZE else self._large
        block = pool.take(rounded) or self._new_segment(pool, rounded, size)
        if block.size - rounded >= pool.least_remainder:
            pool.put(block.split(rounded))
        block.taken = True
        self.allocated += block.size
        self.peak_allocated = max(self.peak_allocated, self.allocated)
        self._last_handle += 1
        self._taken[self._last_handle] = block
        return self._last_handle

    def free(self, handle: int) -> None:
        """Give a block back to its pool; the bytes stay reserved.

        Raises:
            KeyError: nothing is allocated under this handle.
        """
        if handle != _NULL:
            block = self._taken.pop(handle)
            self.allocated -= block.size
            block.pool.give_back(block)

    def empty_cache(self) -> None:
        """Release every segment that is free as a whole (`release_cached_blocks`)."""
        for pool in (self._small, self._large):
            for block in pool.release_whole():
                del self._segments[block.address]
                self.reserved -= block.size

    def reset_peak(self) -> None:
        """Count both peaks anew, from the present bytes."""
        self.peak_allocated, self.peak_reserved = self.allocated, self.reserved

    def _new_segment(self, pool: Pool, rounded: int, asked: int) -> MemoryBlock:
        """Take a segment from the device; release the unused ones if the limit asks for it."""
        size = _segment_size(rounded)
        if self._limit is not None and self.reserved + size > self._limit:
            self.empty_cache()
            if self.reserved + size > self._limit:
                raise DoesNotFit(asked, self._limit, self.reserved)
        block = MemoryBlock(self._next_address, size, pool)
        self._next_address += size
        self._segments[block.address] = block
        self.reserved += size
        self.peak_reserved = max(self.peak_reserved, self.reserved)
        return block


def _segment_size(size: int) -> int:
    """Return the bytes taken from the device for a rounded size (`get_allocation_size`)."""
    if size <= SMALL_SIZE:
        return SMALL_SEGMENT
    if size < MIN_OWN_SEGMENT:
        return LARGE_SEGMENT
    return -(-size // SEGMENT_ROUNDING) * SEGMENT_ROUNDING
