"""States of a training that are kept for an audit, each with the hash of its content.

A state is all that the rest of a training depends on: network, optimiser, precision, progress
without times, and by their hashes the weights that were chosen so far. They lie beside the
training's other files, as `state-STEP.pt` and `state-STEP.safetensors`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harness.errors import PathError
from harness.records.damage import DamagedFile
from harness.records.documents import sha256
from harness.records.files import read_bytes, write_bytes
from harness.train.checkpoint import Weights, load_state, save_resume, save_weights
from harness.train.training_progress import FINAL, RESUME, snapshot_name


class DamagedStateError(Exception):
    """A kept state is absent, or is not what its hash says."""


def steps_to_keep(count: int, steps: int) -> tuple[int, ...]:
    """Return the steps after which states are kept, spread evenly: the first is 0.

    >>> steps_to_keep(4, 10)
    (0, 3, 7, 10)
    >>> steps_to_keep(0, 10)
    ()
    """
    last = max(1, count - 1)
    return tuple(sorted({round(steps * part / last) for part in range(count)}))


def keep_state(folder: Path, step: int, state: dict[str, Any]) -> str:
    """Write a state, and return the hash of its content."""
    save_resume(_state_file(folder, step), state)
    return state_digest(state)


def keep_chosen(folder: Path, step: int, weights: Weights) -> str:
    """Write weights that the result may be made of, and return the hash of their file."""
    path = _chosen_file(folder, step)
    save_weights(path, weights)
    return sha256(read_bytes(path))


def kept_bytes(folder: Path) -> int:
    """Return the size of all that is kept."""
    return sum(path.stat().st_size for path in folder.glob("state-*.*"))


def go_back(folder: Path, step: int, digest: str, work: Path, to_keep: tuple[int, ...]) -> None:
    """Make another folder one in which training goes on from a kept state.

    Args:
        folder: the training's.
        step: of the state.
        digest: of its content.
        work: an empty folder.
        to_keep: steps after which states are kept there.

    Raises:
        DamagedStateError: the state, or weights that belong to it, are not what was kept.
    """
    state = _load_state(_state_file(folder, step), digest)
    facts = state["progress"]
    for chosen, content in sorted(facts["chosen"].items()):
        weights = _read_chosen(_chosen_file(folder, chosen), content)
        for name in (snapshot_name(chosen), FINAL):  # the last is the best of them
            write_bytes(work / name, weights)
    state["progress"] = {**facts, "to_keep": to_keep, "kept": {}}
    save_resume(work / RESUME, state)


def state_digest(value: Any) -> str:
    """Return a hash of a state's content: equal for equal bits, wherever and however it is stored.

    Raises:
        TypeError: it holds something else than tensors and plain values.
    """
    content = hashlib.sha256()
    _feed(content, value)
    return content.hexdigest()


def _feed(content: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        content.update(f"tensor {value.dtype} {[*value.shape]};".encode())
        flat = value.detach().cpu().contiguous().reshape(-1)
        content.update(flat.view(torch.uint8).numpy())
    elif isinstance(value, Mapping):
        content.update(f"table {len(value)};".encode())
        for key in sorted(value, key=lambda key: (type(key).__name__, key)):
            _feed(content, key)
            _feed(content, value[key])
    elif isinstance(value, list | tuple):
        content.update(f"list {len(value)};".encode())
        for each in value:
            _feed(content, each)
    elif isinstance(value, float):
        content.update(f"float {float(value).hex()};".encode())
    elif value is None or isinstance(value, bool | int | str):
        text = str(value)
        content.update(f"{type(value).__name__} {len(text)} {text};".encode())
    else:
        raise TypeError(f"a state holds a {type(value).__name__}")


def _load_state(path: Path, digest: str) -> dict[str, Any]:
    if not path.exists():
        raise DamagedStateError(f"{path}: this kept state is absent")
    try:
        state = load_state(path)
    except DamagedFile as error:
        raise DamagedStateError(f"{path}: this kept state is damaged ({error})") from error
    try:
        found = state_digest(state)
    except TypeError as error:
        raise DamagedStateError(f"{path}: this is no kept state: {error}") from error
    if found != digest:
        raise DamagedStateError(
            f"{path}: this is not the state that was kept: its content has the hash "
            f"{found[:12]}..., {digest[:12]}... was kept"
        )
    return state


def _read_chosen(path: Path, content: str) -> bytes:
    try:
        found = read_bytes(path)
    except PathError as error:
        raise DamagedStateError(f"{error}") from error
    if sha256(found) != content:
        raise DamagedStateError(f"{path}: these are not the weights that were kept")
    return found


def _state_file(folder: Path, step: int) -> Path:
    return folder / f"state-{step}.pt"


def _chosen_file(folder: Path, step: int) -> Path:
    return folder / f"state-{step}.safetensors"
