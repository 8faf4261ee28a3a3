"""Running out of memory, for real, and everything that only looks like it."""

from __future__ import annotations

import pytest
import torch

from harness.measure.memory_use import is_out_of_memory


def test_a_real_failed_allocation_on_the_processor() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_a_gpus_error() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))


def test_the_error_of_onednn_without_memory_for_a_kernel() -> None:
    # Seen of a convolution under a limit of the address space, on a processor with AVX2.
    assert is_out_of_memory(RuntimeError("could not create a primitive"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_a_real_failed_allocation_on_a_gpu() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.uint8, device="cuda")
    assert is_out_of_memory(caught.value)


def test_a_shape_bug_is_none() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    assert not is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: out of memory is not what happened"),
        RuntimeError("Storage size calculation overflowed"),
        RuntimeError("could not create a primitive descriptor for a convolution forward"),
        MemoryError(),
        ValueError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_what_only_sounds_like_it_is_none(error: Exception) -> None:
    assert not is_out_of_memory(error)
