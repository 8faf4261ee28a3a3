"""Makes the inputs of coming steps ahead in the background, so that a network seldom waits."""

from __future__ import annotations

import io
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from mmap import mmap
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.datasets.packing.decoding import end_with_parent
from harness.datasets.packing.pack import DamagedItems, mend_items
from harness.datasets.ranked_pairs import GRADE
from harness.errors import JobFailed
from harness.feeding.step_inputs import Crops, InputMaker, Inputs, with_nearest

AHEAD = 2
"""Steps that each worker may be ahead."""


def made_ahead(device: torch.device) -> bool:
    """Return whether features are made in the background, or in the step by the device itself."""
    return device.type == "cpu"


class Feeder:
    """Hands out the inputs of a training's steps, in order.

    On a processor they are made whole in the background; for a GPU crops are, and the GPU does the
    rest. They do not depend on the number or the speed of workers.

    If the sampler draws hard labels, nothing is made until `mine` gives the table of the nearest
    classes, and nothing beyond the steps for which it holds.

    Args:
        maker: makes the inputs of any step.
        steps: numbers of the steps.
        device: of the network.
        workers: processes that make them; 0 for one thread of this process.
    """

    def __init__(
        self, maker: InputMaker, steps: range, device: torch.device, workers: int = 0
    ) -> None:
        self.waited = 0.0
        self._maker, self._device = maker, device
        self._left, self._ahead = deque(steps), AHEAD * max(1, workers)
        self._until = 0 if maker.batches.mines else steps.stop
        self._coming: deque[tuple[int, Future[Crops | Inputs]]] = deque()
        self._workers = workers
        self._pool: Executor = worker_pool(maker, workers) if workers else _one_thread()
        self._make: Callable[[int], Crops | Inputs] = self._making(None)
        self._ask()

    def __enter__(self) -> Feeder:
        return self

    def __exit__(self, *ending: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def must_mine(self) -> bool:
        """True if the next step waits for `mine`."""
        return bool(self._left) and not self._coming and self._left[0] >= self._until

    def mine(self, nearest: NDArray[np.int64], until: int) -> None:
        """Go on with hard labels drawn by a table.

        Args:
            nearest: the classes nearest to each class, nearest first, `[classes, several]`.
            until: the first step for which it does not hold.
        """
        self._maker = with_nearest(self._maker, nearest)
        self._make, self._until = self._making(nearest), until
        self._ask()

    def take(self) -> Inputs:
        """Return the inputs of the next step, on the device.

        The generator of the device goes on as if the step had made them itself: whoever seeds it
        with the step's seed before gets the same dropout as without a feeder.

        Raises:
            JobFailed: a worker's process died.
        """
        made = self._wait()
        self._ask()
        if isinstance(made, Crops):
            return self._maker.from_crops(made.to(self._device), None)
        if made.random_state is not None:
            torch.set_rng_state(made.random_state)
        return made

    def _making(self, nearest: NDArray[np.int64] | None) -> Callable[[int], Crops | Inputs]:
        make = InputMaker.inputs if made_ahead(self._device) else InputMaker.crops
        if not self._workers:
            return partial(make, self._maker)
        return partial(make_in_worker, make, nearest=nearest)

    def _ask(self) -> None:
        """Ask for as many steps as may be ahead."""
        while self._left and len(self._coming) < self._ahead and self._left[0] < self._until:
            step = self._left.popleft()
            with _report_death():
                self._coming.append((step, self._pool.submit(self._make, step)))

    def _wait(self) -> Crops | Inputs:
        began = time.monotonic()
        step, future = self._coming.popleft()
        with _report_death():
            while True:
                try:
                    made: Crops | Inputs = tensors(future.result())
                    break
                except DamagedItems as damage:  # a worker knows no files to read them from
                    mend_items(damage)
                    future = self._pool.submit(self._make, step)
        self.waited += time.monotonic() - began
        return made


def _one_thread() -> ThreadPoolExecutor:
    """Return a thread that computes alone, as workers do: bits of Fourier transforms need it."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(1, "feeder", torch.set_num_threads, (1,))
    pool.submit(torch.get_num_threads).result()
    # The number that one thread sets is also the default of threads that did not compute yet, this
    # one too: so it is set back once that thread has begun.
    torch.set_num_threads(threads)
    return pool


@contextmanager
def _report_death() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise JobFailed(
            "a process that made training inputs died: memory ran out, or somebody ended it; "
            "give fewer --data-workers"
        ) from error


_HELD: dict[str, InputMaker] = {}
"""The maker of this worker."""


def worker_pool(maker: InputMaker, workers: int) -> ProcessPoolExecutor:
    """Return processes that can make the inputs of any step; they end with this one."""
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(pickle_maker(maker),),
    )


def make_in_worker(
    make: Callable[[InputMaker, int], Crops | Inputs],
    step: int,
    nearest: NDArray[np.int64] | None = None,
) -> Any:
    """Make a step's inputs or crops in a worker, as arrays (see `arrays`)."""
    return arrays(make(_maker(nearest), step))


def _maker(nearest: NDArray[np.int64] | None) -> InputMaker:
    """Return the worker's maker, with this table of the nearest classes."""
    maker = _HELD["maker"]
    held = maker.batches.nearest
    if nearest is not None and (held is None or not np.array_equal(held, nearest)):
        maker = _HELD["maker"] = with_nearest(maker, nearest)
    return maker


def arrays(made: Any) -> Any:
    """Turn named tuples of tensors into the same of arrays.

    Tensors would travel through shared memory, of which a container has little.
    """
    if isinstance(made, Tensor):
        return made.numpy()
    return type(made)(*map(arrays, made)) if isinstance(made, tuple) else made


def tensors(made: Any) -> Any:
    """Turn named tuples of arrays into the same of tensors; tensors stay as they are."""
    if isinstance(made, np.ndarray):
        return torch.from_numpy(made)
    return type(made)(*map(tensors, made)) if isinstance(made, tuple) else made


def pickle_maker(maker: InputMaker) -> bytes:
    """Return a maker as bytes: packs by the names of their files, items by labels and grades."""
    batches = maker.batches
    items = batches.subset.items
    slim = replace(batches.subset, items=items[["label", *items.columns.intersection([GRADE])]])
    stream = io.BytesIO()
    _Pickler(stream).dump(replace(maker, batches=replace(batches, subset=slim)))
    return stream.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        """Name the file that an array is a view of, instead of copying what it holds."""
        if isinstance(thing, np.memmap) and isinstance(thing.base, mmap) and not thing.offset:
            return _map_file, (str(thing.filename), thing.dtype.str, thing.shape)
        return NotImplemented


def _map_file(path: str, dtype: str, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    return np.memmap(path, np.dtype(dtype), mode="r", shape=shape)


def _begin(maker: bytes) -> None:
    torch.set_num_threads(1)
    end_with_parent()
    _HELD["maker"] = pickle.loads(maker)
