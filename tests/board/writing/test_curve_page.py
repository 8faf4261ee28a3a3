"""A curve as a page shows it, over budgets or datasets: sentences, picture, tables, links."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from markdown_it import MarkdownIt

from harness.board.standing.curve import TablesCurve
from harness.board.standing.curve_axes import DatasetAxis, curves_of
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.chart_drawing import draw, style
from harness.board.writing.charts import holds_plot, write_plot, wrong_plot
from harness.board.writing.curve_chart import curve_data, curve_path
from harness.board.writing.curve_text import crossing_grid, curve_grid, curve_notes
from harness.board.writing.json_document import document
from harness.board.writing.markdown import CURVE, section
from harness.board.writing.summary import curve_summary, table_summary
from tests.board.writing.test_charts import written

BUDGETS = (960, 1_920, 3_840)


@pytest.fixture
def curve(make) -> TablesCurve:
    """A network that leads, one that passes no training late, and no training."""
    values = {"ecapa-512": (0.20, 0.12, 0.06), "campplus": (0.30, 0.26, 0.18)}
    records = [
        make(
            model,
            value=value,
            recipe={"steps": crops // 32, "batch": 32, "crop_seconds": 1.0},
            recipe_name=f"matched at {crops:,} crops",
            seed=seed,
        )
        for model, held in values.items()
        for crops, value in zip(BUDGETS, held, strict=True)
        for seed in (0, 1)
    ]
    records.append(make("mean", None, value=0.25, seed=None))
    (found,) = curves_of(tables(FiledRecord(record) for record in records))
    return found


def test_two_sentences_say_who_leads_where_and_what_the_test_can_show(curve):
    said = curve_summary(curve)
    assert said.startswith(
        "ecapa-512 + aam leads at every budget. With 3,840 crops 24 speakers tell"
    )
    assert re.search(r"differences above \d+\.\d\d points of EER apart\.$", said)
    assert table_summary(curve.tables[0]).startswith(
        "ecapa-512 + aam has the lowest EER (20.00 %), alone; clearly better than no training: "
        "1 of 2 trained. 24 speakers tell differences above"
    )


def test_the_table_marks_who_is_unbeaten_and_says_where_curves_cross(curve):
    assert [column.title for column in curve_grid(curve).columns[1:]] == ["960", "1,920", "3,840"]
    lines = [[str(cell) for cell in line] for line in curve_grid(curve).lines]
    assert lines[0] == [
        "ecapa-512 + aam",
        "● 20.00 (16.00-24.00)",
        "● 12.00 (9.60-14.40)",
        "● 6.00 (4.80-7.20)",
    ]
    assert lines[1][1] == "30.00 (24.00-36.00)"
    assert [[str(cell) for cell in line] for line in crossing_grid(curve).lines] == [
        ["mean (no training)", "campplus + aam", "1,920 and 3,840", "both sides told apart"]
    ]


def test_entries_of_the_endpoint_link_to_the_curve_and_smaller_budgets_are_folded(curve):
    page = section(curve.endpoint, {CURVE: "plots/curve.svg"}, curve=curve)
    shown = MarkdownIt("commonmark").enable("table").render(page)
    (anchor,) = re.findall(r'<a id="(curve-[0-9a-f]+)">', shown)
    assert f'<a href="#{anchor}">ecapa-512 + aam</a>' in shown
    assert 'src="plots/curve.svg"' in shown
    assert "3,840 crops" in page
    smaller = section(curve.tables[0])
    assert smaller.startswith("<details><summary>960 crops: ecapa-512 + aam has the lowest EER")
    assert "the first point of a curve over budgets, after 960 crops" in smaller
    assert "Cut short" not in smaller


def test_the_document_has_the_curve_where_its_endpoint_is(curve):
    told = document(curve.tables)["tables"]
    assert [table["budget"] for table in told] == list(BUDGETS)
    assert ["curve" in table for table in told] == [False, False, True]
    found = told[-1]["curve"]
    assert found["entries"][0]["entry"] == "ecapa-512 + aam"
    assert [point["value"] for point in found["entries"][0]["points"]] == [0.2, 0.12, 0.06]
    assert found["crossings"][0]["is_told_after"] is True


def test_a_picture_has_crops_and_time_and_its_file_is_held_to_its_drawing(curve, tmp_path):
    data = curve_data(curve)
    assert [chart["title"] for chart in data["charts"]] == ["crops seen", "training time of a seed"]
    assert data["charts"][0]["ticks"] == list(BUDGETS)
    assert {point["x"] for point in data["charts"][0]["points"]} == set(map(float, BUDGETS))
    path = tmp_path / curve_path(curve)
    write_plot(path, data)
    assert holds_plot(path, data)
    assert wrong_plot(path, data) == ""
    moved = re.sub(
        rb"M (\d+)", lambda match: b"M %d" % (int(match[1]) + 3), path.read_bytes(), count=9
    )
    path.write_bytes(moved)
    assert wrong_plot(path, data)


@pytest.fixture
def over_datasets(make, data, protocol) -> TablesCurve:
    """A network that leads, one of two seeds that is not on every dataset, and no training."""
    values = {"ecapa-512": (0.20, 0.22, 0.26), "mean": (0.5, 0.49, 0.48), "campplus": (0.3, 0.31)}
    records = [
        make(
            model, loss, value=value, seed=seed,
            dataset=data(name=name, title=name, lock=name[0] * 64),
            protocol=protocol(profile="full"),
        )
        for model, held in values.items()
        for loss, seeds in [(None, (None,)) if model == "mean" else ("aam", (0, 1))]
        for name, value in zip(("even", "some", "steep"), held, strict=False)
        for seed in seeds
    ]  # fmt: skip
    levels = {"even": 1.0, "some": 50.0, "steep": 869.0}
    made = tables(FiledRecord(record) for record in records)
    (found,) = curves_of(made, {"speaker": DatasetAxis("act_imbalance", levels)})
    return found


def test_sentences_over_datasets_name_the_number(over_datasets):
    said = curve_summary(over_datasets)
    assert said.startswith("ecapa-512 + aam leads at every act imbalance. 24 speakers tell")
    assert said.endswith("points of EER apart at act imbalance 869.")
    notes = curve_notes(over_datasets)
    assert "not over datasets" in notes[0]
    assert notes[1].startswith(
        "Each act imbalance is a dataset of its own: even (1), some (50), steep (869)."
    )
    assert notes[-1] == "No result at act imbalance: campplus + aam (869)."


def test_a_page_opens_with_the_curve_over_datasets(over_datasets):
    page = section(over_datasets.host, {CURVE: "plots/curve.svg"}, curve=over_datasets)
    assert page.index("## Speaker verification, full profile, protocol 1: EER over act") < (
        page.index("## even")
    )
    assert "![Speaker verification, full profile, protocol 1: EER over act imbalance, " in page
    assert "with intervals](plots/curve.svg)" in page
    assert not any(word in page[: page.index("## even")] for word in ("budget", "crops"))
    lines = [[str(cell) for cell in line] for line in curve_grid(over_datasets).lines]
    assert [column.title for column in curve_grid(over_datasets).columns[1:]] == ["1", "50", "869"]
    assert lines[1] == ["campplus + aam", "30.00 (24.00-36.00)", "31.00 (24.80-37.20)", "–"]
    assert lines[2] == ["mean (no training)", *lines[2][1:3], "48.00 (38.40-57.60)"]


def test_the_document_has_the_curve_over_datasets_where_it_stands(over_datasets):
    found = document(over_datasets.tables, curves=[over_datasets])["tables"]
    assert ["curve" in table for table in found] == [True, False, False]
    told = found[0]["curve"]
    assert told["axis"] == "act_imbalance"
    points = told["entries"][0]["points"]
    assert [(point["act_imbalance"], point["value"]) for point in points] == [
        (1, 0.2), (50, 0.22), (869, 0.26),
    ]  # fmt: skip


def test_a_picture_over_datasets_has_one_logarithmic_panel_with_intervals(over_datasets, tmp_path):
    data = curve_data(over_datasets)
    (chart,) = data["charts"]
    assert (chart["title"], chart["log"], chart["ticks"]) == ("act imbalance", True, [1, 50, 869])
    assert "training time" not in str(data)
    baseline = [point for point in chart["points"] if data["names"][str(point["row"])][0] == "m"]
    assert [point["ends"] for point in baseline] == [[40, 60], [39.2, 58.8], [38.4, 57.6]]
    with style():
        (axes,) = draw(data).axes
    assert axes.get_xlabel() == "act imbalance"
    # A line and its bar at each of its points, a baseline's among them.
    assert len(axes.collections) == len(chart["points"]) == 8
    assert sorted(line.get_linestyle() for line in axes.lines if len(line.get_xdata()) > 1) == [
        "-", "-", "--",
    ]  # fmt: skip
    path = tmp_path / curve_path(over_datasets)
    assert path.name.startswith("act_imbalance-curve-")
    write_plot(path, data)
    assert wrong_plot(path, data) == ""


@pytest.mark.parametrize("which", ["curve", "over_datasets"])
def test_no_text_of_a_picture_hides_another(which, request):
    with style():
        figure = draw(curve_data(request.getfixturevalue(which)))
        figure.set_dpi(720)
        figure.draw_without_rendering()
        boxes = [(text.get_text(), text.get_window_extent()) for text in written(figure)]
    for (one, box), (other, there) in combinations(boxes, 2):
        assert not box.overlaps(there), (one, other)
