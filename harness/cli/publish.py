"""`harness publish`: chosen records become the published tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.output import give_written, say


def publish(
    *,
    suite: Annotated[
        list[str] | None, typer.Option("--suite", help="Only this suite (repeatable).")
    ] = None,
    dataset: options.Datasets = None,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    folder: options.Folder = options.PUBLISHED,
    include_failed: Annotated[
        bool, typer.Option("--include-failed", help="Publish rows without a result too.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Copy records of a runs folder into the published tables and rebuild these.

    Beside a record go its DET curve and its breakdowns, where its data are on this machine.
    """
    from harness.board.publishing.published_tables import latest_records
    from harness.board.standing.figures import plural
    from harness.config.loader import load
    from harness.registry.publication import publish as publish_records
    from harness.registry.record_details import DetailsMaker

    chosen = latest_records(
        runs, tuple(suite or ()), tuple(dataset or ()), include_failed=include_failed
    )
    companions = DetailsMaker(load(config))
    written = publish_records(
        chosen, folder, Path.cwd(), details=companions.of, include_failed=include_failed
    )
    for reason, records in sorted(companions.reasons.items()):
        say(f"{plural(len(records), 'record')} without details: {reason}")
    give_written(written, "nothing changed: all of it is published already", json=json)
