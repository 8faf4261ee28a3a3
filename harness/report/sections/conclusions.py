"""A table of conclusions, and what to do next: sentences that record and series bear out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.records.record import Record
from harness.report.commands import longer, run_command
from harness.report.comparisons import comparisons
from harness.report.contents import may_copy
from harness.report.finding import LEARNT, Finding
from harness.report.health_words import say_advice, say_finding
from harness.report.phases import are_averaged, are_validated, value_at_end
from harness.report.record_findings import speaks_against_longer
from harness.report.run import Run
from harness.report.run_findings import findings
from harness.report.section import Block, Bullets, Paragraph, ReportTable, Section
from harness.report.text import Words, value_text
from harness.train.training_progress import FINAL

SUBJECTS = ("trend", "learning", "choice", "end")
"""What conclusions take of a training's health; its own section has all."""

STANDS_FOR = {
    "step_weights": ("keep_best",),
    "step_longer": ("longer", "learn_longer", "new_schedule"),
    "step_margin": ("regularise",),
}
"""Step of a record, with its files and commands -> advice in whose place it is given."""

NOT_LONGER = frozenset(("no_longer", "little_left", "regularise"))
"""Advice that speaks against a longer training."""


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
    steps: list[Finding] = []
    if run.record is not None:
        steps = list(_record_steps(run, run.record))
    said = {advice for step in steps for advice in STANDS_FOR.get(step.text, ())}
    if run.record is not None and not are_validated(run.record):
        said -= set(STANDS_FOR["step_weights"])  # The kept weights are not those of the best.
    if run.health is not None:
        for each in run.health.advice:
            if each.text not in said:
                yield say_advice(each, run.health, words)
    yield from (_said(step, words) for step in steps)


def _record_steps(run: Run, record: Record) -> Iterator[Finding]:
    """Yield the steps that a record suggests."""
    if record.state != "done":
        if command := run_command(record):
            yield Finding("next", "step_again", {"command": command})
        return
    if record.is_leaky and (command := run_command(record, data=record.dataset.leaks)):
        yield Finding("next", "step_honest", {"command": command})
    weights = run.artefact("checkpoint", FINAL, "train")
    if weights is not None:
        step = run.results["train"]["selected_step"]
        kept = "_averaged" * are_averaged(record)
        yield Finding("next", f"step_weights{kept}", {"path": weights, "step": f"{step:,}"})
    yield from _training_steps(run, record)


def _training_steps(run: Run, record: Record) -> Iterator[Finding]:
    sections = getattr(run.task, "sections", ())
    if any(path.startswith("harness.report.sections.wrong_trials:") for path in sections):
        silent = "" if may_copy(record.dataset.licence) else "_silent"
        yield Finding("next", f"step_errors{'_synthetic' if record.dataset.synthetic else silent}")
    learnt = record.metrics.get("training_accuracy")
    length, command = longer(record), run_command(record)
    advised = {each.text for each in run.health.advice} if run.health is not None else set()
    is_open = learnt is not None and learnt.value < LEARNT
    is_open = is_open and not speaks_against_longer(run)
    is_open = bool(advised.intersection(STANDS_FOR["step_longer"])) or is_open
    if length and command and is_open and not advised & NOT_LONGER:
        yield Finding("next", "step_longer", {"command": run_command(record, length)})
    if (
        learnt is not None
        and learnt.value >= LEARNT
        and record.loss
        and "margin" in record.loss.fields
    ):
        margin = value_text(value_at_end(record, "margin"))
        yield Finding("next", "step_margin", {"loss": record.loss.name, "margin": margin})
    if record.seed is not None and command:
        yield Finding("next", "step_seeds", {"command": f"{command} --seeds 0,1,2"})
