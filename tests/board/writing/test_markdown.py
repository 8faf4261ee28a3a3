"""What a page shows."""

from __future__ import annotations

import re

import numpy as np
import pytest
from markdown_it import MarkdownIt

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.markdown import escape, section
from harness.health.training_end import TrainingEnd
from harness.records.costs import Resources
from harness.records.record import Metric, Record, Submission


def page(*records: Record, path: str = "") -> str:
    return section(tables(FiledRecord(record, path) for record in records)[0])


def shown(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def test_a_cell_holds_value_and_interval_and_its_head_the_unit(make):
    text = page(make(value=0.0531))
    assert "EER % ↓" in text
    assert "5.31 (4.25-6.37)" in text


def test_the_head_says_what_was_tested_and_how(several):
    text = page(*several)
    for said in (
        "synthetic; open-26666, licence CC0-1.0, lock bbbbbbbbbbbb",
        "24 speakers, 240 items, 2,400 trials, 400 target trials; intervals resample speakers",
        "version 1, digest aaaaaaaaaaaa, c\\_fa 1, c\\_miss 1, p\\_target 0.01",
        "matched track; recipe short: 2,000 steps, batch 64",
        "NVIDIA H200, Xeon 8481C, 8 threads",
    ):
        assert said in text


def test_the_head_says_which_trainings_were_in_half_precision(make):
    half = make("a", recipe={"steps": 2000, "batch": 64, "precision": "bf16-mixed"})
    text = page(half, make("b", recipe={"steps": 2000, "batch": 64, "precision": "32-true"}))
    assert "short: 2,000 steps, batch 64; recipe short: 2,000 steps, batch 64, in bf16" in text


def test_a_failed_row_says_why_and_the_baseline_that_nothing_was_trained(several):
    text = page(*several)
    assert "oom: out of memory at batch 128, fits 56" in text
    assert "mean-fbank (no training)" in text


def test_speeds_of_two_environments_stand_in_two_tables(make):
    text = page(make("a"), make("b", value=0.2, device="RTX 3060"))
    first, on_h200, on_rtx = text.split("### Speed and memory on ")[0:3]
    assert "a + aam" in first
    assert "b + aam" in first
    assert "812" not in first
    assert "params (M)" in first
    assert "a + aam" in on_h200
    assert "b + aam" not in on_h200
    assert on_rtx.startswith("RTX 3060")
    assert "b + aam" in on_rtx


def test_one_environment_needs_no_table_of_its_own(several):
    text = page(*several)
    assert "### Speed" not in text
    assert "3.21 gpu" in text


def test_left_out_items_get_a_dagger_and_a_footnote(make, data):
    text = page(make(dataset=data(left_out=("x.wav", "y.wav"))))
    assert "ecapa-512 + aam †" in text
    assert "† Left out on request: ecapa-512 + aam † (2 damaged items)." in text


def test_a_smaller_batch_repeated_tests_and_older_records_are_footnotes(make):
    held = Resources(batch_asked=128, batch_used=56, micro_batches=3)
    text = page(make(resources=held, test_looks=3, searched=12), make(attempt=0))
    assert "128 asked, 56 used = 3 x 19" in text
    assert "more than once by ecapa-512 + aam (3 times)" in text
    assert "12 tried" in text
    joined = page(make(resources=held, recipe={"batch_norm": "full"}))
    assert "56 used = 3 x 19, batch normalisation over all" in joined
    assert "There is 1 older record of the same entries and seeds" in text


@pytest.mark.parametrize("name", ["<script>", "a|b", "`c`", "*d*", "[e](f)", "x\ny", "_g_", "\\|h"])
def test_names_show_as_the_text_they_are(make, name):
    found = shown(page(make(name, "l")))
    assert not [tag for tag in ("<script", "<em>", "<code>", "<a ") if tag in found]
    for grid in found.split("</table>"):
        assert len({line.count("<td") for line in grid.split("</tr>")} - {0}) <= 1
    text = name.replace("\n", " ").replace("<", "&lt;").replace(">", "&gt;")
    assert f"{text} + l" in found


def test_control_characters_are_made_visible():
    assert escape("a\x1b[31m\u202eb") == "a\ufffd\\[31m\ufffdb"


def test_a_published_row_links_to_its_record(make):
    assert '<a href="records/a%20b.json">0</a>' in shown(page(make(), path="records/a b.json"))


def test_links_of_several_tables_on_one_page_end_at_their_own_records(make, data):
    filed = [
        FiledRecord(make(seed=seed, dataset=data(name=name)), f"records/{name}-{seed}.json")
        for name in ("one", "two")
        for seed in range(60)
    ]
    found = shown("\n".join(section(table) for table in tables(filed)))
    assert re.findall(r'<a href="([^"]*)">(\d+)</a>', found) == [
        (f"records/{name}-{seed}.json", str(seed)) for name in ("one", "two") for seed in range(60)
    ]


def test_links_do_not_widen_the_source(make):
    long = "records/" + 200 * "x" + ".json"
    rows = [line for line in page(make(), path=long).splitlines() if line.startswith("|")]
    assert rows
    assert all("xxx" not in line for line in rows)


def test_an_entry_that_has_not_learnt_its_own_training_is_named(make):
    def trained(model: str, share: float):
        record = make(model)
        right = {"training_accuracy": Metric(value=share, unit="%")}
        return record.model_copy(update={"metrics": record.metrics | right})

    said = "short + aam (3.5 %) had fewer than 50 % of training decisions right"
    text = page(trained("short", 0.035), trained("long", 0.95))
    assert f"The first point of a curve over budgets, after 128,000 items: {said}" in text
    assert "had fewer than" not in page(trained("long", 0.95))
    authors = trained("short", 0.035).model_copy(update={"track": "recipe"})
    assert f"Cut short: {said}" in page(authors)


def test_training_accuracy_far_above_the_test_is_named(make):
    right = {"training_accuracy": Metric(value=0.99, unit="%")}
    known = make("heart", value=0.15), make("carries", value=0.05)
    learnt = [r.model_copy(update={"metrics": r.metrics | right}) for r in known]
    text = page(*learnt)
    assert "Training accuracy far above the test: heart + aam (99.0 %, EER 15.00 %);" in text


def test_what_still_rose_when_training_ended_is_named_of_rows_whose_series_is_there(make):
    accuracy = tuple(np.linspace(0.60, 0.68, 12))
    rising = TrainingEnd(accuracy, {"eer": tuple(np.linspace(0.10, 0.08, 6))})
    filed = [FiledRecord(make("up"), end=rising), FiledRecord(make("unknown", value=0.2))]
    text = section(tables(filed)[0])
    assert (
        "Still rising when training ended: up + aam (training accuracy 61.8 to 66.2 % over its "
        "last fifth, EER on validation 9.60 to 8.40 % over its later half)."
    ) in text
    still = [FiledRecord(make("up"), end=TrainingEnd((0.60,) * 12, {"eer": (0.1,) * 6}))]
    assert "Still rising" not in section(tables(still)[0])


def test_a_claimed_row_is_marked_and_stands_below_the_measured_ones(make):
    text = page(make("ours", value=0.2), make("mine", value=0.1), make("told", trust="claimed"))
    rows = [line.split("|") for line in text.splitlines() if " + aam" in line and "|" in line]
    assert [(row[1].strip(), row[2].strip()) for row in rows[:3]] == [
        ("1", "mine + aam"),
        ("2", "ours + aam"),
        ("–", "told + aam ‡"),
    ]
    assert "‡ Claimed, not checked here, so in no rank and on no front: told" in text
    assert "told + aam ‡ (source not told)." in text
    assert "Claimed" not in page(make("ours"))


def test_who_made_an_entry_elsewhere_is_told(make):
    claim = Submission(made_from="claim", source="https://example.org/paper", system="a *big* net")
    given = Submission(made_from="scores", submitter="A. Nother")
    text = page(
        make("ours"),
        make("told", trust="claimed", submission=claim),
        make("sent", trust="rescored", submission=given),
    )
    assert "told + aam ‡ (a \\*big\\* net, https:<!-- -->//example.org/paper)." in text
    assert "Computed elsewhere, judged here: sent + aam (by A. Nother)." in text
