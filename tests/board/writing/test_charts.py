"""The picture of efficiency: where things lie, what overlaps, what its file carries."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import rc_context, rcParams
from matplotlib.figure import Figure
from matplotlib.text import Text

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.chart_drawing import MARKERS, draw, style
from harness.board.writing.charts import holds_plot, plots, write_plot
from harness.board.writing.efficiency import front
from harness.records.costs import Memory, Resources
from harness.records.record import Record

LONG = "spectrogram-resnet-34 with attention + softmax [recipe long, fields ab12cd]"


def table_of(*records: Record) -> Table:
    (table,) = tables(FiledRecord(record) for record in records)
    return table


def data_of(*records: Record) -> dict[str, Any]:
    ((_, data),) = plots(table_of(*records)).values()
    return data


def drawn_at_random(make, count: int, seed: int, name: str = "net") -> dict[str, Any]:
    """Entries of which some are the same in some, at very different costs."""
    draw_ = random.Random(seed)
    span = draw_.choice([1.001, 1.5, 9, 40, 3000])
    records = [
        make(
            f"{name}-{i}",
            value=draw_.choice([0.02, 0.05, draw_.uniform(0, 0.5), 0.0]),
            resources=Resources(
                training_memory=Memory(
                    bytes=int(draw_.choice([1e9, 2e9 * span ** draw_.random()])), counted="gpu"
                ),
                inference_per_second=draw_.choice([1e2, 1e5]) * span ** draw_.random(),
                latency_p50=0.01 * span ** draw_.random(),
                throughput_unit="seconds of audio",
            ),
        )
        for i in range(count)
    ]
    return data_of(*records)


def written(figure: Figure) -> list[Text]:
    """Every text that is to be seen."""
    texts = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        texts += [axis.label, *(tick.label1 for tick in ticks)]
    return [text for text in texts if text.get_visible() and text.get_text()]


@pytest.mark.parametrize(
    ("count", "seed", "name"), [(3, 1, "a"), (7, 2, "net"), (11, 3, LONG), (15, 4, "W" * 50)]
)
def test_no_text_hides_another_or_leaves_the_picture(make, count, seed, name):
    with style():
        figure = draw(drawn_at_random(make, count, seed, name))
        figure.set_dpi(720)  # so fine that letters are as wide as in a file of curves
        figure.draw_without_rendering()
        boxes = [(text.get_text(), text.get_window_extent()) for text in written(figure)]
    assert len(boxes) > count + 10
    for (one, box), (other, there) in combinations(boxes, 2):
        assert not box.overlaps(there), (one, other)
    for text, box in boxes:
        assert all(figure.bbox.contains(*corner) for corner in box.corners()), text
        assert not any(box.overlaps(axes.bbox) for axes in figure.axes), text


def test_points_lie_where_the_records_say(several):
    data = data_of(*several)
    with style():
        memory, *_ = draw(data).axes
    marks = [line for line in memory.lines if line.get_marker() in MARKERS]
    found = {(line.get_xdata()[0], line.get_ydata()[0]) for line in marks}
    gib = 3_450_000_000 / 2**30
    wanted = [(gib, 5.36), (gib, 5.365), (gib, 7.31)]
    assert sorted(found) == [pytest.approx(each, rel=1e-5) for each in wanted]
    filled = [line.get_ydata()[0] for line in marks if line.get_markerfacecolor() != "white"]
    assert filled == [5.36]
    bars = [sorted(bar.get_segments()[0][:, 1]) for bar in memory.collections]
    assert [pytest.approx(each, rel=1e-5) for each in ([4.288, 6.432], [5.848, 8.772])] == [
        bars[0],
        bars[2],
    ]
    assert {line.get_color() for line in marks} != {marks[0].get_color()}


@pytest.mark.parametrize(("dear", "scale"), [(9.9, "linear"), (10.1, "log")])
def test_costs_that_differ_much_are_on_a_logarithmic_axis(make, dear, scale):
    times = [Resources(latency_p50=0.01), Resources(latency_p50=0.01 * dear)]
    data = data_of(make("a", resources=times[0]), make("b", value=0.01, resources=times[1]))
    with style():
        (axes,) = draw(data).axes
    assert axes.get_xscale() == scale
    assert axes.get_xlabel() == "latency p50 (ms) ↓"
    assert axes.get_ylabel() == "EER % ↓"
    assert axes.get_xlim()[0] < 10 < 10 * dear < axes.get_xlim()[1]


def test_small_differences_look_small(make):
    times = [Resources(latency_p50=0.01), Resources(latency_p50=0.0101)]
    data = data_of(make("a", resources=times[0]), make("b", value=0.01, resources=times[1]))
    with style():
        (axes,) = draw(data).axes
    low, high = axes.get_xlim()
    assert 0.1 / (high - low) < 0.05


COSTS = st.integers(1, 20).map(float)
VALUES = st.integers(0, 20).map(float)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(COSTS, VALUES), min_size=1, max_size=12), st.booleans())
def test_the_line_is_the_best_value_to_be_had_for_a_cost(points, more):
    sign = -1 if more else 1
    marks = front([(sign * cost, value) for cost, value in points])
    chart = {"title": "cost", "unit": "s", "more": more, "log": False} | {
        "points": [
            {"row": 0, "x": cost, "y": value, "ends": [None, None], "front": mark}
            for (cost, value), mark in zip(points, marks, strict=True)
        ]
    }
    data = {"title": "", "environment": "", "metric": "", "names": {"0": "a"}, "charts": [chart]}
    with style():
        (axes,) = draw(data).axes
    line = axes.lines[0]
    xs, ys = line.get_data()
    assert line.get_drawstyle() == ("steps-pre" if more else "steps-post")
    assert sorted(xs) == list(xs)
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        # Within a step, so that it is not at a corner.
        budget = (x + (xs[i - 1] if i else x)) / 2 if more else (x + [*xs, x][i + 1]) / 2
        assert y == min(value for cost, value in points if sign * cost <= sign * budget)


@pytest.mark.parametrize(
    "name", ["<b>&amp;", "$x$", "a\x00\x1b\ufffe", "_a", "ä \U0001f600", "]]>"]
)
def test_a_file_carries_its_data_whatever_the_names(make, tmp_path, name):
    data = data_of(make(name), make("b", value=0.1))
    path = tmp_path / "new folder" / "plot.svg"
    write_plot(path, data)
    assert holds_plot(path, data)
    assert not holds_plot(path, data_of(make(name), make("b", value=0.2)))
    assert not holds_plot(path, data | {"drawing": data["drawing"] + 1})


def test_what_is_no_picture_holds_nothing(several, tmp_path):
    data, path = data_of(*several), tmp_path / "plot.svg"
    assert not holds_plot(path, data)
    for content in ("", "no picture", "<svg/>", "<svg><metadata/>"):
        path.write_text(content)
        assert not holds_plot(path, data)


def test_the_same_data_give_the_same_bytes_whatever_the_users_settings(several, tmp_path):
    data = data_of(*several)
    write_plot(tmp_path / "one.svg", data)
    with rc_context({"font.size": 30, "svg.fonttype": "none", "text.usetex": True}):
        write_plot(tmp_path / "other.svg", data)
        assert rcParams["font.size"] == 30
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_each_environment_and_table_has_a_place_of_its_own(make, protocol, data):
    both = [make("a"), make("b"), make("c", device="RTX 3060"), make("d", device="RTX 3060")]
    (table,) = tables(FiledRecord(record) for record in both)
    others = [
        table_of(make("a", **changed), make("b", **changed))
        for changed in (
            {"protocol": protocol(version=2)},
            {"protocol": protocol(digest="c" * 64)},
            {"protocol": protocol(profile="full")},
            {"dataset": data(lock="d" * 64)},
            {"dataset": data(name="open 26666")},
        )
    ]
    paths = [path for each in (table, *others) for path, _ in plots(each).values()]
    assert len(set(paths)) == len(paths) == 7


def test_commands_that_only_read_start_without_the_plotting_libraries():
    slow = "{'matplotlib', 'seaborn'}"
    code = f"import sys, harness.registry.check; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
