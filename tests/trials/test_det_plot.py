"""The DET plot: its curve and marks against the metrics, its legend, its files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import rc_context
from scipy.stats import norm

from harness.errors import RequestError
from harness.metrics.operating_point import OperatingPoint
from harness.trials.det_plot import COST_MARKERS, EER_MARKER, check_plot, det_figure, draw_det
from harness.trials.system_report import SystemReport, judge

POINTS = [OperatingPoint(0.05), OperatingPoint(0.3, 1, 2)]
BEGINNINGS = {".png": b"\x89PNG\r\n\x1a\n", ".pdf": b"%PDF-", ".svg": b"<?xml"}


def drawn(count: int, gain: float = 2.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    is_target = np.arange(count) % 4 == 0
    return rng.normal(size=count) + gain * is_target, is_target


def system(name: str = "a", **options) -> SystemReport:
    return judge(name, *drawn(options.pop("count", 400), **options), POINTS, None)


def marks(report: SystemReport) -> dict[str, tuple[float, float]]:
    """Rates (false alarm, miss) at which a figure of one system has its markers."""
    curve, *others = det_figure([report]).axes[0].lines
    points = [line for line in others if len(line.get_xdata()) == 1]  # the legend's are empty
    assert {line.get_color() for line in points} == {curve.get_color()}
    return {
        line.get_marker(): (
            float(norm.cdf(line.get_xdata()[0])),
            float(norm.cdf(line.get_ydata()[0])),
        )
        for line in points
    }


def rates(scores, is_target, threshold: float) -> tuple[float, float]:
    """The share of nontargets accepted, and that of targets refused."""
    accepted = scores >= threshold
    return float(accepted[~is_target].mean()), float((~accepted)[is_target].mean())


def inside(pair, count: int):
    """Rates of 0 and 1 have no place on the axes, and are drawn half a trial inside."""
    half = np.array([0.5 / (count * 3 / 4), 0.5 / (count / 4)])
    return np.clip(pair, half, 1 - half)


# A long curve is thinned for drawing, and its marks move by less than a pixel.
@pytest.mark.parametrize(("count", "off"), [(40, 1e-9), (400, 1e-9), (40_000, 2e-3)])
def test_marks_lie_where_the_metrics_say(count, off):
    scores, is_target = drawn(count)
    report = judge("a", scores, is_target, POINTS, None)
    found = marks(report)
    assert set(found) == {EER_MARKER, *COST_MARKERS[:2]}
    assert found[EER_MARKER] == pytest.approx([report.eer.value] * 2, abs=off)
    for marker, cost in zip(COST_MARKERS, report.costs, strict=False):
        wanted = rates(scores, is_target, cost.threshold)
        assert found[marker] == pytest.approx(inside(wanted, count), abs=off)
        c_miss, c_fa = cost.point.weights
        assert c_fa * wanted[0] + c_miss * wanted[1] == pytest.approx(cost.least.value, abs=1e-12)


def test_the_curve_goes_through_the_rates_of_every_threshold():
    scores, is_target = drawn(200)
    line = det_figure([judge("a", scores, is_target, POINTS, None)]).axes[0].lines[0]
    got = np.stack([norm.cdf(line.get_xdata()), norm.cdf(line.get_ydata())], axis=1)
    wanted = np.array([rates(scores, is_target, t) for t in [*np.unique(scores), np.inf]])
    assert got == pytest.approx(inside(wanted, 200), abs=1e-9)


def test_axes_are_square_in_standard_deviations_and_named_in_per_cent():
    axes = det_figure([system()]).axes[0]
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_aspect() == 1
    named = dict(zip(axes.get_xticks(), axes.get_xticklabels(), strict=True))
    for place, label in named.items():
        assert 100 * norm.cdf(place) == pytest.approx(float(label.get_text()))
    for line in axes.lines:  # every mark is in sight
        if len(line.get_xdata()) == 1:
            assert axes.get_xlim()[0] <= line.get_xdata()[0] <= axes.get_xlim()[1]
            assert axes.get_ylim()[0] <= line.get_ydata()[0] <= axes.get_ylim()[1]


def legend(*reports: SystemReport) -> list[str]:
    (held,) = det_figure(reports).legends
    return [text.get_text() for text in held.get_texts()]


def test_axes_of_a_system_near_chance_have_marks_enough_to_read_it_by():
    axes = det_figure([system(gain=0.1, count=4_000)]).axes[0]
    low, high = axes.get_xlim()
    assert sum(low < tick < high for tick in axes.get_xticks()) >= 3


def test_the_legend_names_systems_and_marks():
    one, other = system("one"), system("other", gain=1.0)
    assert legend(one, other) == [
        f"one (EER {100 * one.eer.value:.2f} %)",
        f"other (EER {100 * other.eer.value:.2f} %)",
        "equal error rate",
        "minDCF at p = 0.05",
        "minDCF at p = 0.3, costs 1 and 2",
    ]
    lines = det_figure([one, other]).axes[0].lines
    curves = [line for line in lines if len(line.get_xdata()) > 100]
    assert len({line.get_color() for line in curves}) == len(curves) == 2


@pytest.mark.parametrize("name", ["_base", "$a$", "a_$\\frac$", "50%", "[v2]"])
def test_any_file_name_is_legible(name, tmp_path):
    path = tmp_path / "det.svg"
    with rc_context({"svg.fonttype": "none"}):  # text stays text
        draw_det(path, [system(name)])
    assert f"{name} (EER" in path.read_text()
    assert len(legend(system(name))) == 4


@pytest.mark.parametrize("gain", [100.0, 0.0, -100.0])
def test_perfect_useless_and_inverted_systems_can_be_drawn(gain, tmp_path):
    scores, is_target = drawn(40, gain)
    scores = scores * (gain != 0)
    draw_det(tmp_path / "det.png", [judge("a", scores, is_target, POINTS, None)])
    assert (tmp_path / "det.png").stat().st_size > 1000


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg", ".PNG"])
def test_every_kind_of_file_is_written(ending, tmp_path):
    path = tmp_path / "new folder" / f"det{ending}"
    draw_det(path, [system(), replace(system(), name="b")])
    assert path.read_bytes().startswith(BEGINNINGS[ending.lower()])
    assert path.stat().st_size > 1000
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["det.gif", "det", "det.png.txt"])
def test_other_endings_are_refused(name, tmp_path):
    for refused in (check_plot, lambda path: draw_det(path, [system()])):
        with pytest.raises(RequestError, match=r"a plot ends in one of \.png, \.svg, \.pdf"):
            refused(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    (tmp_path / "folder.png").mkdir()
    for path in (taken / "det.png", tmp_path / "folder.png"):
        with pytest.raises(RequestError, match=r"(a file is in the way|is a folder); "):
            draw_det(path, [system()])
    assert {each.name for each in tmp_path.iterdir()} == {"file", "folder.png"}
