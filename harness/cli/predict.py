"""`harness predict`: the classes of sounds or pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.output import give, give_json, say


def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="Sounds or pictures.")],
    *,
    run: options.NetworkRun = None,
    model_dir: options.ModelDir = None,
    checkpoint: options.RunCheckpoint = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Classes of each file.")] = 3,
    device: options.DeviceOption = options.Device.cpu,
    runs: options.Runs = options.DEFAULT_RUNS,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Classify files; the probabilities are the network's own, and not calibrated."""
    from harness.config.loader import load
    from harness.use.classify import predict as predict_files
    from harness.use.opening import open_network

    asked = options.asked_network(run, model_dir, checkpoint, runs, device)
    found = predict_files(open_network(load(config), asked, "logits"), files, top)
    if json:
        files_found = [each.model_dump(mode="json") for each in found]
        give_json({"schema": 1, "files": files_found})
        return
    for each in found:
        likeliest = (f"{one.label} {100 * one.probability:.1f} %" for one in each.classes)
        give(f"{each.file}: {', '.join(likeliest)}")
        for warning in each.warnings:
            say(f"warning: {each.file}: {warning.rule}: {warning.text}")
