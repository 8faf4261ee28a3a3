"""EER and minDCF against SpeechBrain's, as far as its definitions allow.

It tries thresholds and takes the mean of miss and false-alarm rates where they are nearest, with
no line between two points; its cost is not divided by that of the better trivial decision. It runs
in a process of its own, since importing it leaves modules behind that fail when they are looked at.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint

ROUNDING = 1e-6
"""It computes in float32."""

REFERENCE = """
import json, sys
import torch
from speechbrain.utils.metric_stats import EER, minDCF
for line in sys.stdin:
    targets, nontargets, p_target = json.loads(line)
    sides = torch.tensor(targets), torch.tensor(nontargets)
    print(json.dumps([*EER(*sides), minDCF(*sides, p_target=p_target)[0]]))
"""

Case = tuple[list[float], list[float], float]


def drawn(rng: np.random.Generator, decimals: int, p_target: float) -> Case:
    targets = np.round(rng.normal(0.52, 0.16, 60), decimals).astype(np.float32)
    nontargets = np.round(rng.normal(0.12, 0.11, 400), decimals).astype(np.float32)
    return targets.tolist(), nontargets.tolist(), p_target


def tied(rng: np.random.Generator) -> Case:
    sides = [rng.integers(-9, 9, rng.integers(1, 30)).astype(float).tolist() for _ in range(2)]
    return sides[0], sides[1], 0.01


def cases() -> list[Case]:
    rng = np.random.default_rng(0)
    scores = [drawn(rng, decimals, p) for decimals in (16, 2, 1) for p in (0.01, 0.05)]
    return scores + [tied(rng) for _ in range(60)]


@pytest.fixture(scope="module")
def theirs() -> list[list[float]]:
    """Its EER, the threshold of that, and its minDCF, of each case."""
    asked = "\n".join(json.dumps(case) for case in cases())
    called = [sys.executable, "-W", "ignore", "-c", REFERENCE]
    ended = subprocess.run(called, input=asked, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_rate_lies_between_the_two_that_it_averages(theirs: list[list[float]]) -> None:
    for (targets, nontargets, _), (value, threshold, _) in zip(cases(), theirs, strict=True):
        miss = np.mean(np.float32(targets) <= np.float32(threshold))
        false_alarm = np.mean(np.float32(nontargets) > np.float32(threshold))
        # Along the line the miss rate rises and the false-alarm rate falls until both are the EER.
        slack = abs(false_alarm - miss) / 2 + ROUNDING
        assert abs(eer(targets, nontargets).value - value) <= slack


def test_the_cost_is_its_cost_over_that_of_rejecting_all(theirs: list[list[float]]) -> None:
    for (targets, nontargets, p_target), (_, _, cost) in zip(cases(), theirs, strict=True):
        ours = min_dcf(targets, nontargets, OperatingPoint(p_target)).value
        assert ours == pytest.approx(cost / p_target, abs=1e-4)
