"""Items that classifiers decided wrongly with the least doubt, seen and heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.report.cards import Card, Face, browser
from harness.report.contents import SECONDS, contents, facts_of, may_copy
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportTable, Section
from harness.report.text import Words
from harness.report.verdicts import EACH, Chosen, farthest

MOST = {1: 24, 2: 12}
FEWEST_OF_A_RUN = 8
"""Items of a run that are shown, by the number of runs; fewer of many runs."""

APART = ("id", "unit", "label", "seconds", "source", "line", "split")


@dataclass(frozen=True, eq=False)
class ClassifierDecisions:
    """What a classifier decided.

    Attributes:
        run: the run.
        items: of the test split, `[N]`.
        classes: labels, in the order of the logits.
        true, decided: places in `classes`, each `[N]`.
        margins: logit of the decided class above that of the true one, `[N]`; 0 where right.
        surety: share of the decided class by softmax, `[N]`.
    """

    run: Run
    items: pd.DataFrame
    classes: tuple[str, ...]
    true: NDArray[np.intp]
    decided: NDArray[np.intp]
    margins: NDArray[np.float64]
    surety: NDArray[np.float64]

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """`[N]`, True where another class was decided for than the true one."""
        return np.not_equal(self.decided, self.true)


def decisions(run: Run) -> ClassifierDecisions | None:
    """Return what a run decided of its test items; None if it was not judged by logits."""
    lists, scores = run.lists, run.scores
    if lists is None or scores is None or "logits" not in scores or not lists.classes:
        return None
    logits = np.asarray(scores["logits"], np.float64)
    true = pd.Index(lists.classes).get_indexer(pd.Index(lists.items["label"])).astype(np.intp)
    decided, rows = logits.argmax(axis=1), np.arange(len(logits))
    best = logits[rows, decided]
    surety = 1 / np.exp(logits - best[:, None]).sum(axis=1)
    return ClassifierDecisions(
        run, lists.items, lists.classes, true, decided, best - logits[rows, true], surety
    )


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Show the hardest wrongly decided items of each classifier."""
    found = [each for run in runs if (each := decisions(run)) is not None]
    groups: dict[Any, list[ClassifierDecisions]] = {}
    for each in found:
        if each.run.record is not None and each.wrong.any():
            data = each.run.record.dataset
            groups.setdefault((data.name, data.lock, data.left_out), []).append(each)
    blocks = [
        block
        for number, group in enumerate(groups.values())
        for block in _group(group, number, words)
    ]
    return Section("mistakes", words("mistakes.title"), tuple(blocks)) if blocks else None


def _hardest(found: ClassifierDecisions, units: NDArray[np.intp], most: int) -> Chosen:
    """Choose the wrong items to show; a unit has its limit only where not all can be shown."""
    wrong = np.flatnonzero(found.wrong)
    return farthest(wrong, found.margins[wrong], most, [units] if len(wrong) > most else [])


def _group(group: Sequence[ClassifierDecisions], number: int, words: Words) -> Iterator[Block]:
    """Yield the blocks of classifiers that were judged on the same items."""
    listing, items = group[0].run.listing, group[0].items
    if listing is None:
        return
    sound, licence = listing.corpus.kind == "audio", listing.config.licence
    for each in group:
        shares = {"wrong": f"{int(each.wrong.sum()):,}", "all": f"{len(items):,}"}
        yield Paragraph(words("mistakes.lead", run=each.run.name, **shares))
    yield Paragraph(words("mistakes.chosen"), quiet=True)
    if sound:
        yield Paragraph(words("errors.sounds", seconds=f"{SECONDS:g}"), quiet=True)
    if not may_copy(licence):
        note = "errors.licence" if sound else "mistakes.licence"
        yield Paragraph(words(note, licence=licence), quiet=True)
    most = MOST.get(len(group), FEWEST_OF_A_RUN)
    units = pd.factorize(items["unit"])[0]
    lists = [(each, _hardest(each, units, most)) for each in group]
    chosen = [(each, row) for each, found in lists for row in found.places]
    left_out = {row for _, found in lists for row in found.left_out}
    if left_out := left_out - {row for _, row in chosen}:
        unit = words.get(f"units.{listing.corpus.unit}", listing.corpus.unit)
        told = words("mistakes.left_out", most=EACH, unit=unit, count=f"{len(left_out):,}")
        yield Paragraph(told, quiet=True)
    held = contents(listing, items, {row for _, row in chosen})
    votes = np.sum([each.wrong for each in group], axis=0)
    cards, rows = [], []
    for each, row in chosen:
        item = items.iloc[row].to_dict()
        true, decided = (each.classes[codes[row]] for codes in (each.true, each.decided))
        told = words(
            "mistakes.score",
            share=f"{100 * each.surety[row]:.1f} %",
            margin=f"{each.margins[row]:.2f}",
        )
        if len(group) > 1:
            voted = words("errors.votes", wrong=int(votes[row]), systems=len(group))
            told = f"{each.run.name}{words('page.colon')}{told}{words('page.semicolon')}{voted}"
        title = words("mistakes.as", true=true, decided=decided)
        names = dict.fromkeys((str(item["id"]), str(item["unit"])))
        note = words("page.comma").join(filter(None, (*names, facts_of(item, APART, words))))
        face = Face(true, note, held[row], f"m{number}-{row}")
        values = {"run": each.run.name, "true": true, "decided": decided}
        cards.append(Card(title, told, (face,), values))
        rows.append((each.run.name, str(item["id"]), true, decided, told))
    filters = {"run": words("errors.by_run"), "true": words("mistakes.true"),
               "decided": words("mistakes.decided")}  # fmt: skip
    head = (words("errors.by_run"), words("mistakes.item"), words("mistakes.true"),
            words("mistakes.decided"), words("errors.why"))  # fmt: skip
    yield browser(cards, filters, words, [ReportTable(head, tuple(rows), words("mistakes.table"))])
