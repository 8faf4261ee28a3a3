"""`harness report`: what a run was, how it learnt and what it got wrong, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.output import give_written, say


def report(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN_OR_LOG...",
            help="Runs as `runs list` names them, their folders, records or keys; or the logs of "
            "another program: TensorBoard events, CSV, JSONL, text. Several stand side by side.",
        ),
    ],
    *,
    lang: Annotated[
        str, typer.Option("--lang", help="en, zh-Hans or zh-Hant; zh is zh-Hans.")
    ] = "en",
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A folder, or a file that ends in .html.")
    ] = Path("report"),
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write Markdown with pictures beside the page too.")
    ] = False,
    test_crops: Annotated[
        bool,
        typer.Option(
            "--test-crops",
            help="Embed the test again in crops, for EER against their length and number: minutes, "
            "kept with the run, and one more use of the test.",
        ),
    ] = False,
    runs: options.Runs = options.DEFAULT_RUNS,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Write the report of a run, of several side by side, or of another program's logs."""
    from harness.config.loader import load
    from harness.report.page import make_report, write_report
    from harness.report.run import find_runs
    from harness.report.text import read_words

    words, loaded = read_words(lang), load(config)
    found = find_runs(given, runs, loaded)
    if test_crops:
        from harness.use.crop_judging import keep_crop_curve

        for run in found:
            if run.record is None or "train" not in run.record.stages:
                say(f"{run.name}: nothing was trained here, so there are no weights to embed by")
            elif run.crop_curve is None:
                keep_crop_curve(loaded, run.place, runs, say)
        found = find_runs(given, runs, loaded)
    for run in found:
        if run.record is not None and run.record.state == "done" and run.lacking:
            say(f"{run.name}: no sections on the single trials or items of its test: {run.lacking}")
    written = write_report(make_report(found, words), output, with_markdown=markdown)
    give_written(written, "", json=json)
