"""`harness publish`: chosen records become the published tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import give_written, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.records.record import Record

UNCHANGED = "nothing changed: all of it is published already"


def publish(
    records: Annotated[
        list[Path] | None,
        typer.Argument(
            help="With --sign: published records, or folders of them, to be signed where they lie."
        ),
    ] = None,
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
    sign: Annotated[
        Path | None,
        typer.Option("--sign", help="Sign each record with this SSH key (docs/trust.md)."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Copy records of a runs folder into the published tables and rebuild these.

    Beside a record go its DET curve and its breakdowns, where its data are on this machine.
    """
    if records:
        _sign_published(records, folder, sign, json=json)
        return
    from harness.board.publishing.published_tables import latest_records
    from harness.board.record_paths import record_path
    from harness.board.standing.figures import plural
    from harness.config.loader import load
    from harness.registry.publication import publish as publish_records
    from harness.registry.publication import published_otherwise
    from harness.registry.record_details import DetailsMaker

    chosen = latest_records(
        runs, tuple(suite or ()), tuple(dataset or ()), include_failed=include_failed
    )
    if left := published_otherwise(chosen, folder):
        names = ", ".join(Path(record_path(chosen[run])).name for run in left)
        say(f"left as published, from other runs of the same keys: {names}")
        chosen = {run: record for run, record in chosen.items() if run not in left}
    companions = DetailsMaker(load(config))
    written = publish_records(
        chosen, folder, Path.cwd(), details=companions.of, include_failed=include_failed, key=sign
    )
    for reason, untold in sorted(companions.reasons.items()):
        say(f"{plural(len(untold), 'record')} without details: {reason}")
    if sign is not None:
        _tell_unlisted({folder / record_path(each): each for each in chosen.values()}, folder)
    give_written(written, UNCHANGED, json=json)


def _sign_published(records: list[Path], folder: Path, key: Path | None, *, json: bool) -> None:
    """Sign records where they lie."""
    from harness.cli.verify import records_of
    from harness.records.record_files import read_records
    from harness.registry.signing import sign_published

    if key is None:
        raise RequestError("records are named to be signed: give --sign KEY too")
    named = read_records(records_of(records))
    written = sign_published(named, folder, key)
    _tell_unlisted(named, folder)
    give_written(written, UNCHANGED, json=json)


def _tell_unlisted(records: Mapping[Path, Record], folder: Path) -> None:
    """Say if signatures do not count yet."""
    from harness.records.signature import SIGNERS
    from harness.registry.signing import unlisted

    if reason := unlisted(records, folder):
        say(
            f"{reason}; they count once {folder / SIGNERS} has a line `NAME ssh-ed25519 AAAA...` "
            "with the public key"
        )
