"""Whether a loss does what is claimed of it, judged over all trainings of its table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from harness.board.publishing.published_tables import end_beside
from harness.board.standing.claims import table_claims
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.health.claims import Judged
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.report.finding import percent
from harness.report.run import Run
from harness.report.section import Paragraph, Section, Table
from harness.report.text import Words
from harness.run.job.record_writing import RECORD
from harness.series.names import TRAINING

RATES = ("accuracy_spread", "hardest_weight", "hard_accuracy", "accuracy")

COLUMNS = ("claim", "fact", "loss", "value", "baseline", "interval", "p", "pairs", "verdict")


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Judge the claims about every loss beside which cross-entropy was trained.

    Of a run in a runs folder all trainings of its table count that lie there, whether the report is
    of them or not: a claim is judged over seeds and folds.
    """
    looked = [run for run in runs if run.record is not None and _has_evidence(run)]
    if not looked:
        return None
    filed = [each for place in _tables_of(looked) for each in _filed(place, looked)]
    judged = [each for table in tables(filed) for each in table_claims(table)]
    lead = Paragraph(words("claims.lead"), quiet=True)
    if not judged:
        return Section("claims", words("claims.title"), (lead, Paragraph(words("claims.alone"))))
    head = tuple(words(f"claims.column_{each}") for each in COLUMNS)
    rows = tuple(_row(each, words) for each in judged)
    table = Table(head, rows, words("claims.table"), frozenset(range(3, 8)))
    return Section("claims", words("claims.title"), (lead, table))


def _has_evidence(run: Run) -> bool:
    return run.series is not None and f"{TRAINING}/weighted_evenness" in run.series


def _tables_of(runs: Sequence[Run]) -> list[Path]:
    """Return the folders of all records of the runs' suites and profiles, or of single records."""
    found = (run.place.parents[2] if run.place.name == RECORD else run.place for run in runs)
    return list(dict.fromkeys(found))


def _filed(place: Path, runs: Sequence[Run]) -> list[FiledRecord]:
    """Return the records below a folder that are on the data of one of the runs."""
    wanted = {_data(run.record) for run in runs if run.record is not None}
    paths = sorted(place.glob(f"*/*/{RECORD}")) if place.is_dir() else [place]
    found = ((path, read_record(path)) for path in paths)
    return [
        FiledRecord(record, str(path), end=end_beside(path))
        for path, record in found
        if _data(record) in wanted
    ]


def _data(record: Record) -> str:
    fold = record.dataset.fold
    return fold.of if fold else record.dataset.name


def _row(judged: Judged, words: Words) -> tuple[str, ...]:
    p = "" if math.isnan(judged.p) else "< 0.001" if judged.p < 0.001 else f"{judged.p:.3f}"
    ends = ""
    if not math.isnan(judged.low):
        low, high = (
            f"{end:.2f}" if judged.ratio else _number(judged, end)
            for end in (judged.low, judged.high)
        )
        kind = "ratio" if judged.ratio else "difference"
        ends = words(f"claims.{kind}", low=low, high=high)
    return (
        words(f"claims.claim_{judged.claim}"),
        words(f"claims.fact_{judged.fact}"),
        judged.loss,
        _number(judged, judged.value),
        _number(judged, judged.baseline),
        ends,
        p,
        str(judged.pairs),
        words(f"claims.verdict_{judged.verdict.replace(' ', '_')}"),
    )


def _number(judged: Judged, value: float) -> str:
    if math.isnan(value):
        return ""
    return percent(value) if judged.fact in RATES else f"{value:.3f}"
