"""The simulated caching allocator, against hand-made cases, laws, a second one, and a GPU."""

from __future__ import annotations

import os
import random
import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.budget import cuda_allocator
from harness.budget.cuda_allocator import CachingAllocator, DoesNotFit

KIB, MIB = 2**10, 2**20

Event = tuple[str, int]


def taken(*sizes: int, limit: int | None = None) -> tuple[CachingAllocator, list[int]]:
    allocator = CachingAllocator(limit)
    return allocator, [allocator.allocate(size) for size in sizes]


def segments(allocator: CachingAllocator) -> list[list[cuda_allocator.MemoryBlock]]:
    """The blocks of each segment in order of address."""
    return [chain(first) for first in allocator._segments.values()]


def chain(first: cuda_allocator.MemoryBlock) -> list[cuda_allocator.MemoryBlock]:
    blocks = [first]
    while (after := blocks[-1].after) is not None:
        blocks.append(after)
    return blocks


def layout(allocator: CachingAllocator) -> list[list[tuple[int, bool]]]:
    return [[(b.size, b.taken) for b in blocks] for blocks in segments(allocator)]


# The rules, one by one


@pytest.mark.parametrize(
    ("asked", "rounded"), [(1, 512), (511, 512), (512, 512), (513, 1024), (100_000, 100_352)]
)
def test_a_size_is_rounded_up_to_512_bytes(asked: int, rounded: int) -> None:
    allocator, _ = taken(asked)
    assert allocator.allocated == rounded
    assert layout(allocator) == [[(rounded, True), (2 * MIB - rounded, False)]]


@pytest.mark.parametrize(
    ("asked", "segment"),
    [
        (1, 2 * MIB),
        (MIB, 2 * MIB),
        (MIB + 1, 20 * MIB),
        (10 * MIB - 512, 20 * MIB),
        (10 * MIB - 511, 10 * MIB),  # rounding comes first
        (10 * MIB, 10 * MIB),
        (10 * MIB + 1, 12 * MIB),
        (12 * MIB, 12 * MIB),
        (1001 * MIB, 1002 * MIB),
    ],
)
def test_a_first_request_takes_its_segment(asked: int, segment: int) -> None:
    allocator, _ = taken(asked)
    assert allocator.reserved == allocator.peak_reserved == segment


def test_small_requests_share_a_segment_until_it_is_full() -> None:
    allocator, _ = taken(*[256 * KIB] * 8)
    assert allocator.reserved == 2 * MIB
    allocator.allocate(1)
    assert allocator.reserved == 4 * MIB


def test_a_small_request_takes_no_room_of_the_large_pool_nor_the_other_way() -> None:
    allocator, handles = taken(2 * MIB, MIB)
    assert allocator.reserved == 22 * MIB
    allocator.free(handles[1])
    allocator.allocate(2 * MIB)
    assert layout(allocator)[1] == [(2 * MIB, False)]
    assert allocator.reserved == 22 * MIB


def test_a_large_rest_of_one_mebibyte_is_not_cut_off_and_counts_as_allocated() -> None:
    allocator, _ = taken(11 * MIB)
    assert layout(allocator) == [[(12 * MIB, True)]]
    assert allocator.allocated == 12 * MIB
    allocator, _ = taken(11 * MIB - 512)
    assert layout(allocator) == [[(11 * MIB - 512, True), (MIB + 512, False)]]


def test_a_small_rest_of_512_bytes_is_cut_off() -> None:
    allocator, _ = taken(MIB, MIB - 512)
    assert layout(allocator) == [[(MIB, True), (MIB - 512, True), (512, False)]]


def test_the_smallest_block_that_is_large_enough_is_taken() -> None:
    allocator, handles = taken(3 * MIB, 2 * MIB, 5 * MIB, 2 * MIB, 4 * MIB, 2 * MIB, 2 * MIB)
    for place in (0, 2, 4):
        allocator.free(handles[place])
    allocator.allocate(4 * MIB - 512)
    assert [size for size, used in layout(allocator)[0] if not used] == [3 * MIB, 5 * MIB]


def test_of_equal_blocks_the_lowest_is_taken_whichever_was_freed_first() -> None:
    for order in ((1, 3), (3, 1)):
        allocator, handles = taken(*[512] * 5)
        for place in order:
            allocator.free(handles[place])
        allocator.allocate(512)
        assert [used for _, used in layout(allocator)[0]] == [True, True, True, False, True, False]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_free_neighbours_become_one_block(order: tuple[int, ...]) -> None:
    allocator, handles = taken(512, 1024, 1536)
    for place in order:
        allocator.free(handles[place])
    assert layout(allocator) == [[(2 * MIB, False)]]


def test_blocks_of_neighbouring_segments_are_not_joined() -> None:
    allocator, handles = taken(*[12 * MIB] * 2)
    for handle in handles:
        allocator.free(handle)
    allocator.allocate(24 * MIB)
    assert allocator.reserved == 48 * MIB


def test_freed_bytes_stay_reserved_and_serve_again() -> None:
    allocator, handles = taken(30 * MIB)
    allocator.free(handles[0])
    assert (allocator.allocated, allocator.reserved) == (0, 30 * MIB)
    allocator.allocate(5 * MIB)
    assert allocator.reserved == 30 * MIB


def test_an_emptied_cache_keeps_segments_in_use() -> None:
    allocator, handles = taken(3 * MIB, 3 * MIB, 30 * MIB, 512)
    for place in (0, 2, 3):
        allocator.free(handles[place])
    allocator.empty_cache()
    assert layout(allocator) == [[(3 * MIB, False), (3 * MIB, True), (14 * MIB, False)]]
    assert allocator.reserved == 20 * MIB
    assert allocator.peak_reserved == 52 * MIB


def test_a_released_block_is_not_handed_out() -> None:
    allocator, handles = taken(30 * MIB)
    allocator.free(handles[0])
    allocator.empty_cache()
    allocator.allocate(12 * MIB)
    assert allocator.reserved == 12 * MIB


def test_peaks_are_counted_anew_from_what_is_there() -> None:
    allocator, handles = taken(30 * MIB, 512)
    allocator.free(handles[0])
    assert allocator.peak_allocated == 30 * MIB + 512
    allocator.reset_peak()
    assert (allocator.peak_allocated, allocator.peak_reserved) == (512, 32 * MIB)
    allocator.empty_cache()
    allocator.reset_peak()
    assert allocator.peak_reserved == 2 * MIB


def test_no_bytes_take_nothing() -> None:
    allocator, handles = taken(0, 0)
    assert allocator.reserved == allocator.allocated == 0
    for handle in handles:
        allocator.free(handle)


def test_a_wrong_request_is_refused() -> None:
    allocator, handles = taken(512)
    with pytest.raises(ValueError, match="-1"):
        allocator.allocate(-1)
    allocator.free(handles[0])
    allocator.allocate(512)
    with pytest.raises(KeyError):  # although the same bytes are in use again
        allocator.free(handles[0])


# The limit


def test_a_limit_may_be_reached_exactly() -> None:
    allocator, _ = taken(20 * MIB, limit=20 * MIB)
    assert allocator.reserved == 20 * MIB
    with pytest.raises(DoesNotFit):
        allocator.allocate(1)


def test_unused_segments_are_released_before_the_limit_is_an_error() -> None:
    allocator, handles = taken(12 * MIB, 16 * MIB, limit=40 * MIB)
    allocator.free(handles[0])
    allocator.allocate(14 * MIB)
    assert allocator.reserved == 30 * MIB
    assert allocator.peak_reserved == 30 * MIB


def test_what_does_not_fit_says_so_and_leaves_the_cache_released() -> None:
    allocator, handles = taken(12 * MIB, 16 * MIB, limit=40 * MIB)
    allocator.free(handles[0])
    with pytest.raises(DoesNotFit, match=r"25\.0 MiB asked, 16\.0 MiB reserved, 40\.0 MiB") as told:
        allocator.allocate(25 * MIB)
    assert (told.value.asked, told.value.limit, told.value.reserved) == (
        25 * MIB,
        40 * MIB,
        16 * MIB,
    )
    assert allocator.reserved == allocator.allocated == 16 * MIB
    allocator.allocate(24 * MIB)


def test_a_segment_in_part_use_cannot_be_released_for_the_limit() -> None:
    allocator, handles = taken(9 * MIB, 2 * MIB, limit=30 * MIB)
    allocator.free(handles[0])
    with pytest.raises(DoesNotFit):
        allocator.allocate(12 * MIB)
    assert allocator.reserved == 20 * MIB


# A second implementation: blocks in plain lists, every search linear


class Plain:
    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.segments: list[list[list[int | None]]] = []  # blocks [size, handle], by address
        self.small: list[bool] = []
        self.handles = 0
        self.peak_reserved = self.peak_allocated = 0

    @property
    def reserved(self) -> int:
        return sum(size for blocks in self.segments for size, _ in blocks)

    @property
    def allocated(self) -> int:
        return sum(size for blocks in self.segments for size, who in blocks if who is not None)

    def allocate(self, asked: int) -> int:
        if asked == 0:
            return 0
        size = asked
        while size % 512:
            size += 1
        small = size <= 1_048_576
        found = self.find(size, small) or self.extend(size, small)
        if found is None:
            raise DoesNotFit(asked, self.limit or 0, self.reserved)
        blocks, place = found
        self.handles += 1
        rest = blocks[place][0] - size
        if rest > (0 if small else 1_048_576):
            blocks[place : place + 1] = [[size, self.handles], [rest, None]]
        else:
            blocks[place][1] = self.handles
        self.peak_allocated = max(self.peak_allocated, self.allocated)
        return self.handles

    def find(self, size: int, small: bool) -> tuple[list, int] | None:
        best = None
        for kind, blocks in zip(self.small, self.segments, strict=True):
            for place, (room, who) in enumerate(blocks):
                fits = kind == small and who is None and room >= size
                if fits and (best is None or room < best[0][best[1]][0]):
                    best = (blocks, place)
        return best

    def extend(self, size: int, small: bool) -> tuple[list, int] | None:
        new = 2_097_152 if small else 20_971_520
        if size >= 10_485_760:
            new = size + -size % 2_097_152
        if self.limit is not None and self.reserved + new > self.limit:
            self.empty_cache()
            if self.reserved + new > self.limit:
                return None
        self.segments.append([[new, None]])
        self.small.append(small)
        self.peak_reserved = max(self.peak_reserved, self.reserved)
        return self.segments[-1], 0

    def free(self, handle: int) -> None:
        if handle == 0:
            return
        for blocks in self.segments:
            joined: list[list[int | None]] = []
            for size, who in blocks:
                owner = None if who == handle else who
                if joined and joined[-1][1] is None and owner is None:
                    joined[-1][0] += size
                else:
                    joined.append([size, owner])
            blocks[:] = joined

    def empty_cache(self) -> None:
        kept = [
            (kind, blocks)
            for kind, blocks in zip(self.small, self.segments, strict=True)
            if any(who is not None for _, who in blocks)
        ]
        self.small = [kind for kind, _ in kept]
        self.segments = [blocks for _, blocks in kept]


BORDERS = [0, 1, 511, 512, 513, MIB - 512, MIB, MIB + 1, 2 * MIB, 10 * MIB - 512, 10 * MIB]
SIZES = st.one_of(
    st.sampled_from(BORDERS),
    st.integers(0, 64 * KIB),
    st.integers(MIB // 2, 3 * MIB),
    st.integers(0, 30 * MIB),
)
EVENTS = st.one_of(
    st.tuples(st.just("take"), SIZES),
    st.tuples(st.just("take"), SIZES),
    st.tuples(st.just("give"), st.integers(0, 1000)),
    st.tuples(st.sampled_from(["take"] * 9 + ["empty"]), st.sampled_from(BORDERS)),
)
# The length is drawn first: left to itself hypothesis seldom makes a list of more than ten.
TRACES = st.integers(0, 120).flatmap(lambda n: st.lists(EVENTS, min_size=n, max_size=n))
LIMITS = st.one_of(st.none(), st.integers(1 * MIB, 150 * MIB))


def step(allocator: CachingAllocator | Plain, live: list[int], event: Event) -> bool:
    """One event; a "give" frees one of those that live. False where it did not fit."""
    what, number = event
    if what == "empty":
        allocator.empty_cache()
    elif what == "give" and live:
        allocator.free(live.pop(number % len(live)))
    elif what == "take":
        try:
            live.append(allocator.allocate(number))
        except DoesNotFit:
            return False
    return True


def agree(trace: list[Event], limit: int | None) -> None:
    fast, slow = CachingAllocator(limit), Plain(limit)
    live: tuple[list[int], list[int]] = ([], [])
    for event in trace:
        assert step(fast, live[0], event) == step(slow, live[1], event)
        assert (fast.allocated, fast.reserved) == (slow.allocated, slow.reserved)
        assert fast.peak_reserved == slow.peak_reserved
        assert fast.peak_allocated == slow.peak_allocated
    assert layout(fast) == [[(size, who is not None) for size, who in b] for b in slow.segments]


@settings(deadline=None)
@given(trace=TRACES, limit=LIMITS)
def test_it_agrees_with_the_plain_one(trace: list[Event], limit: int | None) -> None:
    agree(trace, limit)


def steps_of_training(seed: int, count: int) -> list[Event]:
    """A few steps: most blocks of a forward pass stay, a backward pass frees the last ones first.

    Sizes spread over all rules, and the same ones come back in each step.
    """
    chance = random.Random(seed)
    forward: list[Event] = []
    for _ in range(count):
        forward.append(("take", int(2 ** chance.uniform(5, 24.5))))
        if chance.random() < 0.3:
            forward.append(("give", chance.randrange(1000)))
    kept = sum(1 if what == "take" else -1 for what, _ in forward)
    backward: list[Event] = []
    for place in reversed(range(kept)):
        backward += [("take", int(2 ** chance.uniform(5, 24.5))), ("give", place), ("give", place)]
    return [*forward, *backward] * 3


@pytest.mark.parametrize("limit", [None, 160 * MIB, 300 * MIB])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_agrees_with_the_plain_one_over_training_steps(seed: int, limit: int | None) -> None:
    agree(steps_of_training(seed, 300), limit)


# Laws


@settings(deadline=None)
@given(trace=TRACES, limit=LIMITS)
def test_the_laws_hold_after_every_event(trace: list[Event], limit: int | None) -> None:
    allocator = CachingAllocator(limit)
    live: list[int] = []
    for event in trace:
        step(allocator, live, event)
        check_counts(allocator, limit)
        for blocks in segments(allocator):
            check_tiling(blocks)


def check_counts(allocator: CachingAllocator, limit: int | None) -> None:
    blocks = [block for segment in segments(allocator) for block in segment]
    assert allocator.reserved == sum(block.size for block in blocks)
    assert allocator.allocated == sum(block.size for block in blocks if block.taken)
    assert allocator.allocated <= allocator.reserved <= allocator.peak_reserved
    assert allocator.allocated <= allocator.peak_allocated <= allocator.peak_reserved
    assert limit is None or allocator.peak_reserved <= limit


def check_tiling(blocks: list[cuda_allocator.MemoryBlock]) -> None:
    for one, two in pairwise(blocks):
        assert one.address + one.size == two.address
        assert one.taken or two.taken
        assert two.before is one
    assert blocks[0].before is None
    assert all(block.size > 0 and block.size % 512 == 0 for block in blocks)


@settings(deadline=None)
@given(trace=TRACES, chance=st.randoms(use_true_random=False))
def test_all_is_given_back(trace: list[Event], chance: random.Random) -> None:
    allocator = CachingAllocator()
    live: list[int] = []
    for event in trace:
        step(allocator, live, event)
    chance.shuffle(live)
    for handle in live:
        allocator.free(handle)
    assert allocator.allocated == 0
    assert all(len(blocks) == 1 for blocks in segments(allocator))
    allocator.empty_cache()
    assert allocator.reserved == 0
    assert segments(allocator) == []


# torch itself


def test_the_sizes_are_those_of_the_installed_torch() -> None:
    torch = find_spec("torch")
    folders = torch.submodule_search_locations if torch else None
    header = Path(next(iter(folders or ["."]))) / "include/c10/core/AllocatorConfig.h"
    if not header.is_file():
        pytest.skip("this torch has no header c10/core/AllocatorConfig.h")
    text = header.read_text(encoding="utf-8")
    told = dict(re.findall(r"constexpr size_t (k\w+) = (\d+);", text))
    told |= dict(re.findall(r"(large_segment_size_)\{(\d+)\}", text))
    ours = {
        "kMinBlockSize": cuda_allocator.MIN_BLOCK,
        "kSmallSize": cuda_allocator.SMALL_SIZE,
        "kSmallBuffer": cuda_allocator.SMALL_SEGMENT,
        "kMinLargeAlloc": cuda_allocator.MIN_OWN_SEGMENT,
        "kRoundLarge": cuda_allocator.SEGMENT_ROUNDING,
        "large_segment_size_": cuda_allocator.LARGE_SEGMENT,
    }
    known = told.keys() & ours.keys()
    assert known
    assert {name: ours[name] for name in known} == {name: int(told[name]) for name in known}


def test_a_gpu_reserves_as_much() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    if torch.cuda.get_allocator_backend() != "native" or any("ALLOC_CONF" in k for k in os.environ):
        pytest.skip("the allocator of this process is not torch's with its default settings")
    simulated, live = CachingAllocator(), []
    tensors: list[torch.Tensor] = []
    torch.cuda.empty_cache()
    # Blocks of another stream serve no request of this one, so what was there before is a constant.
    with torch.cuda.stream(torch.cuda.Stream()):
        allocated, reserved = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
        for what, number in steps_of_training(0, 400):
            if what == "give" and tensors:
                del tensors[number % len(tensors)]
            elif what == "take":
                tensors.append(torch.empty(number, dtype=torch.uint8, device="cuda"))
                if torch.cuda.memory_reserved() - reserved > simulated.reserved:
                    # A new segment, at its start: the driver's order decides between equal blocks.
                    simulated._next_address = tensors[-1].data_ptr()
            step(simulated, live, (what, number))
            assert torch.cuda.memory_allocated() - allocated == simulated.allocated
            assert torch.cuda.memory_reserved() - reserved == simulated.reserved
