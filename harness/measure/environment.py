"""Environment of a measurement: the machine, the libraries and the allocator's settings.

The settings of glibc's allocator must be in the environment before a process starts. torch's CPU
allocator asks glibc for every tensor. By default glibc maps each large block from the kernel and
unmaps it when it is freed (and trims the top of its heap), so a training step faults in, page by
page, all the memory that the step before gave back. With `ALLOCATOR_ENVIRONMENT` large blocks come
from the heap and stay in the process. A step of ECAPA-TDNN 512 (batch 32, 200 frames, 2 threads,
glibc 2.36, interleaved runs on a busy virtual machine of 2 cores):

| settings                           | page faults | CPU user + system | wall, least | peak    |
| ---------------------------------- | ----------- | ----------------- | ----------- | ------- |
| none                               | 685 000     | 2.6 + 1.25 s      | 4.0 s       | 2.0 GiB |
| `MALLOC_MMAP_THRESHOLD_` of 32 MiB | 643 000     | 2.6 + 1.1 s       | 3.3 s       | 2.0 GiB |
| `MALLOC_MMAP_THRESHOLD_` of 1 GiB  | 0           | 2.65 + 0.01 s     | 1.4 s       | 2.5 GiB |
| `ALLOCATOR_ENVIRONMENT`            | 0           | 2.6 + 0.02 s      | 1.4 s       | 2.6 GiB |

CPU time is the figure to trust here: other work on the machine stretched the wall time of all,
and most where pages were faulted in. The price is a quarter more memory: blocks of one size
leave holes that fit no other.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.measure.nvml import driver_version
from harness.records.documents import digest
from harness.records.record import Environment

if TYPE_CHECKING:
    import torch

# Forbidding maps holds for every glibc. A high MALLOC_MMAP_THRESHOLD_ does not: older ones refuse
# without a word what is over 32 MiB, and 32 MiB are too few.
ALLOCATOR_ENVIRONMENT: dict[str, str] = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}

# All that changes how memory is allocated, for the record of an environment.
ALLOCATOR_VARIABLES: tuple[str, ...] = (
    "MALLOC_ARENA_MAX",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
)

_LIBRARIES = (
    "torch",
    "torchaudio",
    "torchvision",
    "numpy",
    "speechbrain",
    "timm",
    "lightning-fabric",
)
_CPU_INFO = Path("/proc/cpuinfo")
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})
_VECTORS = (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("avx", "AVX"))


def environment(
    device: str | torch.device, threads: int, settings: Mapping[str, str] = os.environ
) -> Environment:
    """Describe the environment of a measurement; for the processor, without importing torch.

    Args:
        device: torch device of the measurement.
        threads: threads that torch computes with.
        settings: environment variables of the process that measures.
    """
    return Environment(
        device=device_name(device),
        processor=processor_name(),
        threads=threads,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
        libraries=library_versions() | _cuda_libraries(device),
        allocator={name: settings[name] for name in ALLOCATOR_VARIABLES if name in settings},
    )


def environment_digest(environment: Environment) -> str:
    """Return the sha256 that two environments share if their speeds may share a table."""
    return digest(environment.model_dump())


def device_name(device: str | torch.device) -> str:
    """Return `cpu`, or the name that a GPU's driver gives it."""
    if str(device) == "cpu":
        return "cpu"
    import torch

    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def processor_name() -> str:
    """Return the processor's model name with its generation and widest vectors, if they are known.

    Virtual machines give one name to several generations, which differ in speed and in the last
    bits of what they compute: `AMD EPYC (family 25, model 1, AVX2)`.
    """
    facts = _processor_facts()
    name = facts.get("model name") or platform.processor() or platform.machine()
    flags = facts.get("flags", "").split()
    vectors = next((label for flag, label in _VECTORS if flag in flags), "")
    parts = [f"{key} {facts[key]}" for key in ("family", "model") if key in facts]
    details = ", ".join([*parts, vectors] if vectors else parts)
    return f"{name} ({details})" if details else name


def _processor_facts() -> dict[str, str]:
    """Return what Linux says of the first processor; empty elsewhere."""
    if not _CPU_INFO.exists():
        return {}
    first = _CPU_INFO.read_text().partition("\n\n")[0]
    lines = (line.partition(":") for line in first.splitlines())
    return {key.strip().removeprefix("cpu "): value.strip() for key, _, value in lines}


def fast_precision(device: str) -> Literal["bf16-mixed", "32-true"]:
    """Return the precision that a device trains fastest in, without overflow.

    Sums of products in bfloat16 are instructions of their own on some processors (AVX512_BF16,
    AMX) and on GPUs from compute capability 8.0 on; everywhere else they are slower than float32.

    Args:
        device: torch device of a training.
    """
    if device == "cpu":
        flags = _processor_facts().get("flags", "").split()
        return "bf16-mixed" if _BFLOAT16.intersection(flags) else "32-true"
    if device.startswith("cuda"):
        import torch

        return "bf16-mixed" if torch.cuda.get_device_capability() >= (8, 0) else "32-true"
    return "32-true"


def library_versions(names: Iterable[str] = _LIBRARIES) -> dict[str, str]:
    """Return the versions of those libraries that are installed, by default of all for a speed."""
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _cuda_libraries(device: str | torch.device) -> dict[str, str]:
    """Return the versions of CUDA, cuDNN and the driver if the device is a GPU."""
    if not str(device).startswith("cuda"):
        return {}
    import torch

    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call,unused-ignore]
    versions = {"cuda": str(torch.version.cuda), "cudnn": str(cudnn)}
    driver = driver_version()
    return versions | ({"nvidia-driver": driver} if driver else {})
