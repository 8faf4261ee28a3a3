"""Training and embedding within a memory budget, decided before the first step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from harness.adapter import CHECKPOINTING, ModelAdapter
from harness.budget.prediction import Workload, predict_inference, predict_training
from harness.budget.step_memory import Step, StepMemory, step_at_any_batch
from harness.records.costs import Prediction
from harness.train.gradient_accumulation import parts_of
from harness.train.system import OF_WHOLE_BATCHES

MIN_PART = 8
"""Items that a part should have: batch normalisation has nothing to go by in fewer."""

PROCESS_FACTOR = 1.6
"""Bytes of a process over the bytes of its tensors: oneDNN's workspaces pass torch's allocator
by, and a ResNet's were seen to take half as much again as its tensors.
"""

PROCESS_BASE = 160 * 2**20
"""Bytes of a process at any batch: libraries loaded late, stacks of threads, compiled kernels."""

WORKSPACES = 256 * 2**20
"""Bytes of a GPU's allocator that a plan leaves to kernels, at any batch and on any card.

cuBLAS takes 32 MiB for each thread that computes (forward and backward pass) on cards of
capability 9.0 and with `CUBLAS_WORKSPACE_CONFIG=:4096:8`, 8 MiB on others without it. The rest is
for cuDNN, which chooses a convolution's way by what it gets. One number for all capabilities: plans
are made where no card need be.
"""

SMALL_BATCH, LARGE_BATCH = 4, 12
"""Batches that are traced; the memory at all others is interpolated."""


@dataclass(frozen=True)
class BudgetFit:
    """The way a batch goes through a network within a budget.

    Attributes:
        part: most items that go through together (gradient accumulation); None for all of the
            batch.
        checkpointing: whether the network computes activations again.
        step: memory of the step.
        fits: False if it takes more than there is, whatever is done.
    """

    part: int | None
    checkpointing: bool
    step: StepMemory
    fits: bool = True

    @property
    def whole(self) -> StepMemory | None:
        """Memory of the batch at once; None if it is computed in parts."""
        return self.step if self.part is None else None


def without_workspaces(limit: int) -> int:
    """Return what tensors may take of a limit: all but `WORKSPACES`, or an eighth if that is less.

    >>> without_workspaces(4 * 2**30) / 2**30
    3.75
    """
    return limit - min(WORKSPACES, limit // 8)


def fit_to_budget(work: Workload, limit: int) -> BudgetFit:
    """Choose between the whole batch, gradient accumulation, and gradient checkpointing.

    Parts come first: they cost no time. Activations are computed again if parts would have fewer
    than `MIN_PART` items otherwise. Where the recipe asks for batch normalisation over the whole
    batch, parts may be of one item, and what waits lies in main memory: nothing is computed again.

    Args:
        work: the training; its recipe may already name the part that its authors use.
        limit: bytes that tensors may take (see `without_workspaces`).

    Raises:
        NotPredictable: the network's computation depends on numbers.
    """
    recipe = work.asked
    step = predict_training(work, recipe.batch, recipe.micro_batch)
    if _fits(step, limit):
        return BudgetFit(recipe.micro_batch, False, step)
    if recipe.batch_norm == "full":
        return _in_lockstep(work, limit)
    part = _largest_part(work, limit)
    if part < min(MIN_PART, recipe.batch) and _can_checkpoint(work.model):
        lean = dataclasses.replace(work, model=checkpointing(work.model))
        step = predict_training(lean, recipe.batch, recipe.micro_batch)
        if _fits(step, limit):
            return BudgetFit(recipe.micro_batch, True, step)
        return _in_even_parts(lean, _largest_part(lean, limit), checkpointing=True)
    return _in_even_parts(work, part, checkpointing=False)


def largest_training(work: Workload, limit: int, whole: StepMemory | None = None) -> int:
    """Return the largest batch of a training step within a limit: a GPU's, or of this process.

    Args:
        work: the training.
        limit: bytes.
        whole: memory of the recipe's batch at once, if it is known: it saves a pass.
    """
    batch = work.asked.batch
    known = {batch: whole} if whole and batch > SMALL_BATCH else {}

    def trace(items: int) -> StepMemory:
        return known.get(items) or predict_training(work, items, None)

    large = max(known, default=LARGE_BATCH)
    # A loss that looks at the whole batch may hold something for every two items.
    more = (2 * large,) if work.loss and work.loss.needs & OF_WHOLE_BATCHES else ()
    step = step_at_any_batch(trace, SMALL_BATCH, large, *more)

    def fits(items: int) -> bool:
        if work.on_gpu:
            return _fits(step(items), limit)
        return PROCESS_BASE + step(items).peak * PROCESS_FACTOR <= limit

    # One item alone has no statistics of its batch.
    return largest_batch(fits, least=2)


def embedding_step(work: Workload, precision: str = "32-true") -> Step:
    """Return the memory of embedding as a function of the batch.

    Args:
        work: the system whose network embeds.
        precision: the recipe's name of the precision.

    Raises:
        NotPredictable: the network's computation depends on numbers.
    """
    step = partial(predict_inference, work, precision=precision)
    return step_at_any_batch(step, SMALL_BATCH, LARGE_BATCH)


def largest_inference(step: Step, limit: int) -> int:
    """Return the most items that are embedded at once within a limit."""
    return largest_batch(lambda batch: _fits(step(batch), limit))


def largest_batch(fits: Callable[[int], bool], *, least: int = 1, most: int = 2**16) -> int:
    """Return the largest batch that fits, 0 if not even the least one does.

    Batches are doubled until one does not fit: trying one may itself take what it would take.

    Holes in an allocator's segments come and go as a batch grows, so a batch above the one that is
    found may fit again; the one right above it does not.

    Args:
        fits: whether a batch fits.
        least: no smaller one can be computed; 1 or more.
        most: no larger one is of interest.

    >>> largest_batch(lambda batch: 100 + 7 * batch <= 1000)
    128
    """
    low, high = least - 1, most + 1
    doubled = least
    while high - low > 1:
        middle = min((low + high) // 2, doubled)
        doubled *= 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low if low >= least else 0


def prediction(step: StepMemory, limit: int) -> Prediction:
    """Return a step's memory as a record holds it.

    Args:
        step: the step.
        limit: bytes that the allocator may take where the step is measured.
    """
    unlimited = step.reserved()
    if unlimited is None:
        raise TypeError("an allocator without a limit refuses nothing")
    within = unlimited if unlimited <= limit else step.reserved(limit)
    return Prediction(
        parameters=step.parameters,
        gradients=step.gradients,
        optimizer=step.optimizer,
        inputs=step.inputs,
        activations=step.activations,
        temporaries=step.temporaries,
        peak=step.peak,
        reserved=unlimited if within is None else within,
        unlimited=unlimited,
        host=step.host,
    )


def checkpointing(model: ModelAdapter) -> ModelAdapter:
    """Return the model with activations computed again in the backward pass."""
    lean: ModelAdapter = dataclasses.replace(model, **{CHECKPOINTING: True})  # type: ignore[type-var]
    return lean


def _largest_part(work: Workload, limit: int) -> int:
    """Return the largest part of a batch within a limit, if the batch is computed in parts."""
    recipe = work.asked
    # One part more than there are at least.
    most = math.ceil(
        recipe.batch / (1 + parts_of(recipe.batch, recipe.micro_batch or recipe.batch))
    )
    step: Step = partial(predict_training, work, recipe.batch)
    if most > SMALL_BATCH:
        step = step_at_any_batch(step, SMALL_BATCH, most)
    return largest_batch(lambda part: _fits(step(part), limit), most=most)


def _in_even_parts(work: Workload, part: int, *, checkpointing: bool) -> BudgetFit:
    """Predict even parts of at most so many items; of two if not even these fit."""
    batch = work.asked.batch
    least = min(2, batch - 1)
    count = parts_of(batch, max(part, least, 1))
    even = math.ceil(batch / count) if count > 1 else None
    step = predict_training(work, batch, even)
    return BudgetFit(even, checkpointing, step, part >= least)


def _in_lockstep(work: Workload, limit: int) -> BudgetFit:
    """Return few parts in lock-step that fit: the fewest, or up to a quarter more.

    Every part takes a pass of its own, so not all numbers of parts are tried. The peak over the
    size of a part is the most of several straight lines: what waits, and so much for each item that
    computes. The line through two sizes lies below it at smaller ones, so where it passes the limit
    nothing fits, and where it does not it tells the least number to go on with.
    """
    batch = work.asked.batch
    few = 1 + parts_of(batch, work.asked.micro_batch or batch)
    coarse, count = _parted(work, limit, few), 2 * few
    if coarse.fits:
        return coarse
    fine = _parted(work, limit, count)
    if fine.fits:
        between = (_parted(work, limit, each) for each in range(few + 1, count))
        return next((each for each in between if each.fits), fine)
    size = math.ceil(batch / count)
    slope = (coarse.step.peak - fine.step.peak) / max(1, math.ceil(batch / few) - size)
    most = size - (fine.step.peak - limit) / max(1, slope)
    while most >= 1 and not fine.fits and count < batch:
        count = min(batch, max(count + count // 4, parts_of(batch, int(most))))
        fine = _parted(work, limit, count)
    return fine


def _parted(work: Workload, limit: int, count: int) -> BudgetFit:
    part = math.ceil(work.asked.batch / count)
    step = predict_training(work, work.asked.batch, part)
    return BudgetFit(part, False, step, _fits(step, limit))


def _fits(step: StepMemory, limit: int) -> bool:
    return step.reserved(limit) is not None


def _can_checkpoint(model: ModelAdapter) -> bool:
    names = {field.name for field in dataclasses.fields(model)}  # type: ignore[arg-type]
    return CHECKPOINTING in names and not getattr(model, CHECKPOINTING)
