"""Checkpoints: final weights as safetensors, resume points that need no trust."""

from __future__ import annotations

import errno
import math
import struct
import warnings
import zlib
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from harness.errors import RequestError, quoted
from harness.records.damage import DamagedFile, set_aside
from harness.records.files import atomic_file, write_bytes
from harness.train.file_kinds import AGAIN, SAVE, Kind, is_safetensors, other_kind, unreadable

Weights = dict[str, Tensor]

NONE = "not a checkpoint of tensors alone"

KEY = "key"
"""Of a resume point: the key of its training; those of an audit, and older ones, lack it."""

LONGEST_NAME = 500
"""Characters of a weight's name; no network's modules nest as deep as longer ones say."""

BROKEN = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
          UnpicklingError, EOFError, OSError, AssertionError, MemoryError, ImportError,
          struct.error)  # fmt: skip
"""Errors of torch at a damaged file: its unpickler carries out whatever the bytes say."""


TOO_LARGE = Kind("it takes more memory than this machine has, or is damaged", AGAIN)


def save_weights(path: Path, weights: Weights) -> None:
    """Write a state dict atomically; equal weights give equal bytes."""
    # Copies that share no memory: safetensors refuses tied weights.
    alone = {name: value.detach().cpu().contiguous().clone() for name, value in weights.items()}
    # Through bytes: if the disk is full, the library's own error would not say so by number.
    write_bytes(path, save(alone))


def load_weights(path: Path) -> Weights:
    """Read a state dict: safetensors, or torch's own format with nothing but tensors in it.

    Raises:
        RequestError: the file is absent or is neither, or a weight is no number.
    """
    if path.is_dir():
        raise RequestError(f"{path}: is a folder; name the file of weights in it")
    if not path.is_file():
        said = "is no regular file; copy it into one" if path.exists() else "no such checkpoint"
        raise RequestError(f"{path}: {said}")
    weights = _state_dict(_read(path), path)
    _check_numbers(weights, path)
    return weights


def save_resume(path: Path, state: dict[str, Any]) -> None:
    """Write a resume point atomically."""
    with atomic_file(path) as file:
        torch.save(state, file)


def load_resume(path: Path, key: str = "") -> dict[str, Any] | None:
    """Read a resume point; None if there is none, or a damaged one, which is set aside.

    Args:
        path: the file.
        key: of the training that wants it: a resume point of another one is damage, too.
    """
    if not path.exists():
        return None
    try:
        state = load_state(path)
        if state.get(KEY, key) == key:
            return state
        why = "a resume point of another training"
    except DamagedFile as error:
        why = str(error)
    set_aside(path, why, "training begins again")
    return None


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_resume` wrote.

    The archive that torch writes holds a checksum of each of its members, which torch ignores.

    Raises:
        DamagedFile: why it cannot be what was written.
    """
    try:
        with ZipFile(path) as archive:
            bad = archive.testzip()
        if bad is None:
            state = _unpickle(path)
            if isinstance(state, dict):
                return state
        why = f"{bad} is not what was written" if bad else "it holds no resume point"
    except (*BROKEN, BadZipFile, zlib.error) as error:
        if not _is_damage(error):
            raise
        why = " ".join(str(error).split())[:120] or type(error).__name__
    raise DamagedFile(why)


def average_weights(many: list[Weights]) -> Weights:
    """Average several state dicts; integer buffers are taken from the last."""
    return {
        name: torch.stack([weights[name] for weights in many]).mean(0)
        if last.is_floating_point()
        else last
        for name, last in many[-1].items()
    }


def _read(path: Path) -> Any:
    """Read the content of a checkpoint, whatever its name is."""
    try:
        kind = other_kind(path)
        if kind is None:
            return _content(path)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from error
    raise RequestError(f"{path}: {NONE}: {kind.name}; {kind.mend}")


def _content(path: Path) -> Any:
    try:
        return load_file(path) if is_safetensors(path) else _unpickle(path)
    except (*BROKEN, SafetensorError) as error:  # torch's words advise to load without a check
        if isinstance(error, OSError) and not _is_damage(error):
            raise
        kind = unreadable(path) if _is_damage(error) else TOO_LARGE
        raise RequestError(f"{path}: {NONE}: {kind.name}; {kind.mend}") from error


def _is_damage(error: Exception) -> bool:
    """Tell damage from the machine's troubles; torch seeks to wherever damage points."""
    if isinstance(error, OSError):
        return error.errno in (None, errno.EINVAL)
    return not isinstance(error, MemoryError) and "allocate memory" not in str(error)


def _unpickle(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with path.open("rb") as file:  # by a path, torch would go by its ending
            return torch.load(file, map_location="cpu", weights_only=True)


def _state_dict(content: Any, path: Path) -> Weights:
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    said = ""
    if not isinstance(content, dict):
        said = f"but a {type(content).__name__}"
    elif strange := [each for each in content.items() if not _is_weight(each)]:
        name, value = strange[0]
        said = f"{quoted(name)} is a {type(value).__name__}"
    if said:
        raise RequestError(f"{path}: holds no state dict of tensors ({said}); {SAVE}")
    return {name.removeprefix("module."): value for name, value in content.items()}


def _is_weight(item: tuple[Any, Any]) -> bool:
    name, value = item
    return isinstance(name, str) and len(name) <= LONGEST_NAME and isinstance(value, Tensor)


def _check_numbers(weights: Weights, path: Path) -> None:
    """Refuse weights that no network can compute with.

    Raises:
        RequestError: a tensor holds NaN or infinity, or no numbers of its own; it is named.
    """
    for name, value in weights.items():
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise RequestError(
                f"{path}: {quoted(name)} is a sparse, quantised or empty tensor; {SAVE}"
            )
    bad = [name for name, value in weights.items() if not _is_finite(value)]
    if bad:
        more = f", and {len(bad) - 1} others too" if len(bad) > 1 else ""
        raise RequestError(
            f"{path}: the weight {quoted(bad[0])} holds NaN or infinity{more}: its training "
            "diverged or the file is damaged; give an earlier checkpoint"
        )


def _is_finite(value: Tensor) -> bool:
    if not value.numel() or not (value.is_floating_point() or value.is_complex()):
        return True
    stored = value.untyped_storage().nbytes() // value.element_size()
    if value.numel() > stored:  # one number may stand for many: look at each once
        value = torch.empty(0, dtype=value.dtype).set_(value.untyped_storage())
    value = torch.view_as_real(value) if value.is_complex() else value
    value = value.float() if value.element_size() == 1 else value
    low, high = (float(each) for each in value.detach().aminmax())
    return (math.isfinite(low) and math.isfinite(high)) or _is_mask(value, high)


def _is_mask(value: Tensor, high: float) -> bool:
    """Return True for an attention mask: zeros, and minus infinity in places that are off."""
    return high == 0 and bool(((value == 0) | (value == -math.inf)).all())
