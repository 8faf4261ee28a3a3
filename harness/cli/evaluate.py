"""`harness evaluate`: a checkpoint made elsewhere, under the locked protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.output import say
from harness.cli.progress import ProgressDisplay
from harness.cli.run import show
from harness.errors import RequestError


def evaluate(
    *,
    checkpoint: Annotated[
        str,
        typer.Option(
            "--checkpoint", help="File of weights, folder with one, or hf://owner/name/file."
        ),
    ],
    dataset: Annotated[str, typer.Option("--dataset", help="Dataset of the suite.")],
    model: Annotated[
        str | None,
        typer.Option("--model", help="Model of the benchmark file; else as its folder says."),
    ] = None,
    suite: options.Suite = "speaker",
    loss: Annotated[
        str | None, typer.Option("--loss", help="Loss whose head the checkpoint brings.")
    ] = None,
    trained_on: Annotated[
        str | None,
        typer.Option("--trained-on", help="Corpora it was trained on, separated by commas."),
    ] = None,
    profile: options.ProfileOption = options.Profile.quick,
    device: options.DeviceOption = options.Device.auto,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    job_hours: options.JobHours = None,
    silence_minutes: options.SilenceMinutes = None,
    json: options.Json = False,
) -> None:
    """Evaluate a checkpoint made elsewhere; nothing is trained."""
    from harness.config.loader import load
    from harness.run.plan.checkpoints import find_checkpoint, model_of
    from harness.run.plan.request import CheckpointEntry
    from harness.run.session import evaluate_checkpoint

    loaded = load(config)
    loaded.suite(suite)  # refused before anything is fetched
    path, told = find_checkpoint(checkpoint), parse_trained_on(trained_on)
    entry = CheckpointEntry(path, model or model_of(loaded, path), loss, told)
    request = options.make_request(
        suite, profile, runs, device=device, datasets=[dataset], job_hours=job_hours,
        silence_minutes=silence_minutes,
    )  # fmt: skip
    with ProgressDisplay() as display:
        outcome = evaluate_checkpoint(loaded, request, entry, watch=display.show)
    is_whole = show(outcome, request, as_json=json)
    for job, record in zip(outcome.jobs, outcome.records, strict=True):
        for note in record.notes if job.checkpoint else ():
            say(note)
    if not is_whole:
        raise typer.Exit(1)


def parse_trained_on(text: str | None) -> tuple[str, ...] | None:
    """Read `--trained-on NAME[,NAME]`; return None if it is not given.

    Raises:
        RequestError: it names nothing.
    """
    from harness.data.item_names import strip_name

    if text is None:
        return None
    parts = map(strip_name, text.split(","))
    names = tuple(dict.fromkeys(part for part in parts if part))
    if not names:
        raise RequestError("--trained-on: name a corpus, as in --trained-on 'VoxCeleb2 dev'")
    return names
