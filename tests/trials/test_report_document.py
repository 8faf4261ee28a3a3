"""report_document(): every number in its place, of one system or several."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from harness.metrics.comparison import PairedDifference
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.roc import roc
from harness.records.documents import readable_json
from harness.trials.report_output import report_document
from harness.trials.system_report import MetricEstimate, PointCost, SystemReport
from harness.trials.systems import SystemDifference
from harness.trials.trial_speakers import NoSpeakers, Resampling, Speakers

POINTS = [OperatingPoint(), OperatingPoint(0.5, 2, 3)]


def report(name: str, *, cllr: float = 0.9, threshold: float = 1.5) -> SystemReport:
    """Numbers that are all different, so that none can stand in another's place."""
    costs = [
        PointCost(
            point, MetricEstimate(0.3 + k, 0.2 + k, 0.4 + k, np.ones(3)), threshold + k, 5.0 + k
        )
        for k, point in enumerate(POINTS)
    ]
    rate = MetricEstimate(0.03, 0.02, 0.05, np.ones(3))
    curve = roc([1.0], [0.0])
    return SystemReport(name, 40, 1600, rate, 0.25, tuple(costs), cllr, 0.7, curve)


def sample(note: str = "") -> Resampling:
    speakers = Speakers(np.zeros(2, np.int32), np.ones(2, np.int32), 4, "utt2spk", note)
    return Resampling(speakers, np.ones((9, 4), dtype=np.int64), 2, 77)


def read_back(*arguments):
    return json.loads(readable_json(report_document(*arguments)))


FACTS = {
    "method": "95 %, speakers resampled, logit-t",
    "speakers": 4,
    "resamples": 9,
    "redrawn": 2,
    "seed": 77,
    "speakers_from": "utt2spk",
}


def test_one_system_is_the_document():
    low, other = (
        {"p_target": p, "c_miss": m, "c_fa": f} for p, m, f in ((0.01, 1, 1), (0.5, 2, 3))
    )
    assert read_back([report("a")], [], sample()) == {
        "schema": 1,
        "system": "a",
        "eer": {"value": 0.03, "low": 0.02, "high": 0.05},
        "threshold": 0.25,
        "min_dcf": [
            {**low, "value": 0.3, "low": 0.2, "high": 0.4, "threshold": 1.5},
            {**other, "value": 1.3, "low": 1.2, "high": 1.4, "threshold": 2.5},
        ],
        "act_dcf": [
            {**low, "value": 5, "threshold": pytest.approx(math.log(99))},
            {**other, "value": 6, "threshold": pytest.approx(math.log(1.5))},
        ],
        "cllr": 0.9,
        "min_cllr": 0.7,
        "trials": {"target": 40, "nontarget": 1600},
        "interval": FACTS,
    }


def test_several_systems_stand_in_their_order_with_their_differences():
    difference = PairedDifference(0.1, -0.2, 0.4, 0.15, 0.03, 3)
    compared = [SystemDifference("b", "a", "eer", difference, 0.06)]
    found = read_back([report("b"), report("a")], compared, sample())
    assert [system["system"] for system in found["systems"]] == ["b", "a"]
    alone = read_back([report("b")], [], sample())
    assert {"schema": 1, **found["systems"][0]} == alone
    assert found["differences"] == [
        {
            "first": "b", "second": "a", "metric": "eer", "value": 0.1, "low": -0.2, "high": 0.4,
            "p": 0.03, "p_holm": 0.06,
        }
    ]  # fmt: skip
    assert set(found) == {"schema", "systems", "differences"}


def test_what_is_infinite_is_null():
    found = read_back([report("a", cllr=math.inf, threshold=math.inf)], [], sample())
    assert found["cllr"] is None
    assert [cost["threshold"] for cost in found["min_dcf"]] == [None, None]


def test_a_note_on_the_speakers_is_kept():
    found = read_back([report("a")], [], sample("finer than speakers"))
    assert found["interval"] == FACTS | {"note": "finer than speakers"}


def test_without_speakers_the_reason_stands_where_the_interval_would():
    found = read_back([report("a")], [], NoSpeakers("nobody knows"))
    assert found["interval"] == {
        "method": None,
        "speakers": None,
        "resamples": 0,
        "reason": "nobody knows",
    }
