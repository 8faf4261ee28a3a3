"""What `harness data check` and `harness data prepare` say of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from harness.cli.output import complain, give, give_json

if TYPE_CHECKING:
    from harness.datasets.inventory import DatasetCheck

NAMED = 10
"""Groups of equal sounds, names alike and notes that are named; JSON documents have all of them."""


def give_checked(
    name: str, checked: Sequence[DatasetCheck], *, json: bool, leave_out_damaged: bool = False
) -> None:
    """Print it, name every damaged file, and end with 1 where there is one.

    Args:
        name: the dataset as it was asked for.
        checked: what was found, of it or of each of its folds.
        json: one JSON document instead of lines.
        leave_out_damaged: whether damaged files are no failure.
    """
    if json:
        held = [_document(each) for each in checked]
        whole = held[0] if len(held) == 1 else {"dataset": name, "folds": held}
        give_json({"schema": 1, **whole})
    else:
        give("\n".join(_lines(each) for each in checked))
    damaged = [each for each in checked if each.damaged]
    for each in damaged:
        complain(each.report)
    if damaged and not leave_out_damaged:
        raise typer.Exit(1)


def _document(checked: DatasetCheck) -> dict[str, Any]:
    return {
        "dataset": checked.name,
        "items": checked.items,
        "counts": checked.counts,
        "damaged": checked.damaged,
        "lock": checked.lock,
        "hours": checked.hours,
        "bytes": checked.size,
        "duplicates": checked.duplicates,
        "alike": checked.alike,
        "notes": checked.notes,
    }


def _lines(checked: DatasetCheck) -> str:
    from harness.datasets.packing.estimates import format_bytes

    usable = f"{checked.items - len(checked.damaged):,} of {checked.items:,} items can be used"
    lines = [f"{checked.name}: {usable if checked.decoded else f'{checked.items:,} items listed'}"]
    for split, counts in checked.counts.items():
        numbers = [f"{n:,} {what}" for what, n in counts.items()]
        if split in checked.hours:
            numbers.append(f"{checked.hours[split]:.2f} hours")
        lines.append(f"  {split}: " + ", ".join(numbers))
    if checked.size:
        lines.append(f"  packed: {format_bytes(checked.size)}")
    if checked.duplicates:
        lines.append(f"  note: the same audio within a split, {_groups(checked.duplicates)}")
    if checked.alike:
        lines.append(
            "  note: names that differ in letter case or leading zeros alone, "
            f"{_groups(checked.alike)}; give them one spelling where they are one"
        )
    if checked.notes:
        lines.append(f"  note: {len(checked.notes):,} items were read with a note:")
        lines += [f"    {each['source']}: {each['note']}" for each in checked.notes[:NAMED]]
        lines += ["    ..."] if len(checked.notes) > NAMED else []
    lines.append(f"  lock: {checked.lock}")
    return "\n".join(lines)


def _groups(groups: list[list[str]]) -> str:
    named = "; ".join(" = ".join(group) for group in groups[:NAMED])
    more = "; ..." if len(groups) > NAMED else ""
    return f"{len(groups):,} times: {named}{more}"
