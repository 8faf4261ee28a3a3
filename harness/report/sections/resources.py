"""What the run took: time and memory of each stage, predicted and measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.board.standing.costs import GIB, amounts, cost_text, is_disturbed
from harness.board.standing.figures import UNKNOWN
from harness.records.costs import COSTS, Memory, Prediction, Resources
from harness.records.record import Record
from harness.report.drawing import drawing, drawn_name, svg
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import THOUSANDS, Words, duration, short_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = ("parameters", "gradients", "optimizer", "inputs", "activations", "temporaries")
SHADES = ("#0b3c5d", "#56b4e9", "#029e73", "#c9c9c9", "#de8f05", "#ecd9b0")
HATCHES = ("", "//", "", "xx", "", "\\\\")
"""Parts of a prediction, each with its colour and, for those who see grey, its hatch."""

DRAWN = ("training", "inference", *PARTS)

STAGES = ("train", "evaluate", "measure")

FAR = 20
"""A measured peak this many times the prediction would leave nothing to see of its parts."""

ONE_LATENCY = ("latency_p50", "latency_p95")

PEAKS = (
    ("training", "training_prediction", "training_memory"),
    ("inference", "inference_prediction", "inference_memory"),
)


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Tell seconds and bytes of each stage, and draw predicted memory beside the measured."""
    own = [run for run in runs if run.record is not None and run.record.stages]
    if not own:
        return None
    rows = [*_stage_rows(own, words), *_cost_rows(own, words)]
    if not rows:
        return None
    values = [run.name for run in own] if len(own) > 1 else [words("costs.value")]
    table = ReportTable(
        (words("costs.quantity"), *values), tuple(rows), "", frozenset(range(1, len(own) + 1))
    )
    blocks: list[Block] = [table]
    bars = [
        (run, record.resources)
        for run in own
        for record in [run.record]
        if record and record.resources.training_prediction
    ]
    if bars:
        alt = words("costs.memory_alt")
        peaks = [each for _, costs in bars for each in _peaks(costs)]
        far = all(_is_far(predicted, measured) for _, predicted, measured in peaks)
        caption = words("costs.memory_far" if far else "costs.memory")
        picture = _draw(bars, several=len(runs) > 1, with_measured=not far)
        blocks.append(ReportPicture("memory", picture, alt, caption))
    blocks += [Paragraph(text, quiet=True) for text in _notes(own, words, predicted=bool(bars))]
    measured = {each.counted for _, costs in bars if not far for *_, each in _peaks(costs) if each}
    drawn = (*DRAWN, *(f"measured ({counted})" for counted in sorted(measured)))
    return Section("costs", words("costs.title"), tuple(blocks), drawn)


def _stage_rows(runs: Sequence[Run], words: Words) -> list[tuple[str, ...]]:
    found = []
    for name in STAGES:
        stages = [run.record.stages.get(name) if run.record else None for run in runs]
        seconds = [stage.seconds if stage else None for stage in stages]
        if any(each is not None for each in seconds):
            label = words("costs.stage_time", stage=words.get(f"stages.{name}", name))
            found.append((label, *(_time(each, words) for each in seconds)))
    return found


def _time(seconds: float | None, words: Words) -> str:
    return UNKNOWN if seconds is None else duration(seconds, words)


def _cost_rows(runs: Sequence[Run], words: Words) -> list[tuple[str, ...]]:
    """Return a row for each declared quantity that any of the records knows."""
    told = [_costs(run.record, words) if run.record else {} for run in runs]
    labels = dict.fromkeys(label for each in told for label in each)
    return [(label, *(each.get(label, UNKNOWN) for each in told)) for label in labels]


def _costs(record: Record, words: Words) -> dict[str, str]:
    """Return the declared quantities that a record knows, as text by their labels."""
    costs, told = record.resources, {}
    for name, facts in COSTS.items():
        if _is_left_out(name, record):
            continue
        label = words.get(f"resources.{name}", facts.title)
        unit = facts.label(costs.throughput_unit or "items")
        if name == "latencies":
            for each in costs.latencies:
                what = "latency" if each.seconds else "latency_item"
                length = {"seconds": f"{each.seconds:g}"} if each.seconds else {}
                of = words(f"costs.{what}", **length, threads=each.threads)
                shown = (
                    f"{cost_text(each.p50, facts)} {facts.label()} ({cost_text(each.p95, facts)})"
                )
                told[of] = shown
            continue
        for cost in amounts(getattr(costs, name), facts).values():
            note = words.get(f"counted.{cost.note}", cost.note)
            told[label] = (
                duration(cost.value, words)
                if name == "training_seconds"
                else short_count(cost.value)
                if unit in THOUSANDS
                else _amount(cost_text(cost.value, facts), unit, note, words)
            )
    if batch := _batch(record, words):
        told[words("costs.batch")] = batch
    if costs.inference_batch is not None:
        told[words("costs.inference_batch")] = f"{costs.inference_batch:,}"
    return told


def _is_left_out(name: str, record: Record) -> bool:
    """Check if a quantity is told by other rows, or was taken while something else ran beside."""
    costs, beside = record.resources, COSTS[name].disturbed_by
    if name == "training_seconds" and "train" in record.stages:
        return True  # A stage's time has a row.
    if name in ONE_LATENCY and costs.latencies:
        return True  # These have it among others.
    return bool(beside) and is_disturbed(getattr(costs, beside))


def _amount(number: str, unit: str, note: str, words: Words) -> str:
    """Return an amount with its unit, `items/s` in the words of the language."""
    if unit.endswith("/s"):
        items = unit.removesuffix("/s")
        counted = words.get(f"throughput.{items}", items)
        return words("costs.per_second", number=number, items=counted)
    amount = " ".join(f"{number} {unit}".split())
    return f"{amount}{words('page.space')}{note}" if note else amount


def _batch(record: Record | None, words: Words) -> str:
    if record is None or record.resources.batch_used is None:
        return ""
    used, parts = record.resources.batch_used, record.resources.micro_batches or 1
    text = words("costs.batch_parts", batch=used, parts=parts) if parts > 1 else str(used)
    largest = record.resources.largest_training_batch
    return (
        text
        if largest is None
        else words("costs.batch_largest", batch=text, largest=f"{largest:,}")
    )


def _peaks(resources: Resources) -> list[tuple[str, Prediction | None, Memory | None]]:
    """Return the work, the prediction and the measured peak of each that has both or either."""
    held = [(work, getattr(resources, p), getattr(resources, m)) for work, p, m in PEAKS]
    return [each for each in held if each[1] is not None or each[2] is not None]


def _is_far(predicted: Prediction | None, measured: Memory | None) -> bool:
    """Check if a measured peak lies so far beyond the prediction that only it would be seen."""
    sizes = [getattr(predicted, part) for part in PARTS] if predicted else []
    return measured is not None and measured.bytes > FAR * sum(sizes)


def _draw(bars: Sequence[tuple[Run, Resources]], *, several: bool, with_measured: bool) -> bytes:
    rows = [
        (f"{drawn_name(run.name, place)}\n{work}" if several else work, predicted, measured)
        for place, (run, resources) in enumerate(bars)
        for work, predicted, measured in _peaks(resources)
    ]
    with drawing(5.4, 1.3 + (0.62 if several else 0.5) * len(rows)) as figure:
        axes = figure.add_subplot()
        for line, (_, predicted, measured) in enumerate(rows):
            _draw_bar(axes, line, predicted, measured if with_measured else None)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.invert_yaxis()
        axes.set_xlabel("GiB")
        axes.set_xlim(left=0)
        handles, labels = axes.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        figure.legend(
            once.values(), once.keys(), loc="outside upper left", ncols=3, frameon=False, fontsize=8
        )
        return svg(figure)


def _draw_bar(axes: Axes, line: int, predicted: Prediction | None, measured: Memory | None) -> None:
    left = 0.0
    for part, shade, hatch in zip(PARTS, SHADES, HATCHES, strict=True):
        size = getattr(predicted, part) / GIB if predicted else 0.0
        if size:
            axes.barh(
                line,
                size,
                0.5,
                left,
                color=shade,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.5,
                label=part,
            )
            left += size
    if measured is not None:
        at = measured.bytes / GIB
        axes.plot(
            [at, at],
            [line - 0.36, line + 0.36],
            color="black",
            linewidth=2,
            label=f"measured ({measured.counted})",
        )


def _notes(runs: Sequence[Run], words: Words, *, predicted: bool) -> list[str]:
    records = [run.record for run in runs if run.record is not None]
    told = []
    if any(
        r.resources.training_memory and r.resources.training_memory.counted == "process"
        for r in records
    ):
        counted = [words("costs.process"), *([words("costs.process_predicted")] * predicted)]
        told.append(words("page.space").join(counted))
    waits = [(r.resources.cpu_wait, r.resources.measuring_cpu_wait) for r in records]
    if any(is_disturbed(wait) for pair in waits for wait in pair):
        told.append(words("costs.disturbed"))
    return told
