"""A short trial: how long a system's training steps and embeddings take in this place.

Steps with a few items tell it: beside what a step takes anyway, its time grows with its items. What
other programs take of the processor meanwhile is not counted, so that a trial on a busy machine
tells what an idle one does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import psutil
import torch
from torch import Tensor

from harness.config.recipes import Recipe
from harness.feeding.front_end import raw_shape
from harness.measure.timing import cpu_times, time_action
from harness.run.job.measured import learning_step
from harness.run.job.measurement import ITEM_SECONDS, Speed, Trial
from harness.run.job.measuring import expected_seconds
from harness.run.job.memory import telling_memory
from harness.run.job.parts import Parts
from harness.run.job.spec import JobSpec
from harness.train.system import System

FEWEST, ENOUGH = 8, 0.5
"""Items and seconds of a step from which on more items would tell little more."""

TOO_LONG = 2.0
"""Seconds of a step after which none with more items is tried."""

AT_MOST = 0.5
"""Seconds that the repeats of one figure may take; one is always timed."""


def time_system(spec: JobSpec) -> Speed:
    """Time a job's system on noise.

    Raises:
        OutOfMemory: not even a few items fit.
    """
    trial = spec.trial
    if trial is None:
        raise TypeError("a trial needs the dataset's shapes")
    with telling_memory("in a trial"):
        return _timed(Parts(spec), trial)


def _timed(parts: Parts, trial: Trial) -> Speed:
    spec = parts.spec
    system = parts.system_for(trial.classes, lambda: [1] * trial.classes)
    _embedding(parts, system, trial.item_seconds, 1)
    start = (time.time() - psutil.Process().create_time()) * (1 - (cpu_times().share or 0.0))
    item = _embedding(parts, system, trial.item_seconds, trial.together) / trial.together
    phases = spec.recipe.phases if spec.recipe and spec.loss else ()
    steps = tuple(
        _step(parts, system, phase, seconds, trial.classes)
        for phase, seconds in zip(phases, trial.crop_seconds, strict=True)
    )
    single = item * ITEM_SECONDS / trial.item_seconds if trial.item_seconds else item
    measuring = expected_seconds(single, steps, spec.threads, audio=trial.item_seconds > 0)
    return Speed(start=start, steps=steps, item=item, measuring=measuring)


def _embedding(parts: Parts, system: System, seconds: float, items: int) -> float:
    raw = _noise(parts, seconds, items)
    system.eval()

    def embed() -> None:
        with torch.inference_mode():
            system.output(raw, "embedding")

    return _seconds(parts, embed)


def _step(parts: Parts, system: System, recipe: Recipe, seconds: float, classes: int) -> float:
    """Seconds of a step, from steps with fewer items."""
    most = recipe.micro_batch or recipe.batch
    each = recipe.sampler.utterances if recipe.sampler else 1
    few = recipe.model_copy(update={"micro_batch": None})
    times: dict[int, float] = {}
    items = min(most, 2 * each)
    while items not in times:
        labels = torch.arange(items) // each % classes
        raw = _noise(parts, seconds, items)
        step = learning_step(system, few, raw, labels.to(parts.device))
        spent = times[items] = _seconds(parts, step)
        if spent < TOO_LONG and (spent < ENOUGH or items < FEWEST):
            items = min(most, 2 * items)
    return with_more(times, most) * recipe.batch / most


def with_more(times: Mapping[int, float], items: int) -> float:
    """Seconds of a step with more items, along the line through the fewest and the most timed.

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


def _noise(parts: Parts, seconds: float, items: int) -> Tensor:
    shape = raw_shape(parts.model.inputs(), seconds)
    return torch.randn((items, *shape)).to(parts.device)


def _seconds(parts: Parts, action: Callable[[], None]) -> float:
    """Median of what fits `AT_MOST`, after a warm-up, less what was waited for a processor."""
    before = cpu_times()
    times = time_action(action, 3, warmup=1, device=parts.device, at_most=AT_MOST, fewest=1)
    waited = cpu_times().since(before).share if parts.device.type == "cpu" else None
    return times.median * (1 - (waited or 0.0))
