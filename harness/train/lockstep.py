"""Parts of a batch in lock-step through a network, from one batch normalisation to the next.

Each part runs the network's own forward pass in a greenlet. At a batch normalisation it hands over
its sums and sleeps; when all parts have come, the sums are joined, and each goes on in turn with
statistics of the whole batch. One part computes at a time.

Only small vectors cross from part to part: means and variances, and the gradients on them. All
operations are autograd's own nodes, so all parts are one graph, and one backward pass over it is
exact on any engine, whatever paths pass a batch normalisation by. Nothing waits in the backward
pass: a node runs once all gradients on its output are there, and the graph has no circle, as a
forward pass made it in an order. Greenlets share one thread, whose counter numbers the nodes; the
engine takes the highest number that is ready. So the last part goes back from one batch
normalisation to the one before it, then the last but one, and so on: the forward order, reversed.

Other ways that were weighed. Threads would have state of their own for autocast, dispatch modes
and the numbers of nodes, and a GPU's library handles and workspaces for each. A barrier inside a
backward function deadlocks on a GPU, whose backward pass is one thread. Backward passes cut at each
batch normalisation go through a path that passes some by once for each of them. Passes without a
graph to find the statistics first are as many as there are layers, squared.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from greenlet import getcurrent, greenlet
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from harness.adapter import IN_LOCKSTEP
from harness.errors import JobFailed
from harness.train.joint_batch_norm import Arrival, Moments, NormCall, join

Embed = Callable[[Tensor], Tensor]

_WITHOUT_MEETING = (torch.batch_norm, torch.native_batch_norm)
"""Functions of torch below the one that layers call; their sixth argument is `training`."""

MEND = 'take batch_norm = "full" out of the recipe'


def embed_in_lockstep(embed: Embed, network: nn.Module, parts: Sequence[Tensor]) -> list[Tensor]:
    """Return the outputs of all parts, as if they had gone through as one batch.

    Random numbers (dropout) are drawn in the order in which the parts compute, from the generator's
    state: repeatable, and not always those that the whole batch would draw.

    Args:
        embed: maps inputs to one output, through the network.
        network: in training mode; its batch normalisations are joined.
        parts: inputs, `[items, ...]` each.

    Raises:
        JobFailed: the parts do not meet at the same batch normalisations, or one cannot be joined.
    """
    _refuse_compiled(network)
    mode = _Meetings(parts[0].device.type)
    runs: list[Any] = []
    with _in_lockstep(), mode.watch(network), mode:
        try:
            for part in parts:
                run: Any = greenlet(partial(embed, part))
                # A network's context variables are its part's own.
                run.gr_context = contextvars.copy_context()
                runs.append(run)
            return _meet(mode, runs)
        finally:
            # Within the mode, which each of them takes for its own while it waits.
            for run in filter(None, runs):
                run.throw()


def _meet(mode: _Meetings, runs: Sequence[Any]) -> list[Tensor]:
    """Let the parts take turns until all are through."""
    joined: tuple[Any, ...] = ()
    while True:
        found = []
        for turn, run in enumerate(runs):
            mode.turn = turn
            found.append(run.switch(*joined))
        if all(run.dead for run in runs):
            mode.check_all_met()
            return found
        if any(run.dead for run in runs):
            raise JobFailed(
                "the parts of a batch do not go through the same batch normalisations: some are "
                f"through the network and others are not; {MEND}"
            )
        joined = (join(found),)


class _Meetings(TorchFunctionMode):
    """Has the parts meet at every batch normalisation over a batch's own statistics.

    Attributes:
        turn: the part that computes, from 0.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self.turn, self._device, self._met, self._called = 0, device, 0, 0
        self._around = _surroundings(device)

    @contextmanager
    def watch(self, network: nn.Module) -> Iterator[None]:
        """Count the calls of batch normalisations, and a step once in their own counters."""
        norms = [
            each for each in network.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)
        ]
        hooks = [each.register_forward_pre_hook(self._before) for each in norms]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _before(self, module: nn.Module, _: object) -> None:
        if not module.training:
            return
        self._called += 1
        if self.turn and isinstance(counter := module.num_batches_tracked, Tensor):
            counter.sub_(1)  # the first part counted this batch already

    def check_all_met(self) -> None:
        """Refuse a batch normalisation that computed where nobody saw it.

        Raises:
            JobFailed: there was one.
        """
        if self._called > self._met:
            raise JobFailed(
                f"{self._called - self._met} calls of batch normalisations did not go through "
                f"torch.nn.functional.batch_norm, so they cannot be joined; {MEND}"
            )

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function; a batch normalisation once all parts have come to it."""
        named = kwargs or {}
        if func is functional.batch_norm:
            call = NormCall(*args, **named)
            return self._normalise(call) if call.training else func(*args, **named)
        if func in _WITHOUT_MEETING and (*args, *named.values())[5]:
            raise JobFailed(f"torch.{func.__name__} cannot be joined over parts; {MEND}")
        return func(*args, **named)

    def _normalise(self, call: NormCall) -> Tensor:
        if _surroundings(self._device) != self._around:
            raise JobFailed(
                "a batch normalisation computes without a graph of its own, in activation "
                "checkpointing or under an autocast of the network's: the parts of a batch cannot "
                f"meet there; {MEND}, or the checkpointing out of the model"
            )
        self._met += 1
        arrival = Arrival(call, *Moments.apply(call.values))
        # torch takes the mode away while its own handler runs, for the other parts too.
        with self:
            joined = getcurrent().parent.switch(arrival)
        normalised: Tensor = joined(call.values)
        return normalised


def _surroundings(device: str) -> tuple[object, ...]:
    """Return the thread's state that the parts share, and none may have changed at a meeting."""
    return (
        torch.is_grad_enabled(),
        torch.is_autocast_enabled(device),
        torch.get_autocast_dtype(device),
        torch._C._autograd._top_saved_tensors_default_hooks(True),
    )


@contextmanager
def _in_lockstep() -> Iterator[None]:
    token = IN_LOCKSTEP.set(True)
    try:
        yield
    finally:
        IN_LOCKSTEP.reset(token)


def _refuse_compiled(network: nn.Module) -> None:
    for module in network.modules():
        compiled = getattr(module, "_compiled_call_impl", None) or hasattr(module, "_orig_mod")
        if compiled or isinstance(module, torch.jit.ScriptModule):
            raise JobFailed(f"a compiled network's batch normalisations cannot be joined; {MEND}")
