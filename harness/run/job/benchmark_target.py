"""The system that is measured, noise of its items' shapes, its training step; and a timing trial.

The trial estimates the time of training steps and embeddings on this machine from steps with a
few items: beside a fixed cost, a step's time grows with its items. Time that was waited for a
processor is not counted, so that a trial on a busy machine gives the times of an idle one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

from harness.config.recipes import Recipe
from harness.data.corpus import SAMPLE_RATE
from harness.feeding.feeder import made_ahead
from harness.feeding.front_end import raw_shape, raw_tensor
from harness.measure.rounding import arithmetic
from harness.measure.timing import Times, cpu_times, time_action
from harness.run.job.context import JobContext, StepOutOfMemory, memory_errors
from harness.run.job.results import ITEM_SECONDS, Speed, TimedShapes
from harness.run.job.spec import embedding_precision
from harness.train.gradient_accumulation import Precision, autocast, learn
from harness.train.optimization import make_optimizer
from harness.train.system import System, example_labels

ON_PROCESSOR = 64
"""Items at once beyond which a processor is not tried: its caches are full long before."""

FEWEST, ENOUGH = 8, 0.5
"""Items and seconds of a step from which on more items would add little."""

TOO_LONG = 2.0
"""Seconds of a step after which none with more items is tried."""

TRIAL, TRIALS = 0.5, 3
"""Seconds after which a trial repeats an action no more, and the repeats that are the most."""


class BenchmarkTarget:
    """A job's system and what is measured of it; it is made when it is first asked for.

    Args:
        context: of the job.
    """

    def __init__(self, context: JobContext) -> None:
        self.context, self.spec, self.device = context, context.spec, context.device
        kind = context.dataset.listing.corpus.kind
        self.audio = kind == "audio"
        self.item = {"image": "picture", "vectors": "turn"}.get(kind, "item")

    @cached_property
    def system(self) -> System:
        """The system, freshly initialised."""
        system, options = self.context.system(), self.spec.options
        if "channels-last" in options:
            system.trunk = system.trunk.to(memory_format=torch.channels_last)
        if "compile" in options:
            # After many compilations torch goes back to plain kernels: not what is asked.
            torch._dynamo.config.fail_on_recompile_limit_hit = True
            system.trunk = torch.compile(system.trunk)  # type: ignore[assignment]
        return system

    def embed(self, raw: Tensor) -> Tensor:
        """Return embeddings of raw items on the device."""
        self.system.eval()
        precision = autocast(embedding_precision(self.spec.options), self.device.type)
        with arithmetic(self.device), torch.inference_mode(), precision:
            return self.system.output(raw, "embedding")

    def embed_first(self) -> None:
        """Embed one item, for which somebody waits who starts a program."""
        item = raw_shape(self.context.model.inputs(), ITEM_SECONDS)
        self.embed(torch.randn((1, *item)).to(self.device)).cpu()  # a GPU has then finished

    def embedding_times(self, raw: Tensor, **repeats: Any) -> Times:
        """Time the embedding of a batch; the rest is as of `time_action`."""
        times = time_action(partial(self.embed, raw), device=self.device, **repeats)
        self.context.go_on()
        return times

    @property
    def most_at_once(self) -> int:
        """Items that are tried at once, by the budget if there is a GPU."""
        if self.device.type != "cuda":
            return ON_PROCESSOR
        largest = self.spec.embedding.largest
        return ON_PROCESSOR if largest is None else max(1, largest)

    def noise(self, batch: int, seconds: float | None) -> Tensor:
        """Return noise of the shape of the dataset's items, on which speed does not depend."""
        generator = np.random.Generator(np.random.PCG64(0))
        subset = self.context.dataset.subset("train")
        if self.audio:
            samples = round(seconds * SAMPLE_RATE) if seconds else subset.length(0)
            noise = generator.normal(0, 3000, (batch, samples)).astype(np.int16)
        else:
            shape = (batch, *subset.item(0).shape)
            noise = generator.integers(0, 255, shape, dtype=np.uint8)
        return raw_tensor(list(noise)).to(self.device)

    def training_step(self, recipe: Recipe) -> Callable[[], None]:
        """Return a step of a training (see `learning_step`)."""
        system = self.system
        if "compile" in self.spec.options:
            # A training's batches are all of one shape: its kernels are compiled for that alone.
            torch.compiler.reset()
        raw = self.noise(recipe.batch, recipe.crop_seconds)
        labels = example_labels(recipe, recipe.batch, len(self.context.dataset.classes))
        # From the host, as crops come in a training.
        return learning_step(system, recipe, raw.cpu(), labels.to(self.device))


def learning_step(
    system: System, recipe: Recipe, raw: Tensor, labels: Tensor
) -> Callable[[], None]:
    """Return a step of a training on one batch of raw items.

    Where a training makes features ahead, they are there; a GPU makes them in every step, and its
    step holds and takes what that needs.

    Args:
        system: that is trained.
        recipe: of the training.
        raw: items, on the host or the device.
        labels: of the items, on the device.
    """
    system.train()
    device = labels.device
    optimizer = make_optimizer(recipe.optimizer, system.parameters(), fused=device.type == "cpu")
    ahead = system.inputs(raw.to(device)) if made_ahead(device) else None
    precision = Precision(partial(autocast, recipe.precision, device.type), torch.Tensor.backward)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with arithmetic(device, tf32=recipe.tf32, deterministic=recipe.deterministic):
            inputs = system.inputs(raw.to(device)) if ahead is None else ahead
            learn(system, inputs, labels, recipe.micro_batch, precision, recipe.batch_norm)
            optimizer.step()

    return step


def time_system(context: JobContext, shapes: TimedShapes) -> Speed:
    """Time a job's system on noise, without estimating the time of measuring.

    Raises:
        OutOfMemory: not even a few items fit.
    """
    spec, before = context.spec, cpu_times()
    with memory_errors("in a trial", StepOutOfMemory):
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
    waited = cpu_times().since(before).share if context.device.type == "cpu" else None
    return Speed(start=start, steps=steps, item=item, waited=waited or 0.0)


def _embedding_seconds(context: JobContext, system: System, seconds: float, items: int) -> float:
    raw = _noise(context, seconds, items)
    system.eval()

    def embed() -> None:
        with arithmetic(context.device), torch.inference_mode():
            system.output(raw, "embedding")

    return _median_seconds(context, embed)


def _step_seconds(
    context: JobContext, system: System, recipe: Recipe, seconds: float, classes: int
) -> float:
    """Estimate the seconds of a step from steps with fewer items.

    These go through the network at once, or, where a step's parts do so in lock-step, in two.
    """
    in_lockstep = recipe.batch_norm == "full" and recipe.micro_batch is not None
    most = (recipe.micro_batch or recipe.batch) * (2 if in_lockstep else 1)
    each = recipe.sampler.utterances if recipe.sampler else 1
    times: dict[int, float] = {}
    items = min(most, 2 * each)
    while items not in times:
        labels = torch.arange(items) // each % classes
        raw = _noise(context, seconds, items)
        few = recipe.model_copy(update={"micro_batch": (items + 1) // 2 if in_lockstep else None})
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
    """Time a few repeats, less the time waited for a processor."""
    before = cpu_times()
    times = time_action(action, device=context.device, at_least=TRIAL, fewest=1, most=TRIALS)
    waited = cpu_times().since(before).share if context.device.type == "cpu" else None
    return times.median * (1 - (waited or 0.0))
