"""Budgets: records of the matched track told apart by the crops that their training saw."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from harness.board.standing.choice import Choice, names_of
from harness.board.standing.rows import FiledRecord
from harness.records.record import Record


def crops_seen(record: Record) -> int | None:
    """Return the crops that a matched training of so many steps sees; None of any other.

    Systems of the recipe track are each as long as their authors train them, and share a table. An
    exported file stands where the network does that it was made of.
    """
    recipe = record.recipe or {}
    steps, batch = recipe.get("steps"), recipe.get("batch")
    track = recipe.get("track") if record.is_exported else record.track
    if track != "matched" or recipe.get("fine_tune"):
        return None
    return steps * batch if isinstance(steps, int) and isinstance(batch, int) else None


def by_budget(choice: Choice) -> list[tuple[int | None, Choice]]:
    """Divide the records of a suite, profile and dataset into those of each budget, largest first.

    What no training made (the baseline, a submission) stands beside each budget; a training whose
    crops are not known stands beside the largest.

    Returns:
        Each budget in crops, with its records; None alone if no record has one.
    """
    known = {crops for each in choice.kept if (crops := crops_seen(each.record))}
    ordered = sorted(known, reverse=True)
    if len(ordered) < 2:
        return [(ordered[0] if ordered else None, choice)]
    places = {names_of(each.record): crops_seen(each.record) for each in choice.kept}
    return [
        (
            budget,
            Choice(
                tuple(_of(budget, ordered[0], choice.kept)),
                tuple(_beside(budget, ordered[0], choice.older, places)),
                tuple(_beside(budget, ordered[0], choice.weaker, places)),
            ),
        )
        for budget in ordered
    ]


def _of(budget: int, largest: int, filed: Iterable[FiledRecord]) -> Iterable[FiledRecord]:
    for each in filed:
        crops = crops_seen(each.record)
        if each.record.recipe is None or (largest if crops is None else crops) == budget:
            yield each


def _beside(
    budget: int,
    largest: int,
    filed: Iterable[FiledRecord],
    places: Mapping[tuple[Hashable, ...], int | None],
) -> Iterable[FiledRecord]:
    """Yield the records that those of a budget took the places of: they have the same names."""
    for each in filed:
        crops = places.get(names_of(each.record))
        if each.record.recipe is None or (crops or largest) == budget:
            yield each
