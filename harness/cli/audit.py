"""`harness audit`: random segments of a record's training run again from its kept states."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.progress import ProgressDisplay

if TYPE_CHECKING:
    from harness.registry.audit import Audit


def audit(
    record: Annotated[Path, typer.Argument(help="A published record, or a record.json.")],
    *,
    share: Annotated[
        float, typer.Option("--share", help="Share of its steps that are run again, at least.")
    ] = 0.01,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Repeats a choice of segments; fresh by default."),
    ] = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    settings: options.Settings = None,
    job_hours: options.JobHours = None,
    silence_minutes: options.SilenceMinutes = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Run random segments of a record's training again, and compare the states they reach."""
    from harness.config.loader import load
    from harness.registry.audit import audit as audit_record

    rerun = options.make_rerun(runs, settings, job_hours, silence_minutes)
    with ProgressDisplay() as display:
        found = audit_record(
            load(config), record, rerun, share=share, seed=seed, watch=display.show
        )
    document = _document(found)
    if json:
        give_json(document)
    else:
        give(*_lines(found))
    if found.parts:
        say(f"kept as {_keep(document, runs)}")
    if found.answer == "differs":
        raise typer.Exit(1)


def _keep(document: dict[str, Any], runs: Path) -> Path:
    from harness.records.documents import digest, readable_json
    from harness.records.files import write_text
    from harness.run.job.results import utc_now

    content = {**document, "finished": utc_now()}
    path = runs / "audits" / f"audit-{digest(content)[:12]}.json"
    write_text(path, readable_json(content))
    return path


def _document(found: Audit) -> dict[str, Any]:
    from harness.records.documents import sha256_file

    return {
        "schema": 1,
        "record": str(found.record),
        "record_sha256": sha256_file(found.record),
        "answer": found.answer,
        "reasons": list(found.reasons),
        "seed": found.seed,
        "steps": found.steps,
        "states": found.states,
        "share": found.share,
        "seconds": round(sum(part.seconds for part in found.parts), 3),
        "parts": [part.model_dump() for part in found.parts],
    }


def _lines(found: Audit) -> list[str]:
    lines = [f"{found.answer}: {found.record}", *(f"  {reason}" for reason in found.reasons)]
    if not found.parts:
        return lines
    ran = ", ".join(f"{part.first + 1} to {part.last}" for part in found.segments) or "none"
    return [
        *lines,
        f"steps run again: {ran} ({100 * found.share:.3g} % of {found.steps}, "
        f"{found.states} states kept, --seed {found.seed})",
    ]
