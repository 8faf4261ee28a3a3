"""The system that is measured, noise of its items' shapes, and its training step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from harness.config.recipes import Recipe
from harness.data.corpus import SAMPLE_RATE
from harness.feeding.front_end import raw_shape, raw_tensor
from harness.measure.speed import Times, timed
from harness.run.job.context import JobContext
from harness.run.job.results import ITEM_SECONDS
from harness.run.job.spec import embedding_precision
from harness.train.accumulation import Precision, autocast, learn
from harness.train.example import example_labels
from harness.train.optimizer import make_optimizer
from harness.train.system import System

ON_PROCESSOR = 64
"""Items at once beyond which a processor is not tried: its caches are full long before."""


class BenchmarkTarget:
    """A job's system and what is measured of it; it is made when it is first asked for.

    Args:
        context: of the job.
    """

    def __init__(self, context: JobContext) -> None:
        self.context, self.spec, self.device = context, context.spec, context.device
        self.audio = context.dataset.listing.corpus.kind == "audio"

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
        with torch.inference_mode(), precision:
            return self.system.output(raw, "embedding")

    def embed_first(self) -> None:
        """Embed one item, for which somebody waits who starts a program."""
        item = raw_shape(self.context.model.inputs(), ITEM_SECONDS)
        self.embed(torch.randn((1, *item)).to(self.device))

    def embedding_times(self, raw: Tensor, repeats: int, at_most: float) -> Times:
        """Time the embedding of a batch."""
        action = partial(self.embed, raw)
        return timed(action, repeats, warmup=1, device=self.device, at_most=at_most)

    @property
    def most_at_once(self) -> int:
        """Items that are tried at once, by the budget if there is a GPU."""
        if self.device.type != "cuda":
            return ON_PROCESSOR
        return self.spec.embedding.largest or ON_PROCESSOR

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
        """Return a step of a training on inputs that are there: a training makes them ahead."""
        system = self.system
        if "compile" in self.spec.options:
            # A training's batches are all of one shape: its kernels are compiled for that alone.
            torch.compiler.reset()
        raw = self.noise(recipe.batch, recipe.crop_seconds)
        labels = example_labels(recipe, recipe.batch, len(self.context.dataset.classes))
        return learning_step(system, recipe, raw, labels.to(self.device))


def learning_step(
    system: System, recipe: Recipe, raw: Tensor, labels: Tensor
) -> Callable[[], None]:
    """Return a step of a training on one batch of raw items."""
    system.train()
    optimizer = make_optimizer(recipe.optimizer, system.parameters())
    inputs = system.inputs(raw)
    forward = partial(autocast, recipe.precision, raw.device.type)
    precision = Precision(forward, torch.Tensor.backward)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        learn(system, inputs, labels, recipe.micro_batch, precision)
        optimizer.step()

    return step
