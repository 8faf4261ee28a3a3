"""A table of conclusions, and what to do next: sentences that record and series bear out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.records.record import Record
from harness.report.comparisons import comparisons
from harness.report.finding import LEARNT, Finding
from harness.report.health_words import say_advice, say_finding
from harness.report.run import Run
from harness.report.run_findings import findings
from harness.report.section import Block, Bullets, Paragraph, ReportTable, Section
from harness.report.text import Words
from harness.train.training_progress import FINAL

SUBJECTS = ("trend", "learning", "choice", "end")
"""What conclusions take of a training's health; its own section has all."""

SAID_BY_RECORD = ("keep_best", "longer", "regularise")
"""Advice in whose place a record gives a step of its own: weights, commands."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Say what the numbers show of each run, which runs can be told apart, and what comes next."""
    several = len(runs) > 1
    every = words("conclusions.all_runs")
    rows = [
        ("conclusions", f"about_{finding.about}", every, _said(finding, words))
        for finding in comparisons(runs)
    ]
    found = {run.name: list(_sentences(run, words)) for run in runs}
    for table in ("conclusions", "health"):
        abouts = dict.fromkeys(
            about for own in found.values() for of, about, _ in own if of == table
        )
        for about in words.in_order(table, abouts):
            said: dict[str, list[str]] = {}
            for name, own in found.items():
                if texts := [text for *of, text in own if of == [table, about]]:
                    said.setdefault(words("page.space").join(texts), []).append(name)
            for text, names in said.items():
                whose = every if len(names) == len(runs) else words("page.and").join(names)
                rows.append((table, about, whose, text))
    if not rows:
        return None
    cells = tuple(
        (words(f"{table}.{about}"), *([whose] if several else []), text)
        for table, about, whose, text in rows
    )
    columns = ("about", *(("run",) if several else ()), "finding")
    blocks: list[Block] = [
        ReportTable(tuple(words(f"conclusions.{each}") for each in columns), cells)
    ]
    steps = _steps_of_all(runs, words)
    if steps:
        blocks += [Paragraph(words("conclusions.next")), Bullets(steps)]
    return Section("conclusions", words("conclusions.title"), tuple(blocks))


def _sentences(run: Run, words: Words) -> Iterator[tuple[str, str, str]]:
    """Yield table and id of the subject, and the sentence, of what record and curves show."""
    for finding in findings(run):
        yield "conclusions", f"about_{finding.about}", _said(finding, words)
    for each in run.health.findings if run.health is not None else ():
        if each.about in SUBJECTS and not (each.about == "learning" and _has_accuracy(run)):
            yield "health", f"about_{each.about}", say_finding(each, words)


def _has_accuracy(run: Run) -> bool:
    """Check if the record says how well the training items are learnt."""
    return run.record is not None and "training_accuracy" in run.record.metrics


def _said(finding: Finding, words: Words) -> str:
    values = dict(finding.values)
    if "metric_name" in values:
        values["metric"] = words.get(f"metrics.{values['metric_name']}", values["metric"])
    return words(f"conclusions.{finding.text}", **values)


def _steps_of_all(runs: Sequence[Run], words: Words) -> tuple[str, ...]:
    """Return the next steps, each once, under the names of the runs unless it is for all."""
    whose: dict[str, list[str]] = {}
    for run in runs:
        for step in dict.fromkeys(next_steps(run, words)):
            whose.setdefault(step, []).append(run.name)
    return tuple(
        step
        if len(names) == len(runs)
        else words("page.and").join(names) + words("page.colon") + step
        for step, names in whose.items()
    )


def next_steps(run: Run, words: Words) -> Iterator[str]:
    """Yield what a run's own numbers and files suggest, with the command where there is one."""
    record = run.record
    if run.health is not None:
        for each in run.health.advice:
            if record is None or each.text not in SAID_BY_RECORD:
                yield say_advice(each, run.health, words)
    if record is None:
        return
    if record.state != "done":
        yield words("conclusions.step_again", command=_command(record))
        return
    weights = run.artefact("checkpoint", FINAL, "train")
    if weights is not None:
        yield words(
            "conclusions.step_weights", path=weights, step=run.results["train"]["selected_step"]
        )
    yield from _training_steps(run, record, words)


def _training_steps(run: Run, record: Record, words: Words) -> Iterator[str]:
    sections = getattr(run.task, "sections", ())
    if any(path.startswith("harness.report.sections.wrong_trials:") for path in sections):
        synthetic = "_synthetic" * record.dataset.synthetic
        yield words(f"conclusions.step_errors{synthetic}")
    learnt = record.metrics.get("training_accuracy")
    length = _longer(record)
    if length and (learnt is None or learnt.value < LEARNT):
        yield words("conclusions.step_longer", command=f"{_command(record)} --set {length}")
    if (
        learnt is not None
        and learnt.value >= LEARNT
        and record.loss
        and "margin" in record.loss.fields
    ):
        yield words(
            "conclusions.step_margin", loss=record.loss.name, margin=record.loss.fields["margin"]
        )
    if record.seed is not None:
        yield words("conclusions.step_seeds", command=f"{_command(record)} --seeds 0,1,2")


def _command(record: Record) -> str:
    """Return the command that runs the record's entry; what was changed by `--set` is not in it."""
    parts = [
        "harness run",
        f"--suite {record.protocol.suite}",
        f"--profile {record.protocol.profile}",
    ]
    parts += [f"--dataset {record.dataset.name}", f"--model {record.model.name}"]
    return " ".join(parts + ([f"--loss {record.loss.name}"] if record.loss else []))


def _longer(record: Record) -> str:
    recipe = record.recipe or {}
    for key in ("epochs", "steps"):
        if isinstance(recipe.get(key), int):
            return f"{key}={2 * recipe[key]}"
    return ""
