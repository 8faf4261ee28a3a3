"""What is measured: a system, examples for it, and its step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from harness.config.recipes import Recipe
from harness.data.corpus import SAMPLE_RATE
from harness.feeding.front_end import raw_shape, raw_tensor
from harness.measure.timing import Times, time_action
from harness.run.job.measurement import ITEM_SECONDS
from harness.run.job.parts import Parts
from harness.run.job.spec import embedding_precision
from harness.train.gradient_accumulation import Precision, autocast, learn
from harness.train.optimization import make_optimizer
from harness.train.system import System, example_labels

ON_PROCESSOR = 64
"""Items at once beyond which a processor is not tried: its caches are full long before."""


class Measured:
    """A job's system with what is asked of it; it is made when it is first asked for.

    Args:
        parts: of the job.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.device = parts.device
        self.audio = parts.dataset.listing.corpus.kind == "audio"

    @cached_property
    def system(self) -> System:
        """The system, freshly initialised."""
        system, options = self.parts.system(), self.parts.spec.options
        if "channels-last" in options:
            system.trunk = system.trunk.to(memory_format=torch.channels_last)
        if "compile" in options:
            # After many compilations torch goes back to plain kernels: not what is asked.
            torch._dynamo.config.fail_on_recompile_limit_hit = True
            system.trunk = torch.compile(system.trunk)  # type: ignore[assignment]
        return system

    def embed(self, raw: Tensor) -> Tensor:
        """Embeddings of raw items on the device."""
        self.system.eval()
        with torch.inference_mode(), self._inference_precision():
            return self.system.output(raw, "embedding")

    def embed_first(self) -> None:
        """What somebody waits for who starts a program: one item's embedding."""
        item = raw_shape(self.parts.model.inputs(), ITEM_SECONDS)
        self.embed(torch.randn((1, *item)).to(self.device))

    def _inference_precision(self) -> AbstractContextManager[object]:
        return autocast(embedding_precision(self.parts.spec.options), self.device.type)

    def embedding_times(self, raw: Tensor, repeats: int, at_most: float) -> Times:
        """How long embedding a batch takes."""
        action = partial(self.embed, raw)
        return time_action(action, repeats, warmup=1, device=self.device, at_most=at_most)

    @property
    def most_at_once(self) -> int:
        """Items that are tried at once, by the budget where there is a GPU."""
        if self.device.type != "cuda":
            return ON_PROCESSOR
        return self.parts.spec.embedding.largest or ON_PROCESSOR


def training_step(measured: Measured, recipe: Recipe) -> Callable[[], None]:
    """A step of a training, its inputs being there: a training has them made one step ahead."""
    parts, system, device = measured.parts, measured.system, measured.device
    if "compile" in parts.spec.options:
        # A training's batches are all of one shape: its kernels are compiled for that one alone.
        torch.compiler.reset()
    raw = example(parts, recipe.batch, recipe.crop_seconds)
    labels = example_labels(recipe, recipe.batch, len(parts.dataset.classes)).to(device)
    return learning_step(system, recipe, raw, labels)


def learning_step(
    system: System, recipe: Recipe, raw: Tensor, labels: Tensor
) -> Callable[[], None]:
    """A step of a training on one batch of raw items."""
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


def example(parts: Parts, batch: int, seconds: float | None) -> Tensor:
    """Noise of the shape of the dataset's items: speed does not depend on what is said."""
    generator = np.random.Generator(np.random.PCG64(0))
    subset = parts.dataset.subset("train")
    if parts.dataset.listing.corpus.kind == "audio":
        samples = round(seconds * SAMPLE_RATE) if seconds else subset.length(0)
        noise = generator.normal(0, 3000, (batch, samples)).astype(np.int16)
        return raw_tensor(list(noise)).to(parts.device)
    shape = (batch, *subset.item(0).shape)
    return raw_tensor(list(generator.integers(0, 255, shape, dtype=np.uint8))).to(parts.device)
