"""Whether a loss does what is claimed of it, judged over all trainings of its table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from harness.board.publishing.local_records import end_beside
from harness.board.record_paths import is_record
from harness.board.standing.claims import table_claims
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.health.claims import Judged
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.report.finding import percent
from harness.report.run import Run
from harness.report.section import Paragraph, ReportTable, Section
from harness.report.text import Words
from harness.run.job.record_writing import RECORD
from harness.series.scalar_names import TRAINING

RATES = ("accuracy_spread", "hardest_weight", "hard_accuracy", "accuracy")

COLUMNS = ("claim", "fact", "loss", "value", "baseline", "interval", "p", "pairs", "verdict")


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Judge the claims about every loss beside which cross-entropy was trained.

    All trainings of a run's table count that lie in its folder, whether the report is of them or
    not: a claim is judged over seeds and folds.
    """
    looked = [run for run in runs if run.record is not None and _has_evidence(run)]
    if not looked:
        return None
    filed = _filed(looked)
    judged = [each for table in tables(filed) for each in table_claims(table)]
    lead = Paragraph(words("claims.lead"), quiet=True)
    if not judged:
        return Section("claims", words("claims.title"), (lead, Paragraph(words("claims.alone"))))
    head = tuple(words(f"claims.column_{each}") for each in COLUMNS)
    rows = tuple(_row(each, words) for each in judged)
    table = ReportTable(head, rows, words("claims.table"), frozenset(range(3, 8)))
    return Section("claims", words("claims.title"), (lead, _without_empty(table)))


def _without_empty(table: ReportTable) -> ReportTable:
    """Return a table without the columns in which no row has anything to say."""
    kept = [n for n in range(len(table.head)) if any(row[n] for row in table.rows)]
    numeric = frozenset(place for place, n in enumerate(kept) if n in table.numeric)
    head, *rows = (tuple(cells[n] for n in kept) for cells in (table.head, *table.rows))
    return ReportTable(head, tuple(rows), table.caption, numeric)


def _has_evidence(run: Run) -> bool:
    return run.series is not None and f"{TRAINING}/weighted_evenness" in run.series


def _filed(runs: Sequence[Run]) -> list[FiledRecord]:
    """Return the records of the runs' suites and profiles that are on the data of one of them."""
    wanted = {_data(run.record) for run in runs if run.record is not None}
    paths = {path.resolve(): path for run in runs for path in _beside(run.place)}
    found = ((path, read_record(path)) for path in paths.values())
    return [
        FiledRecord(record, str(path), end=end_beside(path))
        for path, record in found
        if _data(record) in wanted
    ]


def _beside(place: Path) -> list[Path]:
    """Return the records of a record's suite and profile: of a runs folder, or published."""
    if place.name == RECORD:
        return sorted(place.parents[3].glob(f"*/*/*/{RECORD}"))
    return [path for path in sorted(place.parents[1].glob("*/*.json")) if is_record(path.name)]


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
