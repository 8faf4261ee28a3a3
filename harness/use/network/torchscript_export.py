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
from harness.use.network.deployment import Deployment

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
        RequestError: torch cannot trace it.
    """
    jit: Any = torch.jit  # it comes without types
    try:
        with torch.no_grad():
            traced = jit.trace(deployment, example[:1], check_trace=False)
    except (RuntimeError, TypeError, ValueError) as error:
        raise RequestError(f"this network cannot be traced: {raised(error)}") from error
    extra = {name: text.encode() for name, text in facts.items()}
    jit.save(traced, str(path), _extra_files=extra)


def run_torchscript(path: Path, batches: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return a traced network's outputs for batches of its input, on the processor."""
    jit: Any = torch.jit
    loaded = jit.load(str(path), map_location="cpu")
    with torch.inference_mode():
        return [loaded(torch.from_numpy(batch)).numpy() for batch in batches]
