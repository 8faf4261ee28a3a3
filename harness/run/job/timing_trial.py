"""A timing trial estimates the time of a system's training steps and embeddings on this machine.

It times steps with a few items: beside a fixed cost, a step's time grows with its items. Time that
was waited for a processor is not counted, so that a trial on a busy machine gives the times of an
idle one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import psutil
import torch
from torch import Tensor

from harness.config.recipes import Recipe
from harness.feeding.front_end import raw_shape
from harness.measure.speed import timed
from harness.measure.waiting import cpu_times
from harness.run.job.benchmark_target import learning_step
from harness.run.job.context import JobContext, memory_errors
from harness.run.job.measure_stage import measuring_seconds
from harness.run.job.results import ITEM_SECONDS, Speed
from harness.train.system import System

FEWEST, ENOUGH = 8, 0.5
"""Items and seconds of a step from which on more items would add little."""

TOO_LONG = 2.0
"""Seconds of a step after which none with more items is tried."""

AT_MOST = 0.5
"""Seconds that the repeats of one figure may take; one is always timed."""


def time_system(context: JobContext) -> Speed:
    """Time a job's system on noise.

    Raises:
        OutOfMemory: not even a few items fit.
    """
    spec, shapes = context.spec, context.spec.shapes
    if shapes is None:
        raise TypeError("a timing trial needs the dataset's shapes")
    with memory_errors("in a trial"):
        system = context.system_for(shapes.classes, lambda: [1] * shapes.classes)
        _embedding_seconds(context, system, shapes.item_seconds, 1)
        start = (time.time() - psutil.Process().create_time()) * (1 - (cpu_times().share or 0.0))
        batch = _embedding_seconds(context, system, shapes.item_seconds, shapes.together)
        item = batch / shapes.together
        phases = spec.recipe.phases if spec.recipe and spec.loss else ()
        steps = tuple(
            _step_seconds(context, system, phase, seconds, shapes.classes)
            for phase, seconds in zip(phases, shapes.crop_seconds, strict=True)
        )
        single = item * ITEM_SECONDS / shapes.item_seconds if shapes.item_seconds else item
        audio = shapes.item_seconds > 0
        measuring = measuring_seconds(single, steps, spec.threads, audio=audio)
    return Speed(start=start, steps=steps, item=item, measuring=measuring)


def _embedding_seconds(context: JobContext, system: System, seconds: float, items: int) -> float:
    raw = _noise(context, seconds, items)
    system.eval()

    def embed() -> None:
        with torch.inference_mode():
            system.output(raw, "embedding")

    return _median_seconds(context, embed)


def _step_seconds(
    context: JobContext, system: System, recipe: Recipe, seconds: float, classes: int
) -> float:
    """Estimate the seconds of a step from steps with fewer items."""
    most = recipe.micro_batch or recipe.batch
    each = recipe.sampler.utterances if recipe.sampler else 1
    few = recipe.model_copy(update={"micro_batch": None})
    times: dict[int, float] = {}
    items = min(most, 2 * each)
    while items not in times:
        labels = torch.arange(items) // each % classes
        raw = _noise(context, seconds, items)
        step = learning_step(system, few, raw, labels.to(context.device))
        spent = times[items] = _median_seconds(context, step)
        if spent < TOO_LONG and (spent < ENOUGH or items < FEWEST):
            items = min(most, 2 * items)
    return with_more(times, most) * recipe.batch / most


def with_more(times: Mapping[int, float], items: int) -> float:
    """Extrapolate a step's seconds to more items, along the line through the fewest and the most.

    >>> with_more({2: 1.0, 8: 2.5}, 32)
    8.5
    >>> with_more({4: 1.0}, 32)
    8.0

    Args:
        times: items of a step -> its seconds.
        items: of the step that is asked for.
    """
    few, many = min(times), max(times)
    in_proportion = times[many] / many
    slope = (times[many] - times[few]) / (many - few) if many > few else in_proportion
    # Noise must not make what is added cost nothing, nor more than what was timed.
    slope = min(in_proportion, max(slope, in_proportion / 4))
    return times[many] + slope * (items - many)


def _noise(context: JobContext, seconds: float, items: int) -> Tensor:
    shape = raw_shape(context.model.inputs(), seconds)
    return torch.randn((items, *shape)).to(context.device)


def _median_seconds(context: JobContext, action: Callable[[], None]) -> float:
    """Time what fits `AT_MOST`, after a warm-up, less the time waited for a processor."""
    before = cpu_times()
    times = timed(action, 3, warmup=1, device=context.device, at_most=AT_MOST, fewest=1)
    waited = cpu_times().since(before).share if context.device.type == "cpu" else None
    return times.median * (1 - (waited or 0.0))
