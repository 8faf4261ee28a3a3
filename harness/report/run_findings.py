"""What the record of a run shows, as findings: each true of the numbers it names.

What is not known gives no finding. What its curves show is its health.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.report import record_findings as of_record
from harness.report.finding import Finding
from harness.report.run import Run


def findings(run: Run) -> list[Finding]:
    """Return all findings of one run, the result's first."""
    return [finding for find in FINDERS for finding in find(run)]


def _interruptions(run: Run) -> Iterator[Finding]:
    kinds = [mark.kind for mark in run.series.marks] if run.series is not None else []
    if count := kinds.count("resume"):
        yield Finding("evidence", "resumed", {"count": count})


FINDERS: tuple[Callable[[Run], Iterator[Finding]], ...] = (
    of_record.leak,
    of_record.threshold,
    of_record.learning,
    of_record.validation,
    of_record.cost,
    of_record.memory,
    of_record.waiting,
    of_record.evidence,
    _interruptions,
)
"""What is looked at, in the order of the table."""
