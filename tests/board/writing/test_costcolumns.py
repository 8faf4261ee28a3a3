"""The columns of costs: what stands in them, and that a column nobody fills is left away."""

from __future__ import annotations

import pytest

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.captions import footnotes
from harness.board.writing.entry_grids import full_grid, short_grid
from harness.records.costs import Memory, Prediction, Resources
from harness.records.record import Record, Stage

GPU = "predicted GPU memory of training (GiB)"
LARGEST = "predicted largest training batch"


def made(*records: Record) -> Table:
    (table,) = tables(FiledRecord(record) for record in records)
    return table


def columns(table: Table) -> dict[str, list[str]]:
    """Title -> the texts from top to bottom."""
    return {
        column.title: ["".join(piece.text for piece in cell) for cell in column.cells]
        for column in full_grid(table).columns
    }


def held(counted: str | None = "process", **more) -> Resources:
    """What an entry costs, measured on a processor unless said otherwise."""
    memory = Memory(bytes=3 * 2**30, counted=counted) if counted else None
    return Resources(training_memory=memory, training_per_second=10.0, **more)


def predicted(gib: float) -> Prediction:
    return Prediction(parameters=1, inputs=1, temporaries=1, peak=3, reserved=int(gib * 2**30))


def limit(gib: int) -> dict[str, Stage]:
    return {"measure": Stage(key="m", inputs={"memory_limit": gib * 2**30})}


def test_a_process_and_a_prediction_for_a_gpu_stand_in_columns_of_their_own(make):
    table = made(make(resources=held(training_prediction=predicted(1.5))))
    found = columns(table)
    assert found["peak training memory (GiB)"] == ["3.00 process"]
    assert found[GPU] == ["1.50"]
    notes = "\n".join(footnotes(table))
    assert "process: main memory of the whole process, which tells nothing of a GPU" in notes
    assert "GPU memory that is not marked as measured is predicted" in notes


def test_the_short_table_says_what_a_gpu_took_or_would_take_and_if_the_batch_fits(make):
    told = predicted(1.5)
    on_gpu = make("a", value=0.1, resources=held("gpu", training_prediction=told))
    fits = held(None, training_prediction=told, batch_asked=32, largest_training_batch=40)
    parts = held(
        None,
        training_prediction=told,
        batch_asked=64,
        micro_batches=2,
        largest_training_batch=40,
    )
    rows = made(
        on_gpu,
        make("b", value=0.2, resources=fits, stages=limit(5)),
        make("c", value=0.3, resources=parts, stages=limit(5)),
        make("d", value=0.4, resources=held(None)),
        make("mfcc", None, value=0.5, resources=Resources()),
    )
    (column,) = [each for each in short_grid(rows).columns if each.title.startswith("GPU")]
    assert column.title == "GPU memory to train (GiB), fits 5.00 GiB"
    assert [str(cell) for cell in column.cells] == [
        "3.00 (measured)",
        "1.50 (fits)",
        "1.50 (fits in 2 parts)",
        "not predicted",
        "–",
    ]
    assert len(short_grid(rows).columns) <= 8
    assert columns(rows)[LARGEST] == ["not predicted", "40", "40", "not predicted", "–"]


def test_of_several_seeds_the_most_memory_and_the_smallest_batch_are_told(make):
    seeds = [
        make(
            seed=seed,
            resources=held(training_prediction=predicted(gib), largest_training_batch=batch),
        )
        for seed, (gib, batch) in enumerate([(1.0, 1200), (2.0, 1100), (1.5, 1300)])
    ]
    found = columns(made(*seeds))
    assert (found[GPU], found[LARGEST]) == (["2.00"], ["1,100"])


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([limit(5)], "fit 5.00 GiB at once"),
        ([limit(5), limit(10)], "fit 5.00 GiB or 10.0 GiB at once"),
        ([{}], "fit the budget at once"),
    ],
)
def test_the_footnote_names_the_budget_that_records_name(make, stages, said):
    records = [
        make(seed=seed, stages=each, resources=held(largest_training_batch=56))
        for seed, each in enumerate(stages)
    ]
    table = made(*records)
    assert columns(table)[LARGEST] == ["56"]
    assert any(f"Largest training batch: items of a training step that {said}" in note
               for note in footnotes(table))  # fmt: skip


def test_both_latencies_are_shown_in_milliseconds(make):
    found = columns(made(make(resources=held(latency_p50=0.0105, latency_p95=0.0203))))
    assert (found["latency p50 (ms)"], found["latency p95 (ms)"]) == (["10.5"], ["20.3"])


def test_a_column_that_nobody_fills_is_left_away(make):
    found = columns(made(make(resources=Resources(parameters=6_190_000))))
    assert found["params (M)"] == ["6.19"]
    assert [title for title in found if "(" in title] == ["entry (model + loss)", "params (M)"]


def test_a_failed_row_has_no_prediction(make):
    told = held(training_prediction=predicted(9.0), largest_training_batch=3)
    gone = make("gone", state="oom", reason="out of memory", metrics={}, resources=told)
    found = columns(made(make(resources=told), gone))
    assert (found[GPU], found[LARGEST]) == (["9.00", "–"], ["3", "–"])
