"""What a step will hold in memory, told before anything is computed.

The network runs on fake tensors, which have shapes and no numbers; the head runs on real ones, so
that a loss may look at them as it likes. The gradient goes back over the seam. All that a training
step does is done by the code that does it in a training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)

from harness.adapter import LossAdapter, ModelAdapter
from harness.budget.repeating import again
from harness.budget.scaling import peak_of
from harness.budget.step_memory import StepMemory, in_order
from harness.budget.storages import StorageTrace
from harness.config.recipes import Recipe
from harness.errors import HarnessError
from harness.measure.cost import multiply_adds
from harness.train.accumulation import Precision, autocast, learn
from harness.train.example import example_labels
from harness.train.optimizer import make_optimizer
from harness.train.system import System

_NEEDS_NUMBERS = (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)


class NotPredictable(HarnessError):
    """A network's course rests on the numbers that it is given."""


@dataclass(frozen=True)
class Workload:
    """What is trained or applied, without its data.

    Attributes:
        model: the network's adapter.
        loss: the loss's adapter; None where embeddings alone are wanted.
        classes: labels of the training split.
        item: shape of a raw item: samples, or height and width.
        recipe: how it is trained; None where it is not.
        on_gpu: whether the optimiser works as it does on a GPU, on all parameters at once.
    """

    model: ModelAdapter
    loss: LossAdapter | None
    classes: int
    item: tuple[int, ...]
    recipe: Recipe | None = None
    on_gpu: bool = True

    @property
    def asked(self) -> Recipe:
        """How it is trained.

        Raises:
            TypeError: it is not.
        """
        if self.recipe is None or self.loss is None:
            raise TypeError("training needs a recipe and a loss")
        return self.recipe


def predict_training(
    work: Workload, batch: int, part: int | None, *, fake: bool = True
) -> StepMemory:
    """What the second training step holds; the first one makes the optimiser's state.

    Its way through the network is told from the first one's where that leaves gradients alone.

    Of a batch in parts, two parts stand for all of them where the loss is a sum over items. The
    network's inputs are there when the step begins: they are made one step ahead.

    Args:
        work: what is trained; its recipe gives optimiser, precision and augmentation.
        batch: items a step.
        part: most items that go through the network together; None for all of them.
        fake: False computes for real, on the processor, and both steps.

    Raises:
        NotPredictable: the network wants to see numbers.
    """
    recipe, system = work.asked, _system(work)
    shown = batch if part is None or system.looks_at_whole_batch else min(batch, 2 * part)
    with _telling(work.model):
        mode = _without_numbers(system) if fake else None
        system.train()
        features = _inputs(system, work, batch, mode)
        labels = example_labels(recipe, batch, work.classes)
        optimizer = _optimizer(work, system.parameters())
        trace = StorageTrace()
        with trace:
            held = trace.watch([*system.parameters(), *system.buffers()])
            inputs = trace.watch([features, labels])
            go_through = _Pass(system, trace, recipe.precision)
            begun = len(trace.events)
            go_through(features[:shown], labels[:shown], part)
            gradients, left = _gradients(system), trace.numbers(_given(system))
            told = again(trace.events[begun:], left) if fake else None
            optimizer.step()
            states = trace.live - held - inputs - gradients
            if told is None:
                optimizer.zero_grad(set_to_none=True)
                steady = len(trace.events)
                go_through(features[:shown], labels[:shown], part)
                optimizer.step()
                events = tuple(trace.events)
            else:
                ended = len(trace.events)
                steady = ended + len(left)
                optimizer.step()
                events = (*trace.events[:ended], *told, *trace.events[ended:])
    return StepMemory(
        parameters=held,
        gradients=gradients,
        optimizer=states,
        inputs=inputs,
        activations=go_through.activations,
        peak=peak_of(events, steady),
        events=in_order(events, steady),
        steady=steady,
    )


class _Pass:
    """A batch's way through a system and back.

    Attributes:
        activations: bytes that the forward pass keeps, at its largest.
    """

    def __init__(self, system: System, trace: StorageTrace, precision: str) -> None:
        self._system, self._trace = system, trace
        self._precision = Precision(partial(autocast, precision, "cpu"), self._backward)
        self._before = self.activations = 0
        # Parts whose embeddings' gradient is known go back without a loss of their own.
        system.trunk.register_forward_hook(self._forwarded)

    def __call__(self, inputs: Tensor, labels: Tensor, part: int | None) -> None:
        """Learn from a batch."""
        self._before, self.activations = self._trace.live, 0
        learn(self._system, inputs, labels, part, self._precision)

    def _forwarded(self, *_: object) -> None:
        kept = self._trace.live - self._before - _gradients(self._system)
        self.activations = max(self.activations, kept)

    def _backward(self, loss: Tensor) -> None:
        self._forwarded()
        loss.backward()  # type: ignore[no-untyped-call]


def predict_inference(
    work: Workload, batch: int, *, precision: str = "32-true", fake: bool = True
) -> StepMemory:
    """What a batch of items holds while it is embedded, its network inputs being there.

    Args:
        work: whose network embeds.
        batch: items at once.
        precision: what it computes in, by a recipe's name of it.
        fake: False computes for real, on the processor.

    Raises:
        NotPredictable: the network wants to see numbers.
    """
    system = _system(replace(work, loss=None))
    with _telling(work.model):
        mode = _without_numbers(system) if fake else None
        system.eval()
        features = _inputs(system, work, batch, mode)
        trace = StorageTrace()
        with trace, torch.no_grad(), autocast(precision, "cpu"):
            held = trace.watch([*system.parameters(), *system.buffers()])
            inputs = trace.watch([features])
            trace.reset_peak()
            system.embed(features)
    events = in_order(trace.events)
    return StepMemory(parameters=held, inputs=inputs, peak=trace.peak, events=events)


def predict_macs(work: Workload) -> int:
    """Multiply-adds of one item's forward pass.

    Raises:
        NotPredictable: the network wants to see numbers.
    """
    system = _system(replace(work, loss=None))
    with _telling(work.model):
        mode = _without_numbers(system)
        system.eval()
        return multiply_adds(system.trunk, _inputs(system, work, 1, mode))


class _Seam(torch.autograd.Function):
    """Real numbers for embeddings that have none, and a gradient without numbers back."""

    @staticmethod
    def forward(ctx: Any, embeddings: Tensor, mode: FakeTensorMode) -> Tensor:
        ctx.mode = mode
        return torch.randn(embeddings.shape, dtype=embeddings.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.mode.from_tensor(gradients[0]), None


class _FakeTrunk(nn.Module):
    """A network without numbers, whose embeddings have some."""

    def __init__(self, trunk: nn.Module, mode: FakeTensorMode) -> None:
        super().__init__()
        self.trunk, self.mode = trunk, mode

    def forward(self, inputs: Tensor) -> Tensor:
        """Embeddings `[batch, size]`."""
        embeddings: Tensor = _Seam.apply(self.trunk(inputs), self.mode)
        return embeddings


def _without_numbers(system: System) -> FakeTensorMode:
    """Take the numbers out of a system's network; inputs without numbers go in from then on."""
    # Masks and positions that a network makes anew in each pass have numbers, and are small.
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    made: dict[int, Tensor] = {}

    def fake(tensor: Tensor) -> Tensor:
        if id(tensor) not in made:
            plain = mode.from_tensor(tensor.detach())
            trained = isinstance(tensor, nn.Parameter)
            made[id(tensor)] = nn.Parameter(plain, tensor.requires_grad) if trained else plain
        return made[id(tensor)]

    for part in system.trunk.modules():
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                if tensor is not None:
                    table[name] = fake(tensor)  # type: ignore[assignment]
    system.trunk = _FakeTrunk(system.trunk, mode)
    return mode


def _system(work: Workload) -> System:
    recipe, loss = work.recipe, work.loss
    counted = loss is not None and "counts" in loss.needs
    return System(
        work.model,
        loss,
        work.classes,
        recipe.augment if recipe else None,
        [1] * work.classes if counted else None,
    )


def _given(system: System) -> list[Tensor]:
    """The gradients that are there, in the order of their parameters."""
    return [each.grad for each in system.parameters() if each.grad is not None]


def _gradients(system: System) -> int:
    return sum(gradient.nbytes for gradient in _given(system))


def _optimizer(work: Workload, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    optimizer = make_optimizer(work.asked.optimizer, parameters)
    for group in optimizer.param_groups:
        group["foreach"] = work.on_gpu
    return optimizer


def _inputs(system: System, work: Workload, batch: int, mode: FakeTensorMode | None) -> Tensor:
    """Network inputs; without numbers, they are made of one item: the others are shaped alike."""
    if mode is None:
        return system.inputs(torch.randn((batch, *work.item)))
    with mode:
        raw = torch.empty((1, *work.item))
    one = system.inputs(raw)
    return one.new_empty((batch, *one.shape[1:]))


@contextmanager
def _telling(model: ModelAdapter) -> Iterator[None]:
    try:
        yield
    except _NEEDS_NUMBERS as error:
        raise NotPredictable(
            f"{type(model).__name__}: what it computes rests on the numbers in its input "
            f"({str(error).partition(chr(10))[0][:120]}), so its memory cannot be told beforehand"
        ) from error
