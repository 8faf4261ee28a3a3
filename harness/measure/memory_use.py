"""Memory of this process and its GPU: the peak of a block, what is left, whether it ran out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from harness.measure.gpu_room import memory_left
from harness.records.costs import Memory

if TYPE_CHECKING:
    import torch

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
# proc(5): writing 5 resets the peak resident size (VmHWM) to the present one.
_RESET_PEAK = "5"
# The message of torch's CPU allocator (c10/core/impl/alloc_cpu.cpp), a plain RuntimeError.
_CPU_ALLOCATOR = "DefaultCPUAllocator: can't allocate memory"
# oneDNN's message when it has no memory left for a kernel's code or scratch space. What it cannot
# compute it says of a "primitive descriptor".
_ONEDNN = "could not create a primitive"

_FULL_CARD = re.compile(
    r"CUDA (driver )?error: out of memory"  # AcceleratorError, with advice on further lines
    r"|Triton Error \[CUDA\]: out of memory"  # of a compiled network's kernels
    r"|CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `.*"
    r"|cuDNN error: CUDNN_STATUS_ALLOC_FAILED"
    r"|cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_(HOST|DEVICE)_ALLOCATION_FAILED"
    r"|cuFFT error: CUFFT_ALLOC_FAILED"
)
"""First lines of what CUDA's libraries say when they have no memory for themselves."""

_PERHAPS_FULL = re.compile(
    r"(GET|FIND) was unable to find an engine to execute this computation"
    r"|cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"
    r"|CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate.*"
)
"""First lines of what they say on a full card, and on one that they do not support at all."""

NEARLY_GONE = 512 * 2**20
"""Bytes below which a card counts as full: handles and workspaces take tens to hundreds of MiB."""


class PeakMemory:
    """Counts the peak from entry to exit, and then holds it as `memory`.

    On a GPU the allocator's reserved bytes are counted: what a job takes from the device, its
    cache and fragmentation included, and so what a memory budget must hold. On a processor it is
    the resident size of this whole process: the interpreter and the libraries are in it.

    >>> with PeakMemory("cpu") as peak:
    ...     block = bytearray(1000)
    >>> peak.memory.counted
    'process'
    """

    def __init__(self, device: str | torch.device) -> None:
        """Choose the counter by the device."""
        import torch

        device = torch.device(device)
        self._counter: _Counter = GpuPeak(device) if device.type == "cuda" else ProcessPeak()
        self._memory: Memory | None = None

    def __enter__(self) -> PeakMemory:
        """Start counting anew."""
        self._memory = None
        self._counter.reset()
        return self

    def __exit__(self, *_: object) -> None:
        """Keep the peak, also of a block that failed."""
        self._memory = self._counter.read()

    @property
    def memory(self) -> Memory:
        """The peak.

        Raises:
            RuntimeError: the block has not ended.
        """
        if self._memory is None:
            raise RuntimeError("the peak is known when the block has ended")
        return self._memory


class _Counter(Protocol):
    def reset(self) -> None: ...

    def read(self) -> Memory: ...


class GpuPeak:
    """Peak of a GPU's allocator."""

    def __init__(self, device: torch.device) -> None:
        """Count on this device."""
        self._device = device

    def reset(self) -> None:
        """Forget earlier peaks, and give back cached blocks, which would count as reserved."""
        import torch

        torch.cuda.synchronize(self._device)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self._device)

    def read(self) -> Memory:
        """Return the most bytes reserved since the reset."""
        import torch

        return Memory(bytes=torch.cuda.max_memory_reserved(self._device), counted="gpu")


class ProcessPeak:
    """Peak resident size of this process."""

    def __init__(self) -> None:
        """Start with nothing reset."""
        self._since_reset = False

    def reset(self) -> None:
        """Forget earlier peaks if the kernel allows it (a sandbox may not)."""
        try:
            _CLEAR_REFS.write_text(_RESET_PEAK)
            self._since_reset = True
        except OSError:
            self._since_reset = False

    def read(self) -> Memory:
        """Return the peak since the reset, or since the process began if none was possible."""
        peak = _high_water_mark() if self._since_reset else None
        return Memory(bytes=_lifetime_peak() if peak is None else peak, counted="process")


def available_memory() -> int:
    """Return the bytes that this process may still take.

    They are those to the nearest limit: of the address space, of data, or what the machine has
    left.
    """
    left = [psutil.virtual_memory().available]
    if psutil.LINUX:
        import resource

        taken = psutil.Process().memory_info()
        for limit, used in ((resource.RLIMIT_AS, taken.vms), (resource.RLIMIT_DATA, taken.data)):
            most = resource.getrlimit(limit)[0]
            if most != resource.RLIM_INFINITY:
                left.append(most - used)
    return max(0, min(left))


def is_out_of_memory(error: BaseException) -> bool:
    """Return True if a device's or the processor's allocator had no memory left, only then.

    A wider net (any RuntimeError, "out of memory" anywhere in a text) would take a shape bug
    for a full device and shrink its batch to nothing. Call it while what the error holds is alive:
    a text that may have another cause counts only while the GPU has less than `NEARLY_GONE` left.
    """
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    message = str(error)
    if _CPU_ALLOCATOR in message or message == _ONEDNN:
        return True
    first = message.partition("\n")[0]
    if _PERHAPS_FULL.fullmatch(first):
        left = memory_left()
        return left is not None and left < NEARLY_GONE
    return _FULL_CARD.fullmatch(first) is not None


def _high_water_mark() -> int | None:
    """Return VmHWM of /proc/self/status in bytes, if the kernel reports it."""
    match = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _lifetime_peak() -> int:
    """Return the peak resident size since the process began, in bytes."""
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # getrusage(2): kibibytes on Linux, bytes on macOS.
    return peak if sys.platform == "darwin" else peak * 1024
