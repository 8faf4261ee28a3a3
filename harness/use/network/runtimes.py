"""Exported files opened by the runtime of their kind."""

from __future__ import annotations

from pathlib import Path

from harness.use.network.deployment import Runtime
from harness.use.network.onnx_export import open_onnx
from harness.use.network.torchscript_export import open_torchscript

ONNX = ".onnx"


def open_runtime(path: Path, threads: int = 1) -> Runtime:
    """Open an exported file; TorchScript takes the threads of this process."""
    return open_onnx(path, threads) if path.suffix == ONNX else open_torchscript(path)
