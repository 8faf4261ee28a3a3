"""The machine and the libraries behind a measurement."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.measure.allocator import ALLOCATOR_VARIABLES
from harness.records.documents import digest
from harness.records.record import Environment

if TYPE_CHECKING:
    import torch

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
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


def environment(
    device: str | torch.device, threads: int, settings: Mapping[str, str] = os.environ
) -> Environment:
    """Describe where a measurement runs; on the processor, without importing torch.

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
        libraries=installed_libraries() | _cuda_libraries(device),
        allocator={name: settings[name] for name in ALLOCATOR_VARIABLES if name in settings},
    )


def environment_digest(environment: Environment) -> str:
    """Sha256 that two environments share when their speeds may share a table."""
    return digest(environment.model_dump())


def device_name(device: str | torch.device) -> str:
    """`cpu`, or the name that a GPU's driver gives it."""
    if str(device) == "cpu":
        return "cpu"
    import torch

    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def processor_name() -> str:
    """The processor's model name, or its architecture where the system tells no more."""
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def installed_libraries() -> dict[str, str]:
    """Versions of the libraries that can change a speed, where they are installed."""
    versions = {name: _version(name) for name in _LIBRARIES}
    return {name: version for name, version in versions.items() if version is not None}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cuda_libraries(device: str | torch.device) -> dict[str, str]:
    """Versions of CUDA, cuDNN and the driver where the device is a GPU."""
    if not str(device).startswith("cuda"):
        return {}
    import torch

    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call,unused-ignore]
    versions = {"cuda": str(torch.version.cuda), "cudnn": str(cudnn)}
    if _NVIDIA_DRIVER.exists():
        versions["nvidia-driver"] = _NVIDIA_DRIVER.read_text().splitlines()[0]
    return versions
