"""How certainly systems scored on one trial list differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from harness.metrics.comparison import PairedDifference, compare_replicates, holm
from harness.trials.judge import Estimate, Report


@dataclass(frozen=True)
class Compared:
    """Two systems' difference in one metric, paired on the same draws of speakers.

    Attributes:
        first, second: names of the systems.
        metric: `eer`, or `min_dcf` with its operating point.
        difference: the first less the second.
        p: of no difference, Holm-corrected over all pairs of systems.
    """

    first: str
    second: str
    metric: str
    difference: PairedDifference
    p: float


def differences(reports: Sequence[Report], units: int) -> list[Compared]:
    """Compares every pair of systems in EER and in minDCF at every operating point.

    Args:
        reports: with the replicates of one set of draws.
        units: how many speakers were drawn.
    """
    metrics: dict[str, Callable[[Report], Estimate]] = {"eer": lambda report: report.eer}
    for place, cost in enumerate(reports[0].costs):
        point = cost.point
        name = f"min_dcf(p_target={point.p_target:g}, c_miss={point.c_miss:g}, c_fa={point.c_fa:g})"
        metrics[name] = lambda report, place=place: report.costs[place].least  # type: ignore[misc]
    return [row for name, of in metrics.items() for row in _pairs(reports, name, of, units)]


def _pairs(
    reports: Sequence[Report], metric: str, of: Callable[[Report], Estimate], units: int
) -> list[Compared]:
    pairs = list(combinations(reports, 2))
    found = [_difference(of(first), of(second), units) for first, second in pairs]
    corrected = holm([difference.p for difference in found])
    return [
        Compared(first.name, second.name, metric, difference, float(p))
        for (first, second), difference, p in zip(pairs, found, corrected, strict=True)
    ]


def _difference(first: Estimate, second: Estimate, units: int) -> PairedDifference:
    return compare_replicates(first.value, first.replicates, second.value, second.replicates, units)
