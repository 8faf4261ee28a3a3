"""The page of a sweep: its table, its picture and the same as a document, beside the runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.board.record_paths import slug
from harness.board.standing.figures import (
    UNKNOWN,
    heading,
    plain,
    plural,
    with_interval,
)
from harness.board.writing.chart_drawing import COLOURS, style
from harness.records.documents import digest, readable_json
from harness.records.files import write_bytes, write_text
from harness.search.settings import setting_name, split_settings
from harness.search.sweep import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "sweeps"
COLUMNS = ("setting", "validation", "seeds", "spread", "p", "training", "")
PICTURE = (4.8, 3.2)
"""Inches."""

CHOSEN = "chosen"
LEVEL = 0.05


def write_sweep(runs: Path, sweep: Sweep) -> Path:
    """Write `sweep.json`, `sweep.md` and `sweep.svg` into a folder of the sweep's own.

    Returns:
        The page.
    """
    record = sweep.first
    protocol, names = record.protocol, (record.dataset.name, record.entry)
    keys = sorted({key for setting in sweep.settings for key in setting})
    of = [keys, *names, sweep.recipe]
    place = "-".join(map(slug, (protocol.suite, protocol.profile, *names)))
    folder = runs / FOLDER / f"{place}-{digest([*of, *map(setting_name, sweep.settings)])[:8]}"
    write_text(folder / "sweep.json", readable_json(document(sweep)))
    write_bytes(folder / "sweep.svg", picture(sweep))
    write_text(folder / "sweep.md", page(sweep))
    return folder / "sweep.md"


def document(sweep: Sweep) -> dict[str, Any]:
    """Return a sweep as plain JSON types: figures of validation, and of test for the chosen one."""
    record, protocol = sweep.first, sweep.first.protocol
    return {
        "schema": 1,
        "suite": protocol.suite,
        "profile": protocol.profile,
        "dataset": record.dataset.name,
        "synthetic": record.dataset.synthetic,
        "model": record.model.name,
        "loss": record.loss.name if record.loss else None,
        "recipe": sweep.recipe,
        "metric": protocol.primary,
        "selected_on": "validation",
        "searched": sweep.tried,
        "settings": [_setting(sweep, place, p) for place, p in enumerate(sweep.p_values())],
        "chosen": None if sweep.chosen is None else dict(sweep.settings[sweep.chosen]),
        "smallest_visible_difference": sweep.ranking.visible,
        "units": sweep.ranking.units,
        "test": [_test(each) for each in sweep.tested],
    }


def _setting(sweep: Sweep, place: int, p: float | None) -> dict[str, Any]:
    row, metric = sweep.rows[place], sweep.first.protocol.primary
    figure = row.figure(metric)
    told = vars(figure) if figure else {}
    return {
        "setting": dict(sweep.settings[place]),
        "state": row.first.state,
        "reason": row.first.reason,
        "validation": told or None,
        "by_seed": {
            str(each.seed): each.metrics[metric].value
            for each in row.results
            if metric in each.metrics
        },
        "rank": sweep.ranking.ranks[place],
        "p_from_chosen": p,
        "training_seconds": _training_seconds(sweep, place),
    }


def _test(record: Any) -> dict[str, Any]:
    metric = record.metrics.get(record.protocol.primary)
    return {
        "seed": record.seed,
        "state": record.state,
        "reason": record.reason,
        "searched": record.searched,
        "test_looks": record.test_looks,
        record.protocol.primary: metric.model_dump() if metric else None,
    }


def table(sweep: Sweep) -> list[tuple[str, ...]]:
    """Return the table of a sweep as text: `COLUMNS` of each setting, in the order of the grid."""
    told = zip(names(sweep), sweep.p_values(), strict=True)
    return [_line(sweep, place, name, p) for place, (name, p) in enumerate(told)]


def _line(sweep: Sweep, place: int, name: str, p: float | None) -> tuple[str, ...]:
    row, facts = sweep.rows[place], sweep.facts
    figure = row.figure(sweep.first.protocol.primary)
    if figure is None:
        state = f"{row.first.state}: {row.first.reason}"
        return (name, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, state)
    spread = UNKNOWN if figure.spread is None else plain(figure.spread, facts)
    seconds = _training_seconds(sweep, place)
    trained = UNKNOWN if seconds is None else f"{seconds / 60:.1f} min"
    chosen = place == sweep.chosen
    said = "" if p is None else f"{p:.3f}" if p >= 0.001 else "<0.001"
    return (
        name,
        with_interval(figure, facts),
        str(figure.seeds),
        spread,
        "" if chosen else said or UNKNOWN,
        trained,
        CHOSEN if chosen else "",
    )


def _training_seconds(sweep: Sweep, place: int) -> float | None:
    told = [each.resources.training_seconds for each in sweep.rows[place].results]
    known = [seconds for seconds in told if seconds is not None]
    return sum(known) / len(known) if known else None


def conclusions(sweep: Sweep) -> list[str]:
    """Return what a sweep says, a sentence each."""
    if sweep.chosen is None:
        return ["No setting could be trained."]
    facts, record = sweep.facts, sweep.first
    best, name = sweep.rows[sweep.chosen], names(sweep)[sweep.chosen]
    figure = best.figure(record.protocol.primary)
    said = [
        f"{name} has the best mean {facts.title} on validation ({with_interval(figure, facts)})"
    ]
    if sweep.ranking.reason:
        said[0] += f"; {sweep.ranking.reason}"
    else:
        alike = [
            other
            for place, (other, p) in enumerate(zip(names(sweep), sweep.p_values(), strict=True))
            if place != sweep.chosen and p is not None and p >= LEVEL
        ]
        if alike:
            said[0] += f"; it cannot be told apart from {'; '.join(alike)}"
    if sweep.ranking.visible is not None:
        unit = " points" if facts.unit == "%" else f" {facts.unit}".rstrip()
        units = plural(sweep.ranking.units or 0, record.dataset.unit)
        seen = plain(sweep.ranking.visible, facts)
        said.append(f"Its {units} of validation tell differences above {seen}{unit} apart")
    said.append(
        "The best of several on validation is better there than it is: it was chosen for it"
    )
    if (tested := sweep.test_row) is not None:
        value = with_interval(tested.figure(record.protocol.primary), facts)
        said.append(
            f"On test, which was scored for the chosen setting alone, it has {facts.title} "
            f"{value}, and its record says that {plural(sweep.tried, 'configuration')} were tried"
        )
    return [f"{sentence}." for sentence in said]


def title(sweep: Sweep) -> str:
    """Return the heading of a sweep."""
    record = sweep.first
    own, shared = split_settings(sweep.settings)
    synthetic = " (synthetic)" if record.dataset.synthetic else ""
    recipe = f"{sweep.recipe} with {setting_name(shared)}" if shared else sweep.recipe
    over = ", ".join(own[0])
    return f"{record.entry} ({recipe}) over {over}, {record.dataset.title}{synthetic}"


def names(sweep: Sweep) -> list[str]:
    """Return the name of each setting: what tells it from the others."""
    return [setting_name(each) for each in split_settings(sweep.settings)[0]]


def heads(sweep: Sweep) -> tuple[str, ...]:
    """Return the heads of the table's columns."""
    named = {"validation": f"validation {heading(sweep.facts)}", "p": "p, from the chosen"}
    return tuple(named.get(each, each) for each in COLUMNS)


def page(sweep: Sweep) -> str:
    """Return a sweep as Markdown."""
    record = sweep.first
    lines = [
        f"# {title(sweep)}",
        "",
        *conclusions(sweep),
        "",
        "![validation by setting](sweep.svg)",
        "",
        *(f"| {' | '.join(cells)} |" for cells in [heads(sweep), ["---"] * len(COLUMNS)]),
        *(
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
            for row in table(sweep)
        ),
        "",
        f"Figures are of the validation split of `{record.dataset.name}` "
        f"({record.protocol.suite}, {record.protocol.profile} profile), as means over the seeds; "
        f"in brackets 95 % over its {record.dataset.unit}s. Spread: standard deviation over seeds. "
        "p: paired, with the spread of seeds, Holm-corrected over all pairs of settings.",
        "",
    ]
    return "\n".join(lines)


def picture(sweep: Sweep) -> bytes:
    """Draw the figure of each setting with its interval, and the single seeds, as an SVG file."""
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=PICTURE, layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure.subplots(), sweep)
        file = BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _draw(axes: Axes, sweep: Sweep) -> None:
    metric, facts = sweep.first.protocol.primary, sweep.facts
    scale = 100 if facts.unit == "%" else 1
    places, ticks, label = _axis(sweep)
    for place, row in enumerate(sweep.rows):
        figure = row.figure(metric)
        if figure is None:
            continue
        x, colour = places[place], COLOURS[0]
        if figure.low is not None and figure.high is not None:
            axes.vlines(x, figure.low * scale, figure.high * scale, color=colour, lw=1.4)
        seeds = [each.metrics[metric].value * scale for each in row.results]
        if len(seeds) > 1:
            axes.plot([x] * len(seeds), seeds, "_", color="0.4", markersize=8)
        filled = colour if place == sweep.chosen else "white"
        axes.plot(x, figure.value * scale, "o", color=colour, markerfacecolor=filled)
    axes.set_xticks(places, ticks)
    if max(map(len, ticks)) > 8:
        axes.tick_params(axis="x", labelrotation=30)
    axes.set_xlabel(label)
    axes.set_ylabel(f"{heading(facts)}, validation")
    axes.set_title("filled: chosen; bar: 95 % over units; dashes: seeds", loc="left", fontsize=8)


def _axis(sweep: Sweep) -> tuple[list[float], list[str], str]:
    """Return place and name of each setting on the axis, and the axis's label.

    One key with numbers is an axis of these; else settings stand beside one another.
    """
    settings, _ = split_settings(sweep.settings)
    keys = list(settings[0])
    values = [setting[keys[0]] for setting in settings]
    plain_numbers = all(type(value) in (int, float) for value in values)
    if len(keys) == 1 and plain_numbers:
        low, high = min(values), max(values)
        even = not low > 0 or high / low <= 20  # a wide range would crowd its lower end
        places = list(map(float, values)) if even else [float(i) for i in range(len(values))]
        return places, [f"{value:g}" for value in values], keys[0]
    told = [", ".join(map(str, setting.values())) for setting in settings]
    return [float(i) for i in range(len(told))], told, ", ".join(keys)
