"""`harness publish`: chosen records become the published tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import give_written, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.records.record import Record


class ResultFormat(StrEnum):
    """Whose format."""

    hf = "hf"
    eee = "eee"


UNCHANGED = "nothing changed: all of it is published already"


def publish(
    records: Annotated[
        list[Path] | None,
        typer.Argument(
            help="With --sign or --format: records, or folders of them, in place of the runs."
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
    format_: Annotated[
        ResultFormat | None,
        typer.Option("--format", help="Write for another place instead, into -o."),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of --format.")] = Path(
        "published"
    ),
    hub_dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--hub-dataset", help="With --format hf: DATASET=OWNER/NAME[:TASK] (repeatable)."
        ),
    ] = None,
    organisation: Annotated[
        str, typer.Option("--organisation", help="With --format eee: who gives the results.")
    ] = "",
    address: Annotated[
        str, typer.Option("--address", help="Of the published tables, or of the organisation.")
    ] = "",
    json: options.Json = False,
) -> None:
    """Copy records of a runs folder into the published tables and rebuild these.

    Beside a record go its DET curve and its breakdowns, where its data are on this machine. With
    --format nothing is published here: files are written that somebody else's place takes.
    """
    if format_ is not None:
        picked = _chosen(records, runs, suite, dataset)
        if format_ is ResultFormat.hf:
            from harness.use.hub_results import parse_hub_datasets, write_hub_files

            places = parse_hub_datasets(hub_dataset or ())
            written = write_hub_files(picked, output, places, address)
        else:
            from harness.use.every_eval_ever import Publisher, write_documents

            if not organisation:
                raise RequestError("--format eee: say with --organisation who gives the results")
            written = write_documents(picked, output, Publisher(organisation, address))
        give_written(written, UNCHANGED, json=json)
        return
    if records:
        _sign_published(records, folder, sign, json=json)
        return
    from harness.board.publishing.local_records import latest_records
    from harness.board.standing.figures import plural
    from harness.config.loader import load
    from harness.registry.publication import publish as publish_records
    from harness.registry.publication import published_place
    from harness.registry.record_details import DetailsMaker

    chosen = latest_records(
        runs, tuple(suite or ()), tuple(dataset or ()), include_failed=include_failed
    )
    chosen = _publishable(chosen, folder)
    companions = DetailsMaker(load(config))
    written = publish_records(
        chosen, folder, Path.cwd(), details=companions.of, include_failed=include_failed, key=sign
    )
    for reason, untold in sorted(companions.reasons.items()):
        say(f"{plural(len(untold), 'record')} without details: {reason}")
    if sign is not None:
        _tell_unlisted({published_place(each, folder): each for each in chosen.values()}, folder)
    give_written(written, UNCHANGED, json=json)


def _publishable(chosen: dict[Path, Record], folder: Path) -> dict[Path, Record]:
    """Return the runs without exported files and those published as another run; say which."""
    from harness.board.standing.figures import plural
    from harness.registry.publication import published_otherwise, published_place

    kept = {run: record for run, record in chosen.items() if not record.is_exported}
    if exported := len(chosen) - len(kept):
        say(
            f"left out: {plural(exported, 'exported file')}; what an export costs stands in the "
            "after-export.md of its folder"
        )
    if left := published_otherwise(kept, folder):
        names = ", ".join(published_place(kept[run], folder).name for run in left)
        say(f"left as published, from other runs of the same keys: {names}")
    return {run: record for run, record in kept.items() if run not in left}


def _chosen(
    named: list[Path] | None, runs: Path, suites: list[str] | None, datasets: list[str] | None
) -> list[Record]:
    """Return the records with a result that are named, else the latest of a runs folder."""
    from harness.board.publishing.local_records import latest_records
    from harness.cli.verify import records_of
    from harness.records.record_files import read_records

    if named:
        found = read_records(records_of(named))
    else:
        wanted = tuple(suites or ()), tuple(datasets or ())
        found = latest_records(runs, *wanted, include_failed=False)
    done = [each for each in found.values() if each.state == "done" and not each.is_baseline]
    if not done:
        raise RequestError("none of these records is of a system with a result")
    return done


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
