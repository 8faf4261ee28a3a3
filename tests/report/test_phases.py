"""A page tells of a fine-tuning, of an average, and of the margin that a training ended with."""

from __future__ import annotations

from typing import Any

import pytest

from harness.records.record import Record
from harness.report.curve_marks import mark_kinds
from harness.report.phases import are_averaged, fine_tuned_from, value_at_end
from harness.report.run import Run
from harness.report.run_facts import facts
from harness.report.run_findings import findings
from harness.report.text import read_words
from harness.series.series import Mark, Series, scalar_frame

SPEECH = "speaker/quick/speechocean762/campplus-aam"
RISEN = {"schedules": {"margin": {"initial": 0.0, "final_value": 0.3}}}
LARGE_MARGIN = {
    "share": 0.1,
    "lr": 1e-4,
    "batch": 64,
    "crop_seconds": 6.0,
    "schedules": {"margin": {"final_value": 0.5, "end": 0.0}},
}


def trained(record: Record, recipe: dict[str, Any], chosen: str = "last weights") -> Record:
    """Return a record as of a training by a changed recipe, whose weights were chosen so."""
    changed = {"recipe": {**(record.recipe or {}), **recipe}, "selected_on": chosen}
    return record.model_copy(update=changed)


@pytest.mark.parametrize(
    ("recipe", "margin"),
    [
        ({"schedules": {}}, 0.2),
        ({"schedules": {"margin": {"initial": 0.0, "final_value": None}}}, 0.2),
        (RISEN, 0.3),
        ({**RISEN, "fine_tune": LARGE_MARGIN}, 0.5),
        ({**RISEN, "fine_tune": {**LARGE_MARGIN, "schedules": {}}}, 0.2),
        ({**RISEN, "fine_tune": None}, 0.3),
    ],
)
def test_the_margin_at_the_end_is_that_of_the_last_schedule(published, recipe, margin: float):
    _, record = published(SPEECH)
    assert value_at_end(trained(record, recipe), "margin") == margin


def test_a_fine_tuning_is_told_with_what_it_changes(published):
    path, record = published(SPEECH)
    chosen = "last weights; fine-tuned from step 1200 on"
    record = trained(record, {**RISEN, "fine_tune": LARGE_MARGIN}, chosen)
    told = facts(Run("one", path, record), read_words("en"))
    assert fine_tuned_from(record) == 1200
    assert told["recipe"].endswith("margin 0.3 at the end")
    assert told["fine_tuning"] == (
        "from step 1,200 on, batch 64, learning rate 0.0001, crops of 6 s, margin 0.5"
    )


def test_without_a_fine_tuning_nothing_is_told_of_one(published):
    path, record = published(SPEECH)
    told = facts(Run("one", path, record), read_words("en"))
    assert told["fine_tuning"] == ""
    assert "at the end" not in told["recipe"]
    assert fine_tuned_from(record) is None


@pytest.mark.parametrize(
    ("chosen", "kinds"),
    [
        ("last weights", ["chosen"]),
        ("average weights", ["averaged"]),
        ("last weights; fine-tuned from step 4 on", ["fine_tuned", "chosen"]),
        ("average weights; fine-tuned from step 4 on", ["fine_tuned", "averaged"]),
    ],
)
def test_curves_are_marked_where_a_phase_begins_and_by_how_weights_were_kept(
    published, chosen: str, kinds: list[str]
):
    path, record = published(SPEECH)
    series = Series("one", scalar_frame([]), marks=(Mark("chosen", 8),))
    run = Run("one", path, trained(record, {}, chosen), series=series)
    assert mark_kinds([run]) == kinds


def test_the_validation_of_the_last_weights_is_not_told_of_their_average(published, monkeypatch):
    path, record = published(SPEECH)
    monkeypatch.setattr(Run, "results", {"train": {"validation": {"eer": 0.1}}})

    def about(chosen: str) -> bool:
        run = Run("one", path, trained(record, {}, chosen))
        return any(each.about == "validation" for each in findings(run))

    assert about("last weights")
    assert not about("average weights")
    assert are_averaged(trained(record, {}, "average weights"))
