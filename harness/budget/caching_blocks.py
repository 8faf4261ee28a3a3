"""Blocks, pools and sizes of torch's CUDA caching allocator, without torch or a device.

All sizes are bytes. The constants are torch's (2.11 to 2.14, `PYTORCH_ALLOC_CONF` not set); they
stand in c10/core/AllocatorConfig.h, and in c10/cuda/CUDACachingAllocator.cpp of older versions.
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
"""`should_split`: the same of the large pool, where the rest must be larger than kSmallSize."""


def segment_size(size: int) -> int:
    """Bytes taken from the device for a request that no free block holds (`get_allocation_size`).

    Args:
        size: bytes, already a multiple of `MIN_BLOCK`.
    """
    if size <= SMALL_SIZE:
        return SMALL_SEGMENT
    if size < MIN_OWN_SEGMENT:
        return LARGE_SEGMENT
    return -(-size // SEGMENT_ROUNDING) * SEGMENT_ROUNDING


@dataclass(slots=True, eq=False)
class Block:
    """A stretch of one segment, linked to its neighbours there.

    Attributes:
        address: where it begins; segments lie one after another in the order they were made.
        size: bytes.
        pool: where it is kept while it is free.
        taken: handed out, not free.
        before: the neighbour at lower addresses, None at the segment's start.
        after: the neighbour at higher addresses, None at the segment's end.
    """

    address: int
    size: int
    pool: Pool = field(repr=False)
    taken: bool = False
    before: Block | None = field(default=None, repr=False)
    after: Block | None = field(default=None, repr=False)

    @property
    def whole(self) -> bool:
        """It is all of its segment."""
        return self.before is None and self.after is None

    def split(self, size: int) -> Block:
        """Keep the first `size` bytes; the rest is returned as a new block."""
        rest = Block(
            self.address + size, self.size - size, self.pool, before=self, after=self.after
        )
        if rest.after is not None:
            rest.after.before = rest
        self.size = size
        self.after = rest
        return rest

    def absorb_next(self, after: Block) -> None:
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
        self._blocks: list[Block] = []

    def take(self, size: int) -> Block | None:
        """Remove the smallest block that holds `size` bytes; the lowest address of equal ones."""
        place = bisect_left(self._order, (size, 0))
        if place == len(self._order):
            return None
        del self._order[place]
        return self._blocks.pop(place)

    def put(self, block: Block) -> None:
        """Keep a free block that has no free neighbour."""
        key = (block.size, block.address)
        place = bisect_left(self._order, key)
        self._order.insert(place, key)
        self._blocks.insert(place, block)

    def give_back(self, block: Block) -> None:
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

    def release_whole(self) -> Iterator[Block]:
        """Remove the blocks that are whole segments, and tell which (`release_blocks`)."""
        for block in [block for block in self._blocks if block.whole]:
            self._remove(block)
            yield block

    def _remove(self, block: Block) -> None:
        place = bisect_left(self._order, (block.size, block.address))
        del self._order[place]
        del self._blocks[place]
