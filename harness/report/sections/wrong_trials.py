"""The error browser: the hardest wrong trials, seen and heard, and those that systems share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.report.cards import Card, Face, browser
from harness.report.contents import SECONDS, Content, contents, facts_of, may_copy
from harness.report.judged import JudgedRun, judged_runs, same_tests
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportTable, Section
from harness.report.text import Words
from harness.report.verdicts import (
    EACH,
    Chosen,
    Suspect,
    Verdicts,
    accepted_pairs,
    rejected_items,
    shared,
)

MOST = {1: 12, 2: 8}
FEWEST_OF_A_RUN = 5
"""Trials of a run and a kind that are shown, by the number of runs; fewer of many runs."""

SUSPECTS, TRIALS = 10, 5
"""Rows of a table of suspects, and the trials that one of them has to have."""

APART = ("id", "unit", "label", "seconds", "source", "line", "split")
"""Columns of an item that a card tells otherwise, or not at all."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A trial that is shown.

    Attributes:
        place: in the list.
        system: the run that it is an error of; None for one that several share.
    """

    place: int
    system: int | None


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Show what each run that was judged on trials got wrong, group by group of one test."""
    groups = same_tests([each for each in judged_runs(runs) if each.threshold is not None])
    blocks: list[Block] = []
    for number, group in enumerate(groups):
        blocks += Browsed(group, number, words).blocks()
    return Section("errors", words("errors.title"), tuple(blocks)) if blocks else None


class Browsed:
    """Runs that were judged on one test.

    Args:
        group: the runs, each with a threshold.
        number: of the group within the page.
        words: of the page's language.
    """

    def __init__(self, group: Sequence[JudgedRun], number: int, words: Words) -> None:
        self.group, self.number, self.words = group, number, words
        self.items, self.trials = group[0].items, group[0].trials
        self.systems: list[Verdicts] = [v for each in group if (v := each.verdicts) is not None]
        self.enrolled, self.speakers = self.trials.enrolled_by(), group[0].speakers
        margins = [each.margins for each in self.systems]
        self.margins: NDArray[np.float64] = np.stack(margins)
        self.wrong: NDArray[np.bool_] = np.stack([each.wrong for each in self.systems])

    @property
    def _suspected(self) -> str:
        record = self.group[0].run.record
        is_synthetic = record is not None and record.dataset.synthetic
        return "errors.suspects_synthetic" if is_synthetic else "errors.suspects"

    def blocks(self) -> Iterator[Block]:
        """Yield what is said of them, from top to bottom."""
        words, listing = self.words, self.group[0].run.listing
        if listing is None or not self.wrong.any():
            return
        licence = listing.config.licence
        names = words("page.and").join(each.run.name for each in self.group)
        lead = "errors.lead" if len(self.systems) > 1 else "errors.lead_one"
        counts = {"wrong": f"{int(self.wrong.any(0).sum()):,}", "all": f"{len(self.trials):,}"}
        yield Paragraph(words(lead, runs=names, **counts))
        if listing.corpus.kind == "audio":
            yield Paragraph(words("errors.sounds", seconds=f"{SECONDS:g}"), quiet=True)
        if not may_copy(licence):
            yield Paragraph(words("errors.licence", licence=licence), quiet=True)
        lists = list(self._lists())
        chosen = [Shown(place, system) for system, found in lists for place in found.places]
        left_out = {place for _, found in lists for place in found.left_out}
        if left_out := left_out - {each.place for each in chosen}:
            yield Paragraph(
                words("errors.left_out", most=EACH, count=f"{len(left_out):,}"), quiet=True
            )
        rows = {
            int(side[each.place]) for each in chosen for side in (self.enrolled, self.trials.test)
        }
        held = contents(listing, self.items, rows)
        cards = [self._card(each, held.__getitem__) for each in chosen]
        filters = {each: words(f"errors.by_{each}") for each in ("run", "error", "kind")}
        yield browser(cards, filters, words, [self._table(chosen)])
        yield from self._suspects()

    def _lists(self) -> Iterator[tuple[int | None, Chosen]]:
        """Yield the hardest trials of each system and kind of error, those of several first."""
        most = MOST.get(len(self.systems), FEWEST_OF_A_RUN)
        if len(self.systems) > 1:
            yield None, shared(self.systems, most, self.speakers)
        for number, system in enumerate(self.systems):
            for accepted in (True, False):
                yield number, system.hardest(most, self.speakers, accepted=accepted)

    def _card(self, shown: Shown, content: Callable[[int], Content]) -> Card:
        words, place = self.words, shown.place
        sides = (int(self.enrolled[place]), int(self.trials.test[place]))
        return Card(
            title=self._error(place),
            note=self._note(shown),
            faces=tuple(
                self._face(row, content(row), is_enrolled=not number)
                for number, row in enumerate(sides)
            ),
            values={
                "run": self._name(shown),
                "error": self._error(place),
                "kind": words.get(
                    f"groups.{self.trials.kind[place]}", str(self.trials.kind[place])
                ),
            },
        )

    def _error(self, place: int) -> str:
        return self.words("errors.missed" if self.trials.target[place] else "errors.accepted")

    def _name(self, shown: Shown) -> str:
        if shown.system is None:
            return self.words("errors.several")
        return self.group[shown.system].run.name

    def _note(self, shown: Shown) -> str:
        """Tell score, threshold and votes of a trial."""
        words, place = self.words, shown.place
        votes = {"wrong": int(self.wrong[:, place].sum()), "systems": len(self.systems)}
        voted = [words("errors.votes", **votes)] if len(self.systems) > 1 else []
        if shown.system is None:
            names = [each.run.name for each, wrong in zip(self.group, self.wrong[:, place],
                                                          strict=True) if wrong]  # fmt: skip
            return words("page.colon").join([*voted, words("page.and").join(names)])
        system = self.systems[shown.system]
        told = words(
            "errors.score",
            score=f"{system.scores[place]:z.3f}",
            threshold=f"{system.threshold:.3f}",
            margin=f"{self.margins[shown.system, place]:.2f}",
        )
        of = f"{self._name(shown)}{words('page.colon')}" if voted else ""
        return of + words("page.semicolon").join([told, *voted])

    def _face(self, row: int, content: Content, *, is_enrolled: bool) -> Face:
        words, item = self.words, self.items.iloc[row].to_dict()
        length = f"{item['seconds']:.1f} s" if item["seconds"] else ""
        side = words("errors.enrolled" if is_enrolled else "errors.tested")
        told = [side, str(item["id"]), length, facts_of(item, APART, words)]
        if is_enrolled and self.trials.models is not None:
            told.insert(1, words("errors.of_model"))
        note = words("page.comma").join(filter(None, told))
        return Face(str(item["unit"]), note, content, f"{self.number}-{row}")

    def _table(self, chosen: Sequence[Shown]) -> ReportTable:
        """Return the same trials as a table."""
        words, ids = self.words, self.items["id"].tolist()
        head = [
            words(f"errors.{each}") for each in ("by_run", "by_error", "enrolled", "tested", "why")
        ]
        rows = [
            (
                self._name(each),
                self._error(each.place),
                ids[self.enrolled[each.place]],
                ids[self.trials.test[each.place]],
                self._note(each),
            )
            for each in chosen
        ]
        return ReportTable(tuple(head), tuple(rows), words("errors.table"))

    def _suspects(self) -> Iterator[Block]:
        """Yield the items and the pairs of speakers at which wrong verdicts gather."""
        words, ids = self.words, self.items["id"].tolist()
        speakers = sorted(set(self.items["unit"]))
        items = rejected_items(self.systems, (self.enrolled, self.trials.test), SUSPECTS, TRIALS)
        pairs = accepted_pairs(self.systems, self.speakers, SUSPECTS, TRIALS)
        if items or pairs:
            yield Paragraph(words(self._suspected, fewest=TRIALS), quiet=True)
        units = self.items["unit"].tolist()
        named = {
            "items": [(f"{ids[item]} ({units[item]})", e) for e in items for item in e.place],
            "pairs": [(" / ".join(speakers[place] for place in e.place), e) for e in pairs],
        }
        for name, found in named.items():
            if found:
                head = tuple(words(f"errors.{each}") for each in (name, "wrong", "judged", "share"))
                rows = tuple((told, *_counted(each)) for told, each in found)
                yield ReportTable(head, rows, words(f"errors.{name}_table"), frozenset({1, 2, 3}))


def _counted(each: Suspect) -> tuple[str, str, str]:
    return (f"{each.wrong:,}", f"{each.judged:,}", f"{100 * each.wrong / each.judged:.0f} %")
