"""report_text(): the tables and notes that people read."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from harness.metrics.comparison import PairedDifference
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.roc import roc
from harness.trials.report_output import report_text
from harness.trials.system_report import MetricEstimate, PointCost, SystemReport
from harness.trials.systems import SystemDifference
from harness.trials.trial_speakers import NoSpeakers, Resampling, Speakers


def report(name: str, *, low: float | None = 0.02, threshold: float = 1.5) -> SystemReport:
    rate = MetricEstimate(0.0312, low, None if low is None else 0.05, np.empty(0))
    costs = (
        PointCost(
            OperatingPoint(), MetricEstimate(0.5, low, rate.high, np.empty(0)), threshold, 1.25
        ),
        PointCost(
            OperatingPoint(0.05, 10), MetricEstimate(0.25, low, rate.high, np.empty(0)), 0.5, 2.0
        ),
    )
    return SystemReport(name, 40, 16_000, rate, 0.25, costs, 0.9, 0.7, roc([1.0], [0.0]))


def sample(note: str = "") -> Resampling:
    speakers = Speakers(np.zeros(2, np.int32), np.ones(2, np.int32), 4, "target trials", note)
    return Resampling(speakers, np.ones((9, 4), dtype=np.int64), 2, 77)


def printed(
    *reports: SystemReport, compared=(), of=None, is_calibrated: bool = True
) -> list[list[str]]:
    """The lines as a wide terminal would show them, parted where columns are."""
    console = Console(width=400, color_system=None)
    with console.capture() as held:
        for part in report_text(reports, compared, of or sample(), is_calibrated=is_calibrated):
            console.print(part, markup=not isinstance(part, str))
    lines = [line.strip() for line in held.get().splitlines()]
    return [[cell.strip() for cell in line.split("   ") if cell.strip()] for line in lines]


def test_a_row_holds_every_metric():
    titles, row, blank, *_ = printed(report("a"))
    assert dict(zip(titles, row, strict=True)) == {
        "system": "a",
        "EER %": "3.12 (2.00-5.00)",
        "threshold": "0.25",
        "minDCF (0.01)": "0.500 (0.020-0.050)",
        "minDCF (0.05, 10:1)": "0.250 (0.020-0.050)",
        "actDCF (0.01)": "1.250",
        "actDCF (0.05, 10:1)": "2.000",
        "Cllr": "0.900",
        "min Cllr": "0.700",
    }
    assert blank == []


def test_without_an_interval_there_are_no_brackets_and_the_reason_is_told():
    lines = printed(report("a", low=None), of=NoSpeakers("nobody knows"))
    assert lines[1][1:5] == ["3.12", "0.25", "0.500", "0.250"]
    assert ["No interval: nobody knows."] in lines


@pytest.mark.parametrize(
    ("p", "told"), [(0.0004, "< 0.001"), (0.0456, "0.046"), (1.0, "1.000"), (0.0, "< 0.001")]
)
def test_differences_have_their_own_table(p, told):
    compared = [
        SystemDifference(
            "a", "b", "eer", PairedDifference(-0.0125, -0.02, 0.001, 0.005, 0.01, 3), p
        ),
        SystemDifference(
            "a", "b", "min_dcf(p)", PairedDifference(0.2, 0.1, 0.3, 0.05, 0.01, 3), 0.5
        ),
    ]
    lines = printed(report("a"), report("b"), compared=compared)
    place = lines.index(["difference", "metric", "value", "95 % interval", "p (Holm)"])
    assert lines[place + 1] == ["a - b", "EER, points", "-1.25", "-2.00 to +0.10", told]
    assert lines[place + 2] == ["a - b", "minDCF(p)", "+0.200", "+0.100 to +0.300", "0.500"]
    assert sum(isinstance(part, Table) for part in report_text([report("a")], [], sample(),
                                                         is_calibrated=True)) == 1  # fmt: skip


@pytest.mark.parametrize("name", ["ecapa[v2]", "a[/b]", "[red]", r"back\[slash]"])
def test_names_are_shown_as_they_are(name):
    compared = [SystemDifference(name, "b", "eer", PairedDifference(0, 0, 0, 0, 1, 3), 1.0)]
    lines = printed(report(name), report("b"), compared=compared)
    assert lines[1][0] == name
    assert any(line[:1] == [f"{name} - b"] for line in lines)


def test_notes_tell_what_the_numbers_rest_on():
    lines = printed(report("a"), of=sample("4 of 9 names stand alone"))
    assert lines[3:] == [
        ["40 target and 16,000 nontarget trials."],
        ["Brackets: 95 %, speakers resampled, logit-t; 4 speakers (from target trials), 9 draws."],
        ["4 of 9 names stand alone."],
    ]


def test_raw_scores_are_said_to_be_no_ratios():
    warned = " ".join(" ".join(line) for line in printed(report("a"), is_calibrated=False))
    assert "actDCF and Cllr read the scores as natural-log likelihood ratios" in warned
    assert len(printed(report("a"), is_calibrated=False)) == len(printed(report("a"))) + 1


@pytest.mark.parametrize("place", [0, 1])
def test_rejecting_everything_is_told_whichever_system_does(place):
    reports = [report("a"), report("b")]
    assert ["A minDCF of 1 is that of rejecting every trial."] not in printed(*reports)
    reports[place] = report("c", threshold=math.inf)
    assert ["A minDCF of 1 is that of rejecting every trial."] in printed(*reports)
