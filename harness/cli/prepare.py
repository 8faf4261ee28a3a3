"""`harness data prepare`: a corpus unpacked, decoded and checked once, before any run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.checked import give_checked
from harness.cli.progress import ProgressDisplay


def prepare(
    dataset: Annotated[str, typer.Argument(help="Dataset of the benchmark file.")],
    profile: options.ProfileOption = options.Profile.quick,
    archive: Annotated[
        list[Path] | None,
        typer.Option("--archive", help="Unpack this first: tar, tar.gz, zip, or a part of one."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that decode; one a core.")
    ] = None,
    leave_out_damaged: options.LeaveOut = False,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Decode every file of a dataset once, so that a run starts at once.

    A call after one that was stopped goes on from there.
    """
    from harness.config.loader import load
    from harness.datasets.lengths import inputs_asked_by
    from harness.datasets.preparing import prepare_dataset
    from harness.records.files import keep_from_git
    from harness.run.plan.adapter_workers import model_input

    loaded = load(config)
    keep_from_git(runs)
    with ProgressDisplay() as display, inputs_asked_by(model_input):
        parts = loaded.parts(dataset)
        checked = [
            prepare_dataset(
                loaded,
                part,
                profile.value,
                runs / "cache",
                display.packing,
                archives=(archive or []) if part == parts[0] else [],
                tell=display.tell,
                workers=workers,
            )
            for part in parts
        ]
    give_checked(dataset, checked, json=json, leave_out_damaged=leave_out_damaged)
