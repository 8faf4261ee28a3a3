"""`harness reproduce`: a record made again, and attested where it comes out alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.progress import ProgressDisplay

if TYPE_CHECKING:
    from harness.registry.reproduction import Reproduction


def reproduce(
    record: Annotated[Path, typer.Argument(help="A published record, or a record.json.")],
    *,
    runs: Annotated[Path, typer.Option("--runs", help="A new folder for what is made.")],
    by: Annotated[str, typer.Option("--by", help="Who makes it again, for the attestation.")] = "",
    sign: Annotated[
        Path | None, typer.Option("--sign", help="SSH key that signs the attestation.")
    ] = None,
    settings: options.Settings = None,
    job_hours: options.JobHours = None,
    silence_minutes: options.SilenceMinutes = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Run a record's job again, and attest beside it that it came out alike."""
    from harness.config.loader import load
    from harness.registry.reproduction import reproduce as reproduce_record

    rerun = options.make_rerun(runs, settings, job_hours, silence_minutes)
    with ProgressDisplay() as display:
        found = reproduce_record(load(config), record, rerun, by=by, key=sign, watch=display.show)
    if json:
        give_json(_document(found))
    else:
        give(*_lines(found))
    if found.attestation is None:
        say("not reproduced: nothing is attested")
        raise typer.Exit(1)
    if found.signature is None:
        say("not signed: an attestation lifts its record once a listed key signed it (--sign KEY)")


def _document(found: Reproduction) -> dict[str, object]:
    within = found.within
    return {
        "schema": 1,
        "record": str(found.record),
        "metric": found.metric,
        "recorded": found.recorded,
        "reproduced": found.reproduced,
        "within": {"low": within.low, "high": within.high, "rule": within.rule},
        "made": str(found.made),
        **{
            name: None if path is None else str(path)
            for name, path in {
                "attestation": found.attestation,
                "scores": found.scores,
                "signature": found.signature,
            }.items()
        },
    }


def _lines(found: Reproduction) -> list[str]:
    within = found.within
    lines = [
        f"{found.metric}: recorded {found.recorded:.6g}, reproduced {found.reproduced:.6g}",
        f"wanted: {within.low:.6g} to {within.high:.6g} ({within.told})",
        f"new record: {found.made}",
    ]
    beside = (found.attestation, found.scores, found.signature)
    return [*lines, *(f"attested: {path}" for path in beside if path)]
