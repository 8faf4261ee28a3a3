"""One table for a dataset judged by folds, against numbers joined by hand."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt

from harness.board.publishing.local_records import latest_records
from harness.board.publishing.published_tables import render
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.captions import footnotes, head
from harness.board.writing.entry_grids import full_grid
from harness.board.writing.json_document import document
from harness.board.writing.markdown import section
from harness.errors import RequestError
from harness.metrics.intervals import jackknife_interval
from harness.metrics.significance import ComparedEntry, ranks_and_difference
from harness.records.costs import Memory, Resources
from harness.records.record import Record, RecordedFold, Stage
from harness.records.record_files import to_document, write_record

UNITS = {1: 8, 2: 7, 3: 7}
INTERVAL = "95 %, speakers resampled 1000 times, logit-t"


@pytest.fixture
def folded(make, data, protocol):
    """The factory of one fold's record: a value, and 7 or 8 speakers left out around it."""

    def fold(
        index: int, model: str = "a", value: float = 0.05, seed: int | None = 0, **changes: Any
    ) -> Record:
        draw = random.Random(f"{index} {model}")
        left = {f"spk{index}{i}": value + draw.gauss(0, 0.002) for i in range(UNITS[index])}
        units = UNITS[index]
        dataset = data(
            name=f"voices.{index}of3",
            lock=str(index) * 64,
            counts={
                "train": {"units": 22 - units},
                "test": {"units": units, "items": 10 * units, "trials": 900, "targets": 300},
            },
            fold=RecordedFold(of="voices", index=index, folds=3, lock="c" * 64, protocol="d" * 64),
        )
        rules = protocol(digest=str(index + 3) * 64, parameters={"interval": INTERVAL})
        stage = Stage(key=f"{model}-{seed}-{index}", inputs={}, finished="2026-01-02T03:04:05Z")
        given = {
            "dataset": dataset,
            "protocol": rules,
            "left_one_out": {"eer": left},
            "stages": {"train": stage},
        }
        return make(model, value=value, seed=seed, **given | changes)

    return fold


@pytest.fixture
def entries(folded) -> list[Record]:
    """Two systems by three folds, one of them with two seeds, and a baseline."""
    values = {
        ("a", 0): (0.05, 0.07, 0.03),
        ("a", 1): (0.06, 0.06, 0.04),
        ("bb", 0): (0.10, 0.12, 0.14),
    }
    systems = [
        folded(index, model, value, seed)
        for (model, seed), each in values.items()
        for index, value in enumerate(each, start=1)
    ]
    plain = {"loss": None, "recipe": None, "recipe_name": None, "track": "baseline"}
    return systems + [
        folded(index, "ccc", value, None, **plain)
        for index, value in ((1, 0.3), (2, 0.2), (3, 0.4))
    ]


def made(records: list[Record]) -> Table:
    (table,) = tables(FiledRecord(record) for record in records)
    return table


def by_hand(records: list[Record], model: str) -> ComparedEntry:
    """An entry joined in plain loops: seeds first, then folds."""
    own = [record for record in records if record.model.name == model]
    seeds = sorted({record.seed for record in own}, key=str)
    folds: list[list[Record]] = [[] for _ in UNITS]
    for record in own:
        folds[record.dataset.fold.index - 1].append(record)
    means = [sum(r.metrics["eer"].value for r in fold) / len(fold) for fold in folds]
    value, left = sum(means) / 3, {}
    for mean, fold in zip(means, folds, strict=True):
        for unit in fold[0].left_one_out["eer"]:
            without = sum(r.left_one_out["eer"][unit] for r in fold) / len(fold)
            left[unit] = value + (without - mean) / 3
    over = [sum(r.metrics["eer"].value for r in own if r.seed == seed) / 3 for seed in seeds]
    trained = tuple(over) if own[0].loss else ()
    return ComparedEntry(model, value, tuple(left), np.array(list(left.values())), trained)


def test_a_row_joins_its_folds_and_its_seeds(entries: list[Record]) -> None:
    table = made(entries)
    assert [row.first.model.name for row in table.rows] == ["a", "bb", "ccc"]
    for row in table.rows:
        entry = by_hand(entries, row.first.model.name)
        figure, left = row.figure("eer"), row.left_one_out("eer")
        assert figure is not None
        assert left is not None
        assert figure.value == pytest.approx(entry.estimate)
        assert left == pytest.approx(dict(zip(entry.units, entry.left_out, strict=True)))
        assert len(left) == 22
    first = table.rows[0].figure("eer")
    assert first is not None
    assert first.value == pytest.approx((0.05 + 0.07 + 0.03 + 0.06 + 0.06 + 0.04) / 6)
    assert first.spread == pytest.approx(abs(0.16 - 0.15) / 3 / 2**0.5)


def test_ranks_are_those_of_entries_joined_by_hand(entries: list[Record]) -> None:
    table = made(entries)
    joined = [by_hand(entries, name) for name in ("a", "bb", "ccc")]
    ranks, visible = ranks_and_difference(joined, higher_is_better=False)
    assert list(table.ranking.ranks) == ranks
    assert table.ranking.units == 22
    assert table.ranking.visible == pytest.approx(visible)


def test_the_interval_is_that_of_the_jackknife_over_all_speakers(entries: list[Record]) -> None:
    figure = made(entries).rows[1].figure("eer")
    entry = by_hand(entries, "bb")
    # 3 x 300 targets are rarer than 3 x 600 nontargets.
    wanted = jackknife_interval(entry.estimate, entry.left_out, floor=0.5 / 900)
    assert figure is not None
    assert (figure.low, figure.high) == (pytest.approx(wanted.low), pytest.approx(wanted.high))


def test_a_metric_not_known_without_each_speaker_is_a_mean_alone(entries: list[Record]) -> None:
    figure = made(entries).rows[1].figure("min_dcf")
    assert figure is not None
    assert figure.value == pytest.approx(5 * 0.12)
    assert (figure.low, figure.high) == (None, None)


def test_the_table_is_of_the_whole_dataset(entries: list[Record]) -> None:
    table = made(entries)
    assert (table.folds, table.dataset.name, table.dataset.lock) == (3, "voices", "c" * 64)
    assert table.dataset.counts == {
        "test": {"units": 22, "items": 220, "trials": 2700, "targets": 900}
    }
    assert table.protocol.digest == "d" * 64
    said = dict(head(table))
    assert said["Test"].startswith("22 speakers, 220 items, 2,700 trials, 900 target trials, in 3")
    assert "resample" not in said["Test"] + said["Protocol"]
    assert "jackknife" in said["Protocol"]
    told = document([table])["tables"][0]
    assert (told["folds"], told["dataset"]["name"]) == (3, "voices")
    assert "fold" not in told["dataset"]


def test_footnotes_say_how_it_was_judged(entries: list[Record]) -> None:
    notes = footnotes(made(entries))
    assert notes[0].startswith(
        "Judged by 3 folds over 22 speakers: each tested once, by a network trained on the others."
    )
    (brackets,) = [note for note in notes if note.startswith("Brackets")]
    assert "jackknife on the logit scale" in brackets
    assert "Speeds and times are means over seeds and folds; memory is the most of them." in notes


@pytest.mark.parametrize(
    ("gone", "reason"),
    [((2,), "fold 2 of 3: no record"), ((1, 3), "folds 1 and 3 of 3: no record")],
)
def test_a_row_with_a_missing_fold_is_incomplete_and_not_ranked(
    entries: list[Record], gone: tuple[int, ...], reason: str
) -> None:
    table = made([r for r in entries if r.model.name != "bb" or r.dataset.fold.index not in gone])
    last = table.rows[-1]
    assert (last.first.model.name, last.state, last.is_done) == ("bb", "incomplete", False)
    assert table.ranking.ranks[-1] is None
    assert None not in table.ranking.ranks[:-1]
    assert last.figure("eer") is None
    assert f"incomplete: {reason}" in section(table)
    row = document([table])["tables"][0]["rows"][-1]
    assert (row["state"], row["reason"], row["metrics"]) == ("incomplete", reason, {})


def test_a_fold_that_failed_says_why(entries: list[Record], folded) -> None:
    broken = folded(
        2, "bb", state="oom", reason="out of memory at batch 64", metrics={}, left_one_out={}
    )
    kept = [r for r in entries if r.model.name != "bb" or r.dataset.fold.index != 2]
    last = made([*kept, broken]).rows[-1]
    assert last.first.reason == "fold 2 of 3: oom: out of memory at batch 64"
    assert last.state == "incomplete"


def test_a_seed_without_all_folds_is_a_row_of_its_own(entries: list[Record]) -> None:
    table = made(
        [r for r in entries if (r.model.name, r.seed) != ("a", 1) or r.dataset.fold.index != 3]
    )
    whole = table.rows[0].figure("eer")
    assert whole is not None
    assert (whole.seeds, whole.value) == (1, pytest.approx(0.05))
    assert [(row.name, row.first.seed, row.state) for row in table.rows[-1:]] == [
        ("a + aam", 1, "incomplete")
    ]


def test_a_table_of_one_fold_tells_no_number_of_speakers(folded) -> None:
    table = made([folded(1)])
    assert footnotes(table)[0].startswith("Judged by 3 folds over speakers: ")
    assert dict(head(table))["Test"].startswith("in 3 folds; intervals leave speakers out")
    assert table.dataset.counts == {}


def test_a_later_record_takes_the_place_of_the_same_fold_alone(
    entries: list[Record], folded
) -> None:
    again = folded(2, "bb", value=0.18, finished="2027-01-01T00:00:00Z")
    table = made([*entries, again])
    assert table.superseded == 1
    figure = next(row for row in table.rows if row.first.model.name == "bb").figure("eer")
    assert figure is not None
    assert figure.value == pytest.approx((0.10 + 0.18 + 0.14) / 3)


def test_folds_of_other_data_or_rules_share_no_table(entries: list[Record], data) -> None:
    def elsewhere(record: Record, **changes: Any) -> Record:
        fold = record.dataset.fold.model_copy(update=changes)
        return record.model_copy(
            update={"dataset": record.dataset.model_copy(update={"fold": fold})}
        )

    for changes in ({"lock": "e" * 64}, {"protocol": "e" * 64}, {"of": "other"}, {"folds": 4}):
        moved = [elsewhere(record, **changes) for record in entries[:3]]
        assert len(tables(FiledRecord(record) for record in [*entries[3:], *moved])) == 2


def test_a_speaker_in_two_folds_is_refused(entries: list[Record]) -> None:
    shared = entries[1].model_copy(update={"left_one_out": entries[0].left_one_out})
    with pytest.raises(RequestError, match=r"voices: a \+ aam: eer: .* more than one fold"):
        made([entries[0], shared, entries[2]])


def test_costs_are_of_all_networks(folded) -> None:
    def spent(index: int, gib: int, speed: float) -> Record:
        memory = Memory(bytes=gib * 2**30, counted="gpu")
        return folded(
            index,
            resources=Resources(training_memory=memory, training_per_second=speed, parameters=9),
        )

    table = made([spent(1, 2, 100.0), spent(2, 4, 200.0), spent(3, 3, 600.0)])
    told = {column.title: str(column.cells[0]) for column in full_grid(table).columns}
    assert told["peak training memory (GiB)"] == "4.00 gpu"
    assert told["training (items/s)"] == "300"


def test_each_fold_is_linked(entries: list[Record], tmp_path) -> None:
    filed = [FiledRecord(record, f"records/{i}.json") for i, record in enumerate(entries)]
    (table,) = tables(filed)
    html = MarkdownIt("commonmark").enable("table").render(section(table))
    folds = ", ".join(f'<a href="records/{i}.json">{i + 1}</a>' for i in range(3))
    assert f"0: folds ({folds}), 1: folds (" in html
    rows = document([table])["tables"][0]["rows"]
    assert sorted(path for row in rows for path in row["records"]) == sorted(
        each.path for each in filed
    )


def test_published_tables_do_not_depend_on_the_order_of_records(entries: list[Record]) -> None:
    named = {f"records/{i}.json": record for i, record in enumerate(entries)}
    turned = dict(reversed(named.items()))
    assert render(named) == render(turned)


def test_a_dataset_names_all_of_its_folds_to_be_published(entries: list[Record], tmp_path) -> None:
    for number, record in enumerate(entries):
        folder = tmp_path / "speaker-quick" / record.dataset.name / "entry" / str(number)
        write_record(folder / "record.json", record)
    every = latest_records(tmp_path, (), ("voices",), include_failed=False)
    assert len(every) == len(entries)
    one = latest_records(tmp_path, (), ("voices.2of3",), include_failed=False)
    assert {path.parts[-4] for path in one} == {"voices.2of3"}
    with pytest.raises(RequestError, match="holds no record"):
        latest_records(tmp_path, (), ("voice",), include_failed=False)


def test_a_record_without_a_fold_is_written_as_before(make, folded) -> None:
    assert "fold" not in to_document(make())["dataset"]
    written = json.loads(json.dumps(to_document(folded(2))))
    assert written["dataset"]["fold"]["index"] == 2
    assert Record.model_validate(written) == folded(2)


def test_a_rate_near_0_is_told_from_0_by_half_a_target_trial(folded) -> None:
    clean = {index: {f"spk{index}{i}": 0.0 for i in range(units)} for index, units in UNITS.items()}
    clean[2]["spk20"] = 0.03
    records = [folded(i, value=0.0, left_one_out={"eer": left}) for i, left in clean.items()]
    figure = made(records).rows[0].figure("eer")
    wanted = jackknife_interval(0.0, [0.0] * 21 + [0.01], floor=0.5 / 900)
    assert figure is not None
    assert (figure.value, figure.low) == (0.0, 0.0)
    assert figure.high == pytest.approx(wanted.high)
    assert wanted.high != pytest.approx(
        jackknife_interval(0.0, [0.0] * 21 + [0.01], floor=0.5 / 1800).high
    )
