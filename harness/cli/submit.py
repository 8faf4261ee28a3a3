"""`harness submit`: what somebody else computed, judged here and filed as a submission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.run import write_tables
from harness.cli.standard_input import standard_input_kept
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.registry.submit.filing import FiledSubmission

FILES = ("scores", "validation_scores", "embeddings")


def submit(
    *,
    suite: options.Suite,
    dataset: Annotated[str, typer.Option("--dataset", help="Dataset of the suite.")],
    name: Annotated[str, typer.Option("--name", help="What its row is called.")] = "",
    scores: Annotated[
        Path | None,
        typer.Option("--scores", help="Scores of the test trials; .npz where classes are told."),
    ] = None,
    validation_scores: Annotated[
        Path | None,
        typer.Option("--validation-scores", help="The same system's, of the validation trials."),
    ] = None,
    embeddings: Annotated[
        Path | None, typer.Option("--embeddings", help=".npz with ids and embeddings of items.")
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", help="Published METRIC=VALUE, not checked here (repeatable)."),
    ] = None,
    lists: Annotated[
        Path | None,
        typer.Option("--lists", help="Write the locked lists into this folder, and no more."),
    ] = None,
    profile: options.ProfileOption = options.Profile.quick,
    submitter: Annotated[str, typer.Option("--submitter", help="Who gives it.")] = "",
    source: Annotated[str, typer.Option("--source", help="Where it is described.")] = "",
    system: Annotated[str, typer.Option("--system", help="What made it, in words.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Judge it and write nothing.")] = False,
    published: Annotated[
        Path, typer.Option("--published", help="Tables whose scores are not taken again.")
    ] = options.PUBLISHED,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Judge scores or embeddings computed elsewhere, and file them as a submission."""
    from harness.config.loader import load
    from harness.registry.submit.filing import submit as file_submission
    from harness.registry.submit.given import Given, SubmittedEntry
    from harness.registry.submit.place import find_place, write_lists

    loaded = load(config)
    request = options.make_request(
        suite, profile, runs, device=options.Device.cpu, datasets=[dataset]
    )
    if lists is not None:
        if scores or validation_scores or embeddings or claim:
            raise RequestError("--lists writes what is to be scored; give the scores afterwards")
        written = [str(path) for path in write_lists(find_place(loaded, request).listing, lists)]
        give_json({"schema": 1, "written": written}) if json else give("\n".join(written))
        return
    entry = SubmittedEntry(name=name, submitter=submitter, source=source, system=system)
    with standard_input_kept(scores, validation_scores, embeddings) as files:
        given = Given(**dict(zip(FILES, files, strict=True)), claims=tuple(claim or ()))
        filed = file_submission(loaded, request, entry, given, published=published, check=check)
    is_kept = True
    if filed.path is not None:
        is_kept = write_tables(request, {}) is not None
    _show(filed, as_json=json)
    if not is_kept:
        raise typer.Exit(1)


def _show(filed: FiledSubmission, *, as_json: bool) -> None:
    from harness.board.standing.rows import FiledRecord as Row
    from harness.board.standing.table import tables
    from harness.board.writing.console import renderable
    from harness.board.writing.json_document import document

    made = tables([Row(filed.record)])
    path = str(filed.path) if filed.path else None
    if as_json:
        give_json({**document(made), "record": path})
        return
    give(*(renderable(table) for table in made))
    for note in filed.record.notes:
        say(note)
    say(f"record: {path}" if path else "checked; nothing was written")
