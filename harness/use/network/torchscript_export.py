"""TorchScript files: a deployment traced, and run without its Python code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.errors import RequestError, raised
from harness.use.network.deployment import Deployment, Runtime

FACTS = "model.json"
"""The file within an archive that holds the facts of the model."""


def write_torchscript(
    deployment: Deployment, example: Tensor, path: Path, facts: Mapping[str, str]
) -> None:
    """Trace a deployment and write it.

    Args:
        deployment: the network.
        example: of its input. One item is traced: a size that a network takes for fixed is then
            1, which any batch can be broadcast with.
        path: the file.
        facts: further texts in the archive, by their names.

    Raises:
        RequestError: torch cannot trace it, or not write what it traced.
    """
    jit: Any = torch.jit  # it comes without types
    try:
        with torch.no_grad():
            traced = jit.trace(deployment, example[:1], check_trace=False)
        extra = {name: text.encode() for name, text in facts.items()}
        jit.save(traced, str(path), _extra_files=extra)
    except (RuntimeError, TypeError, ValueError) as error:
        raise RequestError(f"this network cannot be traced: {raised(error)}") from error


def open_torchscript(path: Path) -> Runtime:
    """Return a traced network as a function of a batch, on the processor."""
    jit: Any = torch.jit
    loaded = jit.load(str(path), map_location="cpu")

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(loaded(torch.from_numpy(batch)))

    return run
