"""`harness export`: a run's network for other runtimes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.output import give, give_json

if TYPE_CHECKING:
    from harness.config.loader import LoadedBenchmark
    from harness.use.export_facts import ExportFacts
    from harness.use.finished_run import FinishedRun


class ExportFormat(StrEnum):
    """Of the file."""

    onnx = "onnx"
    torchscript = "torchscript"


class FeaturesPlace(StrEnum):
    """Where features are computed."""

    inside = "inside"
    outside = "outside"


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run as `runs list` names it, or a record.")
    ],
    *,
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="Of the file.")
    ] = ExportFormat.onnx,
    features: Annotated[
        FeaturesPlace, typer.Option("--features", help="Front end within the graph, or not.")
    ] = FeaturesPlace.inside,
    int8: Annotated[
        bool, typer.Option("--int8", help="Write a graph with int8 weights too.")
    ] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder.")] = Path("export"),
    judge: Annotated[
        bool,
        typer.Option(
            "--judge",
            help="Judge each file on the run's trials too: a record of its own, and what it costs.",
        ),
    ] = False,
    checkpoint: options.RunCheckpoint = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Export a run's network, held against PyTorch on items of its dataset, with a model card."""
    from harness.config.loader import load
    from harness.run.folder import CACHE
    from harness.use.exporting import Export, export_run
    from harness.use.finished_run import find_finished_run

    loaded = load(config)
    found = find_finished_run(loaded, run, runs, checkpoint)
    asked = Export(format_.value, features.value, int8, output)
    facts = export_run(found, asked, runs / CACHE)
    document, lines = facts.model_dump(mode="json", by_alias=True), _lines(facts, output)
    if judge:
        judged, page = _judge(loaded, found, facts, output, runs)
        document, lines = {**document, "judged": judged}, [*lines, page]
    if json:
        give_json(document)
    else:
        give("\n".join(lines))


def _judge(
    loaded: LoadedBenchmark, run: FinishedRun, facts: ExportFacts, folder: Path, runs: Path
) -> tuple[list[Any], str]:
    """Judge an export's files, and write what they cost beside them."""
    from harness.cli.run import write_tables
    from harness.records.documents import readable_json
    from harness.records.files import write_text
    from harness.use.after_export import ExportTrials
    from harness.use.after_export_page import page
    from harness.use.export_facts import JUDGED, JUDGED_PAGE

    record = run.record
    request = options.make_request(
        record.protocol.suite,
        options.Profile(record.protocol.profile),
        runs,
        device=options.Device.cpu,
        datasets=[record.dataset.name],
    )
    found = ExportTrials(loaded, run, request).judge(folder, facts)
    document, text = found.model_dump(mode="json", by_alias=True), page(found)
    write_text(folder / JUDGED, readable_json(document))
    write_text(folder / JUDGED_PAGE, text)
    write_tables(request, {})
    return document["files"], text


def _lines(facts: ExportFacts, folder: Path) -> list[str]:
    from harness.board.standing.costs import is_disturbed
    from harness.use.network_source import PLURAL

    lines = []
    for file in facts.files:
        scores = ""
        if file.score_difference is not None:
            scores = f", scores by up to {file.score_difference:.1e}"
        beside = ", while something else ran beside" if is_disturbed(file.cpu_wait) else ""
        lines.append(
            f"{folder / file.name}: {file.bytes / 2**20:.1f} MiB, {1e3 * file.latency:.1f} ms an "
            f"item (PyTorch {1e3 * file.latency_of_pytorch:.1f} ms{beside}); "
            f"{PLURAL[file.output]} differ from PyTorch's by up to {file.difference:.1e} on "
            f"{file.items} items{scores}"
        )
    return lines
