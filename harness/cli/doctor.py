"""`harness doctor`: what this machine has and lacks for each suite."""

from __future__ import annotations

import typer

from harness.cli import options
from harness.cli.output import give, give_json


def doctor(config: options.Config = None, json: options.Json = False) -> None:
    """Say what this machine has and lacks for each suite."""
    from harness.config.loader import load
    from harness.run.diagnosis import diagnose

    findings = diagnose(load(config))
    if json:
        give_json({"schema": 1, "findings": findings})
    else:
        marks = {"ok": "ok   ", "missing": "lacks", "note": "note "}
        lines = [f"{marks[each['state']]} {each['about']}: {each['text']}" for each in findings]
        give("\n".join(lines))
    if any(each["state"] == "missing" for each in findings):
        raise typer.Exit(1)
