"""Inputs of coming steps, made ahead in the background, so that a network seldom waits for them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import TracebackType

import torch

from harness.data.feeding.inputs import Crops, InputMaker, Inputs
from harness.data.feeding.workers import crops_of_step, inputs_of_step, tensors, worker_pool
from harness.errors import JobFailed

AHEAD = 2
"""Steps that each worker may be ahead."""


class Feeder:
    """Hands out the inputs of a training's steps, in order.

    On a processor they are made whole in the background; for a GPU crops are, and the GPU does the
    rest. What comes out does not depend on how many workers there are, or on how fast they are.

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
        self._left = deque(steps)
        self._coming: deque[Future[Crops | Inputs]] = deque()
        whole = device.type == "cpu"
        self._make: Callable[[int], Crops | Inputs]
        self._pool: Executor
        if workers:
            self._pool = worker_pool(maker, workers)
            self._make = inputs_of_step if whole else crops_of_step
        else:
            self._pool = _one_thread()
            self._make = maker.inputs if whole else maker.crops
        for _ in range(AHEAD * max(1, workers)):
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

    def _ask(self) -> None:
        if self._left:
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
