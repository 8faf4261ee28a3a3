"""Running out of memory, for real, and everything that only looks like it."""

from __future__ import annotations

import pytest
import torch

from harness.measure import memory_use
from harness.measure.memory_use import NEARLY_GONE, is_out_of_memory


def test_a_real_failed_allocation_on_the_processor() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_a_gpus_error() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))


def test_the_error_of_onednn_without_memory_for_a_kernel() -> None:
    # Seen of a convolution under a limit of the address space, on a processor with AVX2.
    assert is_out_of_memory(RuntimeError("could not create a primitive"))


FULL = [
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
    "CUDA driver error: out of memory",
    "Triton Error [CUDA]: out of memory",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "cuFFT error: CUFFT_ALLOC_FAILED",
]
PERHAPS_FULL = [
    "GET was unable to find an engine to execute this computation",
    "FIND was unable to find an engine to execute this computation",
    "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
    "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
]


@pytest.mark.parametrize("text", FULL)
def test_what_the_libraries_of_a_full_card_say(text: str) -> None:
    assert is_out_of_memory(RuntimeError(text))
    assert not is_out_of_memory(RuntimeError(f"in a loss: {text}"))
    assert not is_out_of_memory(ValueError(text))


@pytest.mark.parametrize("text", PERHAPS_FULL)
@pytest.mark.parametrize(
    ("left", "full"), [(0, True), (NEARLY_GONE - 1, True), (NEARLY_GONE, False), (None, False)]
)
def test_what_may_have_another_cause_counts_on_a_full_card_alone(
    text: str, left: int | None, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_use, "memory_left", lambda: left)
    assert is_out_of_memory(RuntimeError(text)) == full


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
        RuntimeError("CUDA error: invalid argument\nCUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
        RuntimeError("Storage size calculation overflowed"),
        RuntimeError("could not create a primitive descriptor for a convolution forward"),
        MemoryError(),
        ValueError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_what_only_sounds_like_it_is_none(error: Exception) -> None:
    assert not is_out_of_memory(error)
