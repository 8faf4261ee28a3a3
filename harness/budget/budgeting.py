"""How a recipe is trained within a memory budget, told before its first step."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import partial

from harness.adapter import CHECKPOINTING, ModelAdapter
from harness.budget.largest import largest_batch
from harness.budget.prediction import Workload, predict_inference, predict_training
from harness.budget.scaling import Step, at_any_batch
from harness.budget.step_memory import StepMemory
from harness.records.record import Prediction
from harness.train.accumulation import parts_of

FEWEST = 8
"""Items that a part should have: batch normalisation has nothing to go by in fewer."""

BESIDE = 1.6
"""What a process takes over the bytes of its tensors: oneDNN's workspaces pass torch's allocator
by, and a ResNet's were seen to take half as much again as its tensors.
"""

ALWAYS = 160 * 2**20
"""What it takes whatever the batch: libraries loaded late, stacks of threads, compiled kernels."""

SOME, MORE = 4, 12
"""Batches by which all others are told."""


@dataclass(frozen=True)
class Within:
    """How a batch goes through a network within a budget.

    Attributes:
        part: most items that go through together; None for all of the batch.
        checkpointing: whether the network is made to compute activations again.
        step: what it then holds.
        fits: False where it takes more than there is, whatever is done.
    """

    part: int | None
    checkpointing: bool
    step: StepMemory
    fits: bool = True

    @property
    def whole(self) -> StepMemory | None:
        """What the batch holds at once; None where it is computed in parts."""
        return self.step if self.part is None else None


def within(work: Workload, limit: int) -> Within:
    """Choose how a recipe's batch is computed: at once, in parts, with activations made again.

    Parts come first: they cost no time. Activations are made again where parts would have fewer
    than `FEWEST` items otherwise.

    Args:
        work: what is trained; its recipe says what of the batch its authors let through together.
        limit: bytes that a GPU's allocator may take.

    Raises:
        NotPredictable: the network wants to see numbers.
    """
    recipe = work.asked
    step = predict_training(work, recipe.batch, recipe.micro_batch)
    if _fits(step, limit):
        return Within(recipe.micro_batch, False, step)
    part = largest_part(work, limit)
    if part < min(FEWEST, recipe.batch) and _can_checkpoint(work.model):
        lean = dataclasses.replace(work, model=checkpointing(work.model))
        step = predict_training(lean, recipe.batch, recipe.micro_batch)
        if _fits(step, limit):
            return Within(recipe.micro_batch, True, step)
        return _in_parts(lean, largest_part(lean, limit), checkpointing=True)
    return _in_parts(work, part, checkpointing=False)


def largest_part(work: Workload, limit: int) -> int:
    """Most items that go through the network together within a limit, the batch being in parts."""
    recipe = work.asked
    # One part more than there are at least.
    most = math.ceil(
        recipe.batch / (1 + parts_of(recipe.batch, recipe.micro_batch or recipe.batch))
    )
    step: Step = partial(predict_training, work, recipe.batch)
    if most > SOME:
        step = at_any_batch(step, SOME, most)
    return largest_batch(lambda part: _fits(step(part), limit), most=most)


def largest_training(work: Workload, limit: int, whole: StepMemory | None = None) -> int:
    """Most items that a step takes at once within a limit: a GPU's, or of this process.

    Args:
        work: what is trained.
        limit: bytes.
        whole: what the recipe's batch holds at once, where that is known: it saves a pass.
    """
    batch = work.asked.batch
    known = {batch: whole} if whole and batch > SOME else {}

    def traced(items: int) -> StepMemory:
        return known.get(items) or predict_training(work, items, None)

    step = at_any_batch(traced, SOME, max(known, default=MORE))
    fits = _fits if work.on_gpu else _fits_here
    # One item alone has no statistics of its batch.
    return largest_batch(lambda batch: fits(step(batch), limit), least=2)


def embedding_step(work: Workload, precision: str = "32-true") -> Step:
    """What gives the memory of embedding a batch.

    Args:
        work: whose network embeds.
        precision: what it computes in, by a recipe's name of it.

    Raises:
        NotPredictable: the network wants to see numbers.
    """
    return at_any_batch(partial(predict_inference, work, precision=precision), SOME, MORE)


def largest_inference(step: Step, limit: int) -> int:
    """Most items that are embedded at once within a limit, by what gives the memory of a batch."""
    return largest_batch(lambda batch: _fits(step(batch), limit))


def prediction(step: StepMemory) -> Prediction:
    """A step's memory, as a record holds it."""
    return Prediction(
        parameters=step.parameters,
        gradients=step.gradients,
        optimizer=step.optimizer,
        inputs=step.inputs,
        activations=step.activations,
        temporaries=step.temporaries,
        peak=step.peak,
        reserved=_taken(step),
    )


def checkpointing(model: ModelAdapter) -> ModelAdapter:
    """The model with activations made again in the backward pass."""
    lean: ModelAdapter = dataclasses.replace(model, **{CHECKPOINTING: True})  # type: ignore[type-var]
    return lean


def _in_parts(work: Workload, part: int, *, checkpointing: bool) -> Within:
    """Even parts of at most so many items; of two where not even these fit."""
    batch = work.asked.batch
    least = min(2, batch - 1)
    count = parts_of(batch, max(part, least, 1))
    even = math.ceil(batch / count)
    step = predict_training(work, batch, even if count > 1 else None)
    return Within(even if count > 1 else None, checkpointing, step, part >= least)


def _fits(step: StepMemory, limit: int) -> bool:
    return step.reserved(limit) is not None


def _fits_here(step: StepMemory, limit: int) -> bool:
    return ALWAYS + step.peak * BESIDE <= limit


def _taken(step: StepMemory) -> int:
    taken = step.reserved()
    if taken is None:
        raise TypeError("an allocator without a limit refuses nothing")
    return taken


def _can_checkpoint(model: ModelAdapter) -> bool:
    names = {field.name for field in dataclasses.fields(model)}  # type: ignore[arg-type]
    return CHECKPOINTING in names and not getattr(model, CHECKPOINTING)
