"""Prediction of a step's memory before anything is computed.

The network runs on fake tensors, which have shapes and no numbers; the head runs on real ones, so
that a loss may look at them as it likes. The gradient goes back over the seam. All that a training
step does is done by the code that does it in a training.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from harness.adapter import LossAdapter, ModelAdapter
from harness.budget.front_end_memory import trace_front_end
from harness.budget.gpu_autocast import GpuAutocast
from harness.budget.step_memory import (
    StepMemory,
    peak_of,
    repeat_pass,
    repeat_update,
    sort_frees,
)
from harness.budget.traced_host import TracedHostTensors
from harness.budget.tracing import StorageTrace, fake_backbone, refuse_numbers
from harness.config.recipes import Recipe
from harness.measure.cost import multiply_adds
from harness.train.gradient_accumulation import Precision, autocast, learn
from harness.train.host_tensors import HostTensors
from harness.train.optimization import make_optimizer
from harness.train.system import System, example_labels, example_targets


@dataclass(frozen=True)
class Workload:
    """A system that is trained or applied, without its data.

    Attributes:
        model: the network's adapter.
        loss: the loss's adapter; None if only embeddings are wanted.
        classes: labels of the training split.
        item: shape of a raw item: samples, or height and width.
        recipe: the recipe of its training; None if it is not trained.
        on_gpu: whether a step is a GPU's: features are made within it, the optimiser works on all
            parameters at once, and half precision is chosen as there.
    """

    model: ModelAdapter
    loss: LossAdapter | None
    classes: int
    item: tuple[int, ...]
    recipe: Recipe | None = None
    on_gpu: bool = True

    @property
    def asked(self) -> Recipe:
        """The recipe.

        Raises:
            TypeError: there is no recipe, or no loss.
        """
        if self.recipe is None or self.loss is None:
            raise TypeError("training needs a recipe and a loss")
        return self.recipe

    def rules(self) -> AbstractContextManager[object]:
        """Return what makes the processor's autocast choose as the device's."""
        return GpuAutocast() if self.on_gpu else nullcontext()


def predict_training(
    work: Workload, batch: int, part: int | None, *, fake: bool = True
) -> StepMemory:
    """Predict the memory of the second training step; the first one makes the optimiser's state.

    Its events are those of the first one, if the pass through the network leaves gradients alone;
    but the optimiser's state is there already.

    Of a batch in parts, two parts stand for all of them if the loss is a sum over items and batch
    normalisation sees a part at a time. Where it sees all, every part is gone through: what waits
    is held. On a
    processor the network's inputs are there when the step begins: they are made one step ahead. A
    GPU makes them once the gradients of the step before are gone, and holds them to its end.

    A head that is asked for targets at an epoch's start has some, as in most of its training.

    Args:
        work: the training; its recipe gives optimiser, precision and augmentation.
        batch: items a step.
        part: most items that go through the network together; None for all of them.
        fake: False computes for real, on the processor, and both steps.

    Raises:
        NotPredictable: the network's computation depends on numbers.
    """
    recipe, system = work.asked, _system(work)
    at_once = part is None or system.looks_at_whole_batch or recipe.batch_norm == "full"
    shown = batch if at_once else min(batch, 2 * (part or batch))
    with refuse_numbers(work.model):
        mode = fake_backbone(system) if fake else None
        system.train()
        features = ahead = _inputs(system, work, batch, mode)
        front = trace_front_end(system, (batch, *work.item)) if work.on_gpu else None
        labels = example_labels(recipe, batch, work.classes)
        optimizer = make_optimizer(recipe.optimizer, system.parameters())
        for group in optimizer.param_groups:
            group["foreach"] = work.on_gpu
        trace = StorageTrace()
        with trace, work.rules():
            held = trace.watch([*system.parameters(), *system.buffers()])
            trace.watch([labels] if front else [features, labels])
            if system.assigns:
                system.assigned = example_targets(labels)
            run_pass = _Pass(system, trace, recipe, moves=work.on_gpu)
            begun = len(trace.events)
            if front:
                features = front.replay(trace, ahead)
            inputs = trace.live - held
            run_pass(features[:shown], labels[:shown], part)
            gradients = _gradient_bytes(system)
            left = trace.numbers([*([features] if front else []), *_gradients(system)])
            repeated = repeat_pass(trace.events[begun:], left) if fake else None
            passed = len(trace.events)
            optimizer.step()
            states = trace.live - held - inputs - gradients
            if repeated is None:
                if front:
                    del features
                optimizer.zero_grad(set_to_none=True)
                steady = len(trace.events)
                if front:
                    features = front.replay(trace, ahead)
                run_pass(features[:shown], labels[:shown], part)
                optimizer.step()
            else:
                steady = len(trace.events) + len(left)
                repeated += repeat_update(trace.events[passed:])
            events = (*trace.events, *(repeated or ()))
    return StepMemory(
        parameters=held,
        gradients=gradients,
        optimizer=states,
        inputs=inputs,
        activations=run_pass.activations,
        host=run_pass.host,
        peak=peak_of(events, steady),
        events=sort_frees(events, steady),
        steady=steady,
    )


class _Pass:
    """Forward and backward pass of a batch.

    Attributes:
        activations: the most bytes that the forward pass keeps.
        host: bytes that it moves to main memory.
    """

    def __init__(self, system: System, trace: StorageTrace, recipe: Recipe, *, moves: bool) -> None:
        self._system, self._trace, self._norm = system, trace, recipe.batch_norm
        self._keeper = self._keep if moves else None
        self._kept: HostTensors | None = None
        self.host = 0
        self._precision = Precision(partial(autocast, recipe.precision, "cpu"), self._backward)
        self._before = self.activations = 0
        # Parts whose embeddings' gradient is known go back without a loss of their own.
        system.trunk.register_forward_hook(self._count_activations)

    def __call__(self, inputs: Tensor, labels: Tensor, part: int | None) -> None:
        """Learn from a batch."""
        self._before, self.activations = self._trace.live, 0
        learn(self._system, inputs, labels, part, self._precision, self._norm, self._keeper)
        self._kept = None

    def _keep(self, stays: list[Tensor]) -> HostTensors:
        self._kept = TracedHostTensors(stays)
        return self._kept

    def _count_activations(self, *_: object) -> None:
        kept = self._trace.live - self._before - _gradient_bytes(self._system)
        self.activations = max(self.activations, kept)
        self.host = self._kept.bytes if self._kept else 0

    def _backward(self, loss: Tensor) -> None:
        self._count_activations()
        loss.backward()  # type: ignore[no-untyped-call]


def predict_inference(
    work: Workload, batch: int, *, precision: str = "32-true", fake: bool = True
) -> StepMemory:
    """Predict the memory of embedding a batch of raw items, which the caller holds meanwhile.

    Args:
        work: the system whose network embeds.
        batch: items at once.
        precision: the recipe's name of the precision.
        fake: False computes for real, on the processor.

    Raises:
        NotPredictable: the network's computation depends on numbers.
    """
    system = _system(replace(work, loss=None))
    with refuse_numbers(work.model):
        mode = fake_backbone(system) if fake else None
        system.eval()
        features = _inputs(system, work, batch, mode)
        front = trace_front_end(system, (batch, *work.item))
        trace = StorageTrace()
        with trace, work.rules(), torch.no_grad(), autocast(precision, "cpu"):
            held = trace.watch([*system.parameters(), *system.buffers()])
            features = front.replay(trace, features, keeps_raw=True)
            inputs = trace.live - held
            system.embed(features)
    events = sort_frees(trace.events)
    return StepMemory(parameters=held, inputs=inputs, peak=trace.peak, events=events)


def predict_macs(work: Workload) -> int:
    """Predict the multiply-adds of one item's forward pass.

    Raises:
        NotPredictable: the network's computation depends on numbers.
    """
    system = _system(replace(work, loss=None))
    with refuse_numbers(work.model):
        mode = fake_backbone(system)
        system.eval()
        return multiply_adds(system.trunk, _inputs(system, work, 1, mode))


def _system(work: Workload) -> System:
    counts = [1] * work.classes if work.loss is not None and "counts" in work.loss.needs else None
    augment = work.recipe.augment if work.recipe else None
    return System(work.model, work.loss, work.classes, augment, counts)


def _gradients(system: System) -> list[Tensor]:
    """Return the gradients that are there, in the order of their parameters."""
    return [each.grad for each in system.parameters() if each.grad is not None]


def _gradient_bytes(system: System) -> int:
    return sum(gradient.nbytes for gradient in _gradients(system))


def _inputs(system: System, work: Workload, batch: int, mode: FakeTensorMode | None) -> Tensor:
    """Make network inputs; without numbers, of one item: the others have the same shape."""
    if mode is None:
        return system.inputs(torch.randn((batch, *work.item)))
    with mode:
        raw = torch.empty((1, *work.item))
    one = system.inputs(raw)
    return one.new_empty((batch, *one.shape[1:]))
