"""`harness recipe`: a recipe of WeSpeaker or 3D-Speaker as tables of a benchmark file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.output import give as give_text
from harness.cli.output import give_json


def recipe(
    file: Annotated[Path, typer.Argument(help="YAML of WeSpeaker or of 3D-Speaker.")],
    *,
    fine_tune: Annotated[
        Path | None, typer.Option("--fine-tune", help="YAML of the fine-tuning behind it.")
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option("--gpus", min=1, max=10**6, help="GPUs it trains on; else what it says."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What the tables are called; else by the file.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Print another project's recipe as tables of a benchmark file."""
    from harness.recipes.converted import as_document, as_toml
    from harness.recipes.foreign_recipe import read_recipe

    found = read_recipe(file, name=name, gpus=gpus, fine_tune=fine_tune)
    if json:
        give_json(as_document(found))
    else:
        give_text(as_toml(found))
