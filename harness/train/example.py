"""Labels for a step that is not trained: it is measured, or told beforehand."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.config.recipes import Recipe


def example_labels(recipe: Recipe, batch: int, classes: int) -> Tensor:
    """Labels of a batch, `[batch]`: as many of each as the recipe draws."""
    different = recipe.sampler.speakers if recipe.sampler else batch
    return torch.arange(batch) % min(different, classes)
