"""What a loss asks of its batches, held against what the recipe draws."""

from __future__ import annotations

from typing import Protocol

from harness.config.recipes import Recipe
from harness.errors import ConfigError

GIVEN = frozenset({"full_batch", "counts"})
"""A loss sees a step's whole batch, in however many parts it goes through the network."""

MENDS = {
    "pk": "several utterances of each of a batch's speakers (pk); give the recipe a sampler with "
    "two utterances or more, as in sampler = { speakers = 16, utterances = 4 }",
    "pairs": "pairs, which recipes do not draw; choose another loss",
}


class Needing(Protocol):
    """A loss's adapter, or its description."""

    @property
    def needs(self) -> frozenset[str]:
        """What it asks of a batch or of the data (see `harness.adapter.LossAdapter`)."""


def check_needs(loss: Needing, where: str, recipe: Recipe | None = None) -> None:
    """Refuse a loss that the recipe's batches would not serve.

    Args:
        loss: its adapter, or its description.
        where: the loss's table, for the error.
        recipe: how it is to be trained; None for batches of items as they come.

    Raises:
        ConfigError: it asks for batches that the recipe does not draw.
    """
    samplers = [phase.sampler for phase in recipe.phases] if recipe else [None]
    several = all(sampler is not None and sampler.utterances > 1 for sampler in samplers)
    for need in sorted(loss.needs - GIVEN - ({"pk"} if several else set())):
        mend = MENDS.get(need, f"{need!r}, which nothing here gives; choose another loss")
        raise ConfigError(f"{where}: asks for batches with {mend}")
