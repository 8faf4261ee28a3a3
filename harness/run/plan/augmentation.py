"""What an augmentation asks of the data it is used on, and what it draws from."""

from __future__ import annotations

from pathlib import Path

from harness.config.recipe_tables import Augment
from harness.config.recipes import Recipe
from harness.datasets.packing.pack_request import MessageCallback, ignore_message
from harness.errors import ConfigError
from harness.feeding.libraries import library_sources
from harness.tasks.task import Task


def check_augment(recipe: Recipe, task: Task, kind: str, where: str) -> None:
    """Refuse an augmentation that cannot be meant.

    Args:
        recipe: the recipe, its settings included.
        task: what judges the system.
        kind: of the dataset's items.
        where: the recipe's place, for the error.

    Raises:
        ConfigError: sound is to be changed or cut where there is none, or speeds make classes
            that nobody judges.
    """
    augment = recipe.augment
    if recipe.test_crops and kind != "audio":
        raise ConfigError(f"{where}.test_crops: cuts sound; this dataset has none ({kind}s)")
    if augment.on_waveforms and kind != "audio":
        raise ConfigError(f"{where}.augment: changes sound; this dataset has none ({kind}s)")
    if not augment.speeds:
        return
    if recipe.crop_seconds is None:
        raise ConfigError(f"{where}.augment.speeds: needs crops of one length; give crop_seconds")
    if task.output == "logits":
        raise ConfigError(
            f"{where}.augment.speeds: each speed makes classes of its own, and this suite judges "
            "the classes; take it out"
        )


def disturbances(
    augment: Augment,
    folder: Path,
    cache: Path,
    tell: MessageCallback = ignore_message,
    *,
    decode: bool,
) -> dict[str, str]:
    """What the rooms and noises that an augmentation draws from hash to, by their use.

    Args:
        augment: the recipe's table.
        folder: the benchmark file's.
        cache: where packs lie.
        tell: is given the notes with which files were read.
        decode: pack what was not packed yet; else its hash is empty.

    Raises:
        CorpusAbsent: a folder is not on this machine.
        DataError: files in it cannot be used.
        ConfigError: it holds no noise of the kinds that are asked for.
    """
    found: dict[str, str] = {}
    for use, shelf in library_sources(augment, folder, cache).items():
        if not decode:
            found[use] = shelf.content()
            continue
        library = shelf.open(tell)
        if use == "noise" and augment.noise is not None:
            library = library.of(augment.noise.kinds)
        found[use] = library.pack.content
    return found
