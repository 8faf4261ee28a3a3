"""The room on a GPU, by what a card would say."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.gpu_room import GpuRoom, limit_allocator, memory_left

MIB, GIB = 2**20, 2**30


class Card:
    """Answers as torch does of a card."""

    def __init__(self, patch: pytest.MonkeyPatch, total: int, free: int) -> None:
        self.total, self.free, self.fraction = total, free, 1.0
        for name in ("mem_get_info", "get_device_properties", "is_initialized"):
            patch.setattr(torch.cuda, name, getattr(self, name))
        patch.setattr(torch.cuda, "set_per_process_memory_fraction", self.limit)
        patch.setattr(torch.cuda, "get_per_process_memory_fraction", lambda: self.fraction)

    def mem_get_info(self, device: object = None) -> tuple[int, int]:
        return self.free, self.total

    def get_device_properties(self, device: object) -> SimpleNamespace:
        return SimpleNamespace(total_memory=self.total)

    def is_initialized(self) -> bool:
        return True

    def limit(self, fraction: float) -> None:
        assert 0 <= fraction <= 1
        self.fraction = fraction


def test_a_card_that_others_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch, total=6 * GIB, free=4 * GIB)
    room = limit_allocator(9 * GIB // 2)
    assert room == GpuRoom(free=4 * GIB, limit=9 * GIB // 2)
    assert room.usable == 4 * GIB
    assert "4 GiB of the GPU were free, of the 4.5 GiB" in room.note
    assert int(card.fraction * card.total) == room.limit


@pytest.mark.parametrize(
    ("limit", "found"), [(5 * GIB, 5 * GIB), (None, 6 * GIB), (GIB * 9, 6 * GIB)]
)
def test_an_empty_card_needs_no_note(
    limit: int | None, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Card(monkeypatch, total=6 * GIB, free=6 * GIB)
    assert limit_allocator(limit) == GpuRoom(6 * GIB, found)
    assert not limit_allocator(limit).note


@given(total=st.integers(GIB, 200 * GIB), share=st.floats(0.01, 1))
def test_the_allocator_gets_the_limit_to_the_byte(total: int, share: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        card = Card(patch, total, total)
        room = limit_allocator(max(1, int(share * total)))
        assert int(card.fraction * total) == room.limit


@pytest.mark.parametrize(
    ("free", "fraction", "left"),
    # 3 GiB held, of which tensors have 2.
    [(10 * GIB, 1.0, 11 * GIB), (10 * GIB, 1 / 4, GIB), (100 * MIB, 1.0, GIB + 100 * MIB)],
)
def test_what_is_left_ends_at_the_limit_or_with_the_card(
    free: int, fraction: float, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(monkeypatch, total=12 * GIB + GIB, free=free)
    card.total, card.fraction = (12 * GIB if fraction < 1 else 100 * GIB), fraction
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 2 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 3 * GIB)
    assert memory_left() == left
