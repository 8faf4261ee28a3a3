"""`harness evaluate`: a checkpoint made elsewhere, under the locked protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.board.local import write_local
from harness.campaign import evaluate_checkpoint
from harness.cli import options
from harness.cli.progress import ProgressDisplay
from harness.cli.run import show
from harness.config.loader import load
from harness.plan.request import CheckpointEntry


def evaluate(
    *,
    checkpoint: Annotated[
        Path, typer.Option("--checkpoint", help="State dict: .safetensors, or torch's format.")
    ],
    model: Annotated[str, typer.Option("--model", help="Model of the benchmark file.")],
    dataset: Annotated[str, typer.Option("--dataset", help="Dataset of the suite.")],
    suite: options.Suite = "speaker",
    loss: Annotated[
        str | None, typer.Option("--loss", help="Loss whose head the checkpoint brings.")
    ] = None,
    profile: options.ProfileOption = options.Profile.quick,
    device: options.DeviceOption = options.Device.auto,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Evaluate a checkpoint made elsewhere; nothing is trained."""
    request = options.make_request(suite, profile, runs, device=device, datasets=[dataset])
    with ProgressDisplay() as display:
        outcome = evaluate_checkpoint(
            load(config),
            request,
            CheckpointEntry(checkpoint.resolve(), model, loss),
            data_listener=display,
            listener=display,
        )
    written = write_local(runs, suite, request.profile)
    show(outcome, written, as_json=json)
    if not outcome.all_done:
        raise typer.Exit(1)
