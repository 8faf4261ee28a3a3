"""What is said of a run: its network and recipe, its data, its rules, where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.board.standing.costs import environment_name
from harness.records.provenance import short_code
from harness.records.record import Record, RecordedComponent
from harness.report.phases import (
    are_validated,
    fine_tuned_from,
    fine_tuning,
    own_value,
    value_after,
)
from harness.report.recorded import say_again, say_recipe
from harness.report.run import Run
from harness.report.section import Paragraph
from harness.report.text import Words, duration, value_text

if TYPE_CHECKING:
    import pandas as pd

    from harness.series.series import Series

SPLITS = ("train", "validation", "test")

SCHEDULED = ("margin", "scale")
"""Values of a loss that a recipe's schedules may drive."""

MOST_SPANS = 4
"""Groups of a log's series whose steps are told apart."""


def facts(run: Run, words: Words) -> dict[str, str]:
    """Return what is said of a run, in the order of the page, by the ends of the ids of labels."""
    record = run.record
    if record is None:
        return {"span": _span(run.series, words), "source": f"`{run.place}`"}
    return {
        "model": _component(record.model, words),
        "loss": _component(record.loss, words) if record.loss else "",
        "recipe": words("head.no_training") if record.is_baseline else _recipe(record, words),
        "fine_tuning": _fine_tuning(record, words),
        "data": _data(record, words),
        "splits": _splits(record, words),
        "protocol": _protocol(record, words),
        "chosen": _chosen(run, record, words),
        "looks": words("head.looks_are", looks=record.test_looks, searched=record.searched),
        "seed": "" if record.seed is None else str(record.seed),
        "machine": _machine(record),
        "code": f"`{short_code(record.code)}`",
        "finished": record.ended.replace("T", " ").replace("+00:00", " UTC"),
        "notes": words("page.semicolon").join(say_again(note, words) for note in record.notes),
        "source": f"`{run.place}`",
    }


def unpublished(runs: Sequence[Run], words: Words) -> list[Paragraph]:
    """Say which runs are published records that lack what a section needs; nothing of none."""
    names = words("page.and").join(run.name for run in runs)
    return [Paragraph(words("page.unpublished", runs=names), quiet=True)] if runs else []


def _chosen(run: Run, record: Record, words: Words) -> str:
    """Return how the weights were chosen, and if there was but one validation to choose by."""
    told, curve = say_again(record.selected_on, words), run.health.curve if run.health else None
    if not are_validated(record) or curve is None or len(curve) > 1:
        return told
    return told + words("page.semicolon") + words("head.chosen_once")


def _span(series: Series | None, words: Words) -> str:
    if series is None or series.scalars.empty:
        return ""
    rows = series.scalars
    told = words("head.span_is", series=len(series.names), points=f"{len(rows):,}")
    for of, (first, last) in _step_ranges(rows).items():
        told += words("page.semicolon") + (f"`{of}`{words('page.colon')}" if of else "")
        told += words("head.span_steps", first=f"{first:,}", last=f"{last:,}")
    seconds = rows["seconds"].max()
    if not seconds > 0:  # NaN where no times are known
        return told
    time = words("head.span_time", time=duration(seconds, words))
    return f"{told}{words('page.semicolon')}{time}"


def _step_ranges(rows: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return first and last step, apart for `Train/` and `Test/` where these count their own.

    Some programs number validations from 0, beside training steps that are ten times as many.
    """
    group = rows["name"].str.extract(r"^([^/]*/)", expand=False).fillna("")
    ends = rows.groupby(group, sort=False)["step"].agg(["min", "max"])
    if len(ends) > MOST_SPANS or ends["max"].max() < 2 * ends["max"].min():
        return {"": (rows["step"].min(), rows["step"].max())}
    return {str(of): (first, last) for of, first, last in ends.itertuples()}


def _component(part: RecordedComponent, words: Words) -> str:
    given = ((name, value) for name, value in sorted(part.fields.items()) if value != "")
    fields = (f"{name} {value_text(value)}" for name, value in given)
    parts = words("page.comma").join((f"`{part.adapter}`", *fields))
    return f"{part.name}{words('page.colon')}{parts}"


def _recipe(record: Record, words: Words) -> str:
    recipe = record.recipe or {}
    optimizer, crop = recipe.get("optimizer") or {}, recipe.get("crop_seconds")
    length = next((name for name in ("epochs", "steps") if recipe.get(name)), "")
    told = [
        say_recipe(record.recipe_name, words),
        _length(length, recipe[length], words) if length else "",
        words("head.batch", number=recipe["batch"]) if "batch" in recipe else "",
        words("head.optimizer", name=optimizer.get("name"), rate=value_text(optimizer.get("lr"))),
        words("head.crop", seconds=value_text(crop)) if crop else "",
        words("head.precision", name=recipe["precision"]) if "precision" in recipe else "",
        *(_at_end(record, name, words) for name in SCHEDULED),
    ]
    return words("page.comma").join(filter(None, told)) if recipe else ""


def _at_end(record: Record, name: str, words: Words) -> str:
    """Return what a schedule drives a value of the loss to, if that is not the loss's own."""
    value = value_after(record, name, record.recipe or {})
    is_own = value is None or value == own_value(record, name)
    return "" if is_own else words("head.value_at_end", name=name, value=value_text(value))


def _fine_tuning(record: Record, words: Words) -> str:
    """Return what the fine-tuning changes of the recipe; empty if there is none."""
    phase = fine_tuning(record)
    if not phase:
        return ""
    first, batch, crop = fine_tuned_from(record), phase.get("batch"), phase.get("crop_seconds")
    told = [
        words("head.fine_tuned_from", step=f"{first:,}") if first is not None else "",
        words("head.batch", number=batch) if batch else "",
        words("head.rate", rate=value_text(phase.get("lr"))),
        words("head.crop", seconds=value_text(crop)) if crop else "",
        *(
            words("head.value_held", name=name, value=value_text(value))
            for name in SCHEDULED
            if name in (phase.get("schedules") or {})
            and (value := value_after(record, name, phase)) is not None
        ),
    ]
    return words("page.comma").join(filter(None, told))


def _length(unit: str, number: float, words: Words) -> str:
    if unit == "epochs" and number == 1:
        return words("head.one_epoch")
    return words(f"head.{unit}", number=f"{number:,g}")


def _data(record: Record, words: Words) -> str:
    data = record.dataset
    made = words("head.synthetic") if data.synthetic else ""
    return words("page.comma").join(filter(None, (data.title, made, data.licence)))


def _splits(record: Record, words: Words) -> str:
    told = []
    held = record.dataset.counts
    for split in sorted(held, key=lambda name: SPLITS.index(name) if name in SPLITS else -1):
        counts = held[split]
        text = "head.split_trials" if "trials" in counts else "head.split"
        if counts.get("items") == counts.get("units"):
            text = "head.split_alone"
        shown = {name: f"{count:,}" for name, count in {"items": 0, **counts}.items()}
        shown["units"] = numbered(counts.get("units", 0), record.dataset.unit, words)
        told.append(words(text, split=words.get(f"splits.{split}", split), **shown))
    return words("page.semicolon").join(told)


def _protocol(record: Record, words: Words) -> str:
    protocol = record.protocol
    held = protocol.parameters
    rules = words("page.semicolon").join(
        words(f"rules.{name}", value=say_again(value_text(held[name]), words))
        if words.get(f"rules.{name}")
        else f"{name} {value_text(held[name])}"
        for name in words.in_order("rules", held)
    )
    place = {"suite": protocol.suite, "profile": protocol.profile, "version": protocol.version}
    return words("head.protocol_is", **place) + words("page.semicolon") + rules


def _machine(record: Record) -> str:
    if record.environment is None:
        return ""
    torch = record.environment.libraries.get("torch")
    return environment_name(record) + (f", torch {torch}" if torch else "")


def numbered(number: int, unit: str, words: Words) -> str:
    """Return a number of units in words: `64 speakers`."""
    text = f"numbered.{unit}" if words.get(f"numbered.{unit}") else "numbered.other"
    return words(text, number=f"{number:,}", **({"unit": unit} if text.endswith("other") else {}))
