"""`harness data`: which corpora are here, and whether every file of one can be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from harness.cli import options
from harness.cli.output import complain, give, give_json, say
from harness.cli.progress import ProgressDisplay
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.datasets.inventory import DatasetCheck

NAMED = 10
"""Groups of equal sounds, names alike and notes that are named; JSON documents have all of them."""


def list_(config: options.Config = None, json: options.Json = False) -> None:
    """List every dataset of the benchmark: found, pinned, or where to get it."""
    from harness.config.loader import load
    from harness.datasets.corpus_folders import absence_lines
    from harness.datasets.inventory import absences, inventory

    loaded = load(config)
    rows = inventory(loaded)
    if json:
        give_json({"schema": 1, "datasets": rows})
        return
    table = Table("dataset", "here", "locked", "title", box=None, pad_edge=False, padding=(0, 2))
    for row in rows:
        place = "embedded" if row["embedded"] else row["folder"] or "absent"
        name = f"{row['name']} ({row['folds']} folds)" if row["folds"] else row["name"]
        table.add_row(name, place, ", ".join(row["locked"]) or "no", row["title"])
    give(table)
    for line in absence_lines(absences(loaded)):
        say(line)


def check(
    dataset: Annotated[str, typer.Argument(help="Dataset of the benchmark file.")],
    profile: options.ProfileOption = options.Profile.quick,
    lists: Annotated[
        bool, typer.Option("--lists", help="Only manifest, split and trials; decode nothing.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every file again, changed or not.")
    ] = False,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Hold a dataset's files against what was decoded of them, and that against the lock."""
    from harness.config.loader import load
    from harness.datasets.inventory import check_dataset_files, check_dataset_lists
    from harness.datasets.lengths import inputs_asked_by
    from harness.run.plan.adapter_workers import model_input

    loaded = load(config)
    if lists and full:
        raise RequestError("--lists decodes nothing and --full reads every file; give one of them")
    parts = loaded.parts(dataset)
    if lists:
        checked = [check_dataset_lists(loaded, part, profile.value) for part in parts]
    else:
        with ProgressDisplay() as display, inputs_asked_by(model_input):
            checked = [
                check_dataset_files(
                    loaded,
                    part,
                    profile.value,
                    runs / "cache",
                    display.packing,
                    full=full,
                    tell=display.tell,
                )
                for part in parts
            ]
    _give_checked(dataset, checked, json=json)


def prepare(
    dataset: Annotated[str, typer.Argument(help="Dataset of the benchmark file.")],
    profile: options.ProfileOption = options.Profile.quick,
    archive: Annotated[
        list[Path] | None,
        typer.Option("--archive", help="Unpack this first: tar, tar.gz, zip, or a part of one."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=1024, help="Processes that decode; one a core."),
    ] = None,
    leave_out_damaged: options.LeaveOut = False,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Decode every file of a dataset once, so that a run starts at once.

    A call after one that was stopped goes on from there.
    """
    from harness.config.loader import load
    from harness.datasets.lengths import inputs_asked_by
    from harness.datasets.preparing import prepare_dataset
    from harness.records.files import keep_from_git
    from harness.run.plan.adapter_workers import model_input

    loaded = load(config)
    keep_from_git(runs)
    with ProgressDisplay() as display, inputs_asked_by(model_input):
        parts = loaded.parts(dataset)
        checked = [
            prepare_dataset(
                loaded,
                part,
                profile.value,
                runs / "cache",
                display.packing,
                archives=(archive or []) if part == parts[0] else [],
                tell=display.tell,
                workers=workers,
            )
            for part in parts
        ]
    _give_checked(dataset, checked, json=json, leave_out_damaged=leave_out_damaged)


def _give_checked(
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
        **({} if checked.pictures is None else asdict(checked.pictures)),
        **({"missing_classes": checked.missing} if checked.pictures is not None else {}),
        **checked.classes,
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
    lines += _class_lines(checked.classes)
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
    lines += _picture_lines(checked)
    lines.append(f"  lock: {checked.lock}")
    return "\n".join(lines)


def _picture_lines(checked: DatasetCheck) -> Iterator[str]:
    """Yield lines on the quality of pictures, near-duplicates, and classes that are missing."""
    if checked.pictures is None:
        return
    for name, score in checked.pictures.scores.items():
        yield (
            f"  {name}: median {score.median:.3g}, 5 % below {score.low:.3g}, 5 % above "
            f"{score.high:.3g}; the lowest:"
        )
        yield from (f"    {each['value']:.3g} {each['source']}" for each in score.worst)
    near = checked.pictures.near_duplicates
    if near:
        yield f"  note: nearly the same picture in two splits, {len(near):,} pairs:"
        for each in near[:NAMED]:
            turned = ", mirrored" if each.mirrored else ""
            pair = " = ".join(
                f"{item} ({split})" for item, split in zip(each.ids, each.splits, strict=True)
            )
            yield f"    {pair}{turned}"
        yield from ["    ..."] if len(near) > NAMED else []
    for split, labels in checked.missing.items():
        named = ", ".join(labels[:NAMED]) + (", ..." if len(labels) > NAMED else "")
        yield f"  note: {split} has no picture of {len(labels):,} classes: {named}"


def _class_lines(facts: dict[str, Any]) -> list[str]:
    """Return what is said of the classes of turns."""
    if not facts:
        return []
    counts = ", ".join(f"{name} {count:,}" for name, count in facts["classes"].items())
    lines = [f"  {len(facts['classes'])} classes: {counts}"]
    spread = f"  imbalance (largest class over smallest): {facts['imbalance']:g}"
    tokens = f"; {facts['tokens']:g} tokens a turn" if "tokens" in facts else ""
    lines.append(spread + tokens)
    lines += [f"  {split} lacks {', '.join(names)}" for split, names in facts["missing"].items()]
    return lines


def _groups(groups: list[list[str]]) -> str:
    named = "; ".join(" = ".join(group) for group in groups[:NAMED])
    more = "; ..." if len(groups) > NAMED else ""
    return f"{len(groups):,} times: {named}{more}"
