"""Processes that make inputs: each has the packs open and computes with one thread."""

from __future__ import annotations

import io
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from mmap import mmap
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.datasets.packing.child_process import end_with_parent
from harness.feeding.inputs import InputMaker, mining

_HELD: dict[str, InputMaker] = {}
"""What this worker makes inputs with."""


def worker_pool(maker: InputMaker, workers: int) -> ProcessPoolExecutor:
    """Processes that can make the inputs of any step; they end with this one."""
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(packed_up(maker),)
    )


def inputs_of_step(step: int, nearest: NDArray[np.int64] | None = None) -> Any:
    """In a worker: a step's inputs, as arrays (see `arrays`)."""
    return arrays(_maker(nearest).inputs(step))


def crops_of_step(step: int, nearest: NDArray[np.int64] | None = None) -> Any:
    """In a worker: a step's crops, as arrays (see `arrays`)."""
    return arrays(_maker(nearest).crops(step))


def _maker(nearest: NDArray[np.int64] | None) -> InputMaker:
    """The worker's maker, with this table of the nearest classes."""
    maker = _HELD["maker"]
    held = maker.batches.nearest
    if nearest is not None and (held is None or not np.array_equal(held, nearest)):
        maker = _HELD["maker"] = mining(maker, nearest)
    return maker


def arrays(made: Any) -> Any:
    """Named tuples of tensors as the same of arrays.

    Tensors would travel through shared memory, of which a container has little.
    """
    if isinstance(made, Tensor):
        return made.numpy()
    return type(made)(*map(arrays, made)) if isinstance(made, tuple) else made


def tensors(made: Any) -> Any:
    """The inverse of `arrays`; tensors stay as they are."""
    if isinstance(made, np.ndarray):
        return torch.from_numpy(made)
    return type(made)(*map(tensors, made)) if isinstance(made, tuple) else made


def packed_up(maker: InputMaker) -> bytes:
    """A maker as bytes: packs by the names of their files, of the items what training needs."""
    batches = maker.batches
    slim = replace(batches.subset, items=batches.subset.items[["label"]])
    stream = io.BytesIO()
    _Pickler(stream).dump(replace(maker, batches=replace(batches, subset=slim)))
    return stream.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        """Name the file that an array is a view of, instead of copying what it holds."""
        if isinstance(thing, np.memmap) and isinstance(thing.base, mmap) and not thing.offset:
            return _mapped, (str(thing.filename), thing.dtype.str, thing.shape)
        return NotImplemented


def _mapped(path: str, dtype: str, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    return np.memmap(path, np.dtype(dtype), mode="r", shape=shape)


def _begin(maker: bytes) -> None:
    torch.set_num_threads(1)
    end_with_parent()
    _HELD["maker"] = pickle.loads(maker)
