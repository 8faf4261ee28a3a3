"""`harness embed`: embeddings of files, in one .npz file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import give_written, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.use.inputs import ReadFile


class Split(StrEnum):
    """Part of a dataset."""

    train = "train"
    validation = "validation"
    test = "test"


class Names(StrEnum):
    """What files are called in the output."""

    path = "path"
    stem = "stem"


def embed(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES...]", help="Sounds or pictures.")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The .npz file.")],
    run: options.NetworkRun = None,
    model_dir: options.ModelDir = None,
    checkpoint: options.RunCheckpoint = None,
    split: Annotated[
        list[Split] | None,
        typer.Option(
            "--split", help="A split of the run's dataset, in place of files (repeatable)."
        ),
    ] = None,
    ids: Annotated[
        Names, typer.Option("--ids", help="Name of each: its path, or its name without ending.")
    ] = Names.path,
    device: options.DeviceOption = options.Device.cpu,
    runs: options.Runs = options.DEFAULT_RUNS,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Embed files, and write the embeddings as `harness submit --embeddings` takes them."""
    from harness.config.loader import load
    from harness.use.embedding import embed_files, embed_splits
    from harness.use.opening import open_network

    if bool(files) == bool(split):
        raise RequestError("say what is to be embedded: files, or --split of the run's dataset")
    loaded = load(config)
    asked = options.asked_network(run, model_dir, checkpoint, runs, device)
    network = open_network(loaded, asked, "embedding")
    if files:
        names = [str(file) if ids is Names.path else file.stem for file in files]
        count, size = embed_files(network, files, names, output, _say_warnings)
    else:
        count, size = embed_splits(network, loaded, [each.value for each in split or ()], output)
    say(f"{count:,} embeddings of {size} numbers")
    give_written([output], "", json=json)


def _say_warnings(file: ReadFile) -> None:
    for each in file.warnings:
        say(f"warning: {file.path}: {each.rule}: {each.text}")
