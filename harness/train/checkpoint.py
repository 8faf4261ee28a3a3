"""Checkpoints: final weights as safetensors, resume points that need no trust."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from harness.errors import RequestError
from harness.records.files import atomic_file, write_bytes

Weights = dict[str, Tensor]


def save_weights(path: Path, weights: Weights) -> None:
    """Write a state dict atomically; equal weights give equal bytes."""
    # Through bytes: where the disk is full, the library's own error would not say so by number.
    write_bytes(path, save({name: _alone(value) for name, value in weights.items()}))


def load_weights(path: Path) -> Weights:
    """Read a state dict: safetensors, or torch's own format with nothing but tensors in it.

    Raises:
        RequestError: the file is absent or is neither.
    """
    if not path.is_file():
        raise RequestError(f"{path}: no such checkpoint")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, SafetensorError, UnpicklingError) as error:
        why = str(error).partition("\n")[0]
        raise RequestError(
            f"{path}: not a checkpoint of tensors alone ({why}); "
            "save the state dict, or a safetensors file"
        ) from error
    return _state_dict(content, path)


def save_resume(path: Path, state: dict[str, Any]) -> None:
    """Write a resume point atomically."""
    with atomic_file(path) as file:
        torch.save(state, file)


def load_resume(path: Path) -> dict[str, Any] | None:
    """Read a resume point; None where there is none."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def averaged(many: list[Weights]) -> Weights:
    """Mean of several state dicts; integer buffers are taken from the last."""
    return {
        name: torch.stack([weights[name] for weights in many]).mean(0)
        if last.is_floating_point()
        else last
        for name, last in many[-1].items()
    }


def _state_dict(content: Any, path: Path) -> Weights:
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(x, Tensor) for x in content.values()):
        raise RequestError(f"{path}: holds no state dict of tensors")
    return {name.removeprefix("module."): value for name, value in content.items()}


def _alone(value: Tensor) -> Tensor:
    """A copy that shares no memory: safetensors refuses tied weights."""
    return value.detach().cpu().contiguous().clone()
