"""The memory that a job may take, and what of its batch fits where it was too much."""

from __future__ import annotations

import torch

from harness.config.recipes import Recipe
from harness.feeding.front_end import raw_shape
from harness.measure.memory_use import available_memory
from harness.run.job.parts import Parts
from harness.run.job.spec import JobSpec

GIB = 2**30


def hold_to_budget(spec: JobSpec) -> int:
    """See to it that a GPU gives no more than the budget; gives the bytes that a job may take.

    The allocator refuses what is over it, so that a large card feels as the budget's does.
    """
    if spec.device != "cuda":
        return available_memory()
    card = torch.cuda.get_device_properties(0).total_memory
    limit = min(card, spec.memory_limit or card)
    torch.cuda.set_per_process_memory_fraction(limit / card)
    return limit


def what_fits(spec: JobSpec, left: int) -> str:
    """The batch that would have fitted; empty where it cannot be told.

    Args:
        spec: a job that ran out of memory.
        left: bytes that it might take when it began.
    """
    recipe = spec.recipe
    if recipe is None:
        return ""
    fits = _largest(Parts(spec), recipe, left)
    if fits is None:
        return ""
    asked, free = recipe.micro_batch or recipe.batch, f"{left / GIB:.2g} GiB"
    if fits >= asked:
        return f"{asked} at once were predicted to fit in the {free} there were"
    if fits == 0:
        return f"not even 2 at once are predicted to fit in the {free} there were"
    return (
        f"{fits} at once are predicted to fit in the {free} there were: give the recipe "
        f"micro_batch = {fits}"
    )


def _largest(parts: Parts, recipe: Recipe, left: int) -> int | None:
    """Items of a step that fit at once; None where it cannot be told."""
    from harness.budget.fit_to_budget import largest_training
    from harness.budget.prediction import Workload
    from harness.budget.tracing import NotPredictable

    dataset, model = parts.dataset, parts.model
    seconds = recipe.crop_seconds or float(dataset.listing.items["seconds"].max())
    item = raw_shape(model.inputs(), seconds)
    on_gpu = parts.spec.device == "cuda"
    work = Workload(model, parts.loss, len(dataset.classes), item, recipe, on_gpu=on_gpu)
    try:
        return largest_training(work, left)
    except NotPredictable:
        return None
