"""What a loss and a network ask of their batches, held against what the recipe draws."""

from __future__ import annotations

from typing import Protocol

from harness.config.recipes import Recipe
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.lengths import Need, frame_count, least_frames
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


def check_crops(recipe: Recipe, need: Need, where: str) -> None:
    """Refuse crops that are too short for the network.

    Args:
        recipe: how it is to be trained and judged.
        need: what the network wants of sounds.
        where: the recipe's table, for the error.

    Raises:
        ConfigError: a crop has fewer frames than the network needs.
    """
    crops = [("crop_seconds", recipe.crop_seconds)]
    if recipe.fine_tune:
        crops.append(("fine_tune.crop_seconds", recipe.phases[1].crop_seconds))
    if recipe.test_crops:
        crops.append(("test_crops.seconds", recipe.test_crops.seconds))
    for key, seconds in crops:
        if seconds is None:
            continue
        frames = frame_count(need.declared, round(seconds * SAMPLE_RATE))
        if frames < least_frames(need.declared):
            raise ConfigError(
                f"{where}.{key}: {seconds:g} s are {frames} frames, and {need.who} needs "
                f"{need.least}; give longer crops"
            )
