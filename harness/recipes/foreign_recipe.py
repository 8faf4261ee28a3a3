"""The reader of foreign recipes, which recognises the project by its keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.recipes import threed_speaker, wespeaker_recipe
from harness.recipes.converted import Converted, append_fine_tuning
from harness.recipes.plain_yaml import read_yaml

NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}"

Reader = Callable[[dict[str, Any], str, int | None], Converted]

WHOSE: tuple[tuple[str, frozenset[str], Reader], ...] = (
    ("WeSpeaker", frozenset({"model", "model_args", "projection_args"}), wespeaker_recipe.convert),
    ("3D-Speaker", frozenset({"embedding_model", "classifier", "loss"}), threed_speaker.convert),
)
"""Whose a recipe is that has all of these keys."""


def read_recipe(
    path: Path, *, name: str | None = None, gpus: int | None = None, fine_tune: Path | None = None
) -> Converted:
    """Read a recipe of WeSpeaker or 3D-Speaker.

    Args:
        path: its YAML file.
        name: name of the tables; else that of the file.
        gpus: number of GPUs that it trains on; else as the file says.
        fine_tune: the recipe of the large-margin fine-tuning behind it.

    Raises:
        ConfigError: a file is absent, is no YAML, or no recipe of these projects.
    """
    if name is not None and not re.fullmatch(NAME, name):
        raise ConfigError(f"--name {name!r}: letters, digits and ._+- make a name, 100 at most")
    first = _read(path, name, gpus)
    if fine_tune is None:
        return first
    both = append_fine_tuning(first, _read(fine_tune, name, gpus))
    both.check()
    return both


def _read(path: Path, name: str | None, gpus: int | None) -> Converted:
    document = read_yaml(path)
    for project, keys, convert in WHOSE:
        if keys <= document.keys():
            # The file's own name may be anything.
            plain = re.sub(r"[^A-Za-z0-9._+-]+", "-", path.stem).strip("-")[:60] or "recipe"
            try:
                found = convert(document, name or f"{project.lower()}-{plain}", gpus)
                found.check()
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from error
            return found
    wanted = "; ".join(f"{project}'s has {', '.join(sorted(keys))}" for project, keys, _ in WHOSE)
    raise ConfigError(
        f"{path}: no recipe that trains a network on labels as WeSpeaker or 3D-Speaker write it "
        f"({wanted})"
    )
