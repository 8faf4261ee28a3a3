"""Systems and training steps on one device, for the checks of `ci.gpu_probe`."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.adapter import ModelAdapter
from harness.config.imports import construct
from harness.config.loader import load
from harness.config.recipes import Recipe
from harness.feeding.front_end import raw_shape
from harness.run.job.benchmark_target import learning_step
from harness.train.system import System, example_labels

CLASSES = 200


class ProbeSystems:
    """Systems of `benchmark.toml`, freshly initialised from one seed.

    Args:
        device: where they compute.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.on_gpu = device, device.type == "cuda"
        self.benchmark = load(Path("benchmark.toml")).benchmark
        self.cap = self.benchmark.budget.usable
        self.recipe = self.benchmark.recipes["speaker-quick"]

    def adapter(self, name: str, kind: str = "models") -> Any:
        """Return the adapter of a model or a loss."""
        table = getattr(self.benchmark, kind)[name]
        return construct(table.adapter, table.fields, name)

    def system(self, model: str | ModelAdapter, *, trained: bool = True) -> System:
        """Return a system: with a head in training mode, or without one in evaluation mode."""
        torch.manual_seed(0)
        model = self.adapter(model) if isinstance(model, str) else model
        loss = self.adapter("aam", "losses") if trained else None
        return System(model, loss, CLASSES).to(self.device).train(trained)

    def step(
        self, system: System, batch: int, seconds: float, recipe: Recipe | None = None
    ) -> Callable[[], None]:
        """Return a training step of a system on one batch of noise."""
        recipe = recipe or self.recipe
        torch.manual_seed(1)
        raw = 0.1 * torch.randn(batch, *raw_shape(system.declared, seconds))
        labels = example_labels(recipe, batch, CLASSES)
        return learning_step(system, recipe, raw, labels.to(self.device))

    def cosines(self, system: System, raw: Tensor) -> Tensor:
        """Return the cosines of all pairs of raw items' embeddings, on the processor."""
        with torch.inference_mode():
            found = system.output(raw, "embedding").double()
        unit = torch.nn.functional.normalize(found)
        return (unit @ unit.T).cpu()

    def wait(self) -> None:
        """Wait for a GPU's work."""
        if self.on_gpu:
            torch.cuda.synchronize()

    def clean(self) -> None:
        """Give back what nothing holds any more."""
        gc.collect()
        torch.cuda.empty_cache()

    def beside(self) -> int:
        """Return the bytes in use on the card that are not the allocator's."""
        if not self.on_gpu:
            return 0
        free, card = torch.cuda.mem_get_info()
        return card - free - torch.cuda.memory_reserved()
