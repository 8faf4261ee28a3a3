"""Inputs of coming steps, made ahead in the background, so that a network seldom waits for them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from types import TracebackType

import numpy as np
import torch
from numpy.typing import NDArray

from harness.errors import JobFailed
from harness.feeding.inputs import Crops, InputMaker, Inputs, mining
from harness.feeding.workers import crops_of_step, inputs_of_step, tensors, worker_pool

AHEAD = 2
"""Steps that each worker may be ahead."""


class Feeder:
    """Hands out the inputs of a training's steps, in order.

    On a processor they are made whole in the background; for a GPU crops are, and the GPU does the
    rest. What comes out does not depend on how many workers there are, or on how fast they are.

    Where the sampler draws hard labels, nothing is made until `mine` says which are near to which,
    and nothing beyond the steps for which it says so.

    Args:
        maker: what makes them.
        steps: which.
        device: where the network is.
        workers: processes that make them; 0 for one thread of this process.
    """

    def __init__(
        self, maker: InputMaker, steps: range, device: torch.device, workers: int = 0
    ) -> None:
        self.waited = 0.0
        self._maker, self._device = maker, device
        self._left, self._ahead = deque(steps), AHEAD * max(1, workers)
        self._until = 0 if maker.batches.mines else steps.stop
        self._coming: deque[Future[Crops | Inputs]] = deque()
        self._workers = workers
        self._pool: Executor = worker_pool(maker, workers) if workers else _one_thread()
        self._make: Callable[[int], Crops | Inputs] = self._making(None)
        self._ask()

    def __enter__(self) -> Feeder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def must_mine(self) -> bool:
        """True where the next step waits for `mine`."""
        return bool(self._left) and not self._coming and self._left[0] >= self._until

    def mine(self, nearest: NDArray[np.int64], until: int) -> None:
        """Go on with labels that are hard by this table.

        Args:
            nearest: the classes nearest to each class, nearest first, `[classes, several]`.
            until: the first step for which it does not hold.
        """
        self._maker = mining(self._maker, nearest)
        self._make, self._until = self._making(nearest), until
        self._ask()

    def take(self) -> Inputs:
        """The inputs of the next step, on the device.

        The generator of the device goes on as if the step had made them itself: whoever seeds it
        with the step's seed before gets the same dropout as without a feeder.

        Raises:
            JobFailed: a worker's process died.
        """
        made = self._wait()
        self._ask()
        if isinstance(made, Crops):
            crops = made.to(self._device)
            return Inputs(self._maker.prepared(crops, None), crops.labels)
        if made.random_state is not None:
            torch.set_rng_state(made.random_state)
        return made

    def _making(self, nearest: NDArray[np.int64] | None) -> Callable[[int], Crops | Inputs]:
        whole = self._device.type == "cpu"
        if not self._workers:
            return self._maker.inputs if whole else self._maker.crops
        make = inputs_of_step if whole else crops_of_step
        return make if nearest is None else partial(make, nearest=nearest)

    def _ask(self) -> None:
        """Ask for as many steps as may be ahead."""
        while self._left and len(self._coming) < self._ahead and self._left[0] < self._until:
            with _telling_death():
                self._coming.append(self._pool.submit(self._make, self._left.popleft()))

    def _wait(self) -> Crops | Inputs:
        began = time.monotonic()
        with _telling_death():
            made: Crops | Inputs = tensors(self._coming.popleft().result())
        self.waited += time.monotonic() - began
        return made


def _one_thread() -> ThreadPoolExecutor:
    """A thread that computes alone, as workers do: a Fourier transform's bits depend on that."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(1, "feeder", torch.set_num_threads, (1,))
    pool.submit(torch.get_num_threads).result()
    # What one thread sets is also what others, this one too, begin with where they did not compute
    # yet: so it is set back once that thread has begun.
    torch.set_num_threads(threads)
    return pool


@contextmanager
def _telling_death() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise JobFailed(
            "a process that made training inputs died: memory ran out, or somebody ended it; "
            "give fewer --data-workers"
        ) from error
