"""Sentences of records and errors are found again, so that a page can say them in its language."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harness.board.record_paths import is_record
from harness.config.loader import load
from harness.config.recipes import EvenCrops, Recipe
from harness.records.record_files import read_record
from harness.registry.rescoring import NotHereError, find_rescoring
from harness.report.recorded import PATTERNS, say_again, say_recipe
from harness.report.run import Run, find_runs
from harness.report.section import Paragraph
from harness.report.sections import head
from harness.report.text import LANGUAGES, read_words
from harness.run.job.evaluate_stage import _crop_notes
from harness.run.job.record_writing import FOREIGN_WEIGHTS, _selection, not_measured
from harness.run.plan.memory_questions import Training
from harness.run.plan.predictions import _notes
from harness.tasks.classification import Classification
from harness.tasks.clustering import GIVEN, Clustering
from harness.tasks.clustering import _notes as _cluster_notes
from harness.tasks.trial_metrics import NOT_FITTED, ONE_VALUE
from harness.tasks.verification import Verification
from harness.train.training_progress import Progress
from tests.places import RECORDS

CHINESE = read_words("zh-Hans")
GIVEN_THREE = {GIVEN: np.array([3])}
TRAINED = {"selected_step": 3, "steps": 40}


def selected(rule: str, training: dict) -> str:
    recipe = SimpleNamespace(phases=[SimpleNamespace(select=rule)])
    return _selection(SimpleNamespace(recipe=recipe), training)  # type: ignore[arg-type]


def progress_notes() -> list[str]:
    progress = Progress()
    progress.lost_curves, progress.sampled, progress.left_out = "no space left", 0.5, 2
    progress.in_no_order.add("cumsum")
    return [*progress._notes()]


@pytest.mark.parametrize(
    "text",
    [
        selected("best", TRAINED),
        selected("last", TRAINED),
        selected("average", TRAINED),
        selected("last", {**TRAINED, "before_fine_tuning": {"steps": 20}}),
        Verification().parameters()["interval"],
        Verification(subtract_mean=True).parameters()["mean_subtracted"],
        Classification().parameters()["interval"],
        ONE_VALUE,
        NOT_FITTED,
        *progress_notes(),
        FOREIGN_WEIGHTS,
        not_measured("it took too long"),
        *_crop_notes(EvenCrops(seconds=4.0, count=10)),
        *_notes(Recipe(steps=1, batch=128), Training(part=32)),
        *_notes(Recipe(steps=1, batch=128), Training(why="ValueError: not today")),
        *_cluster_notes(np.zeros(9, int), GIVEN_THREE),
        *_cluster_notes(np.full(9, -1), GIVEN_THREE),
        *_cluster_notes(np.arange(9) % 2, GIVEN_THREE),
        *_cluster_notes(np.arange(9) % 2 - 1, GIVEN_THREE),
        *(Clustering(clusters=rule).parameters()["clusters"] for rule in ("given", "estimated")),
        *_notes(Recipe(steps=1, batch=128, batch_norm="full"), Training(part=32)),
    ],
)
def test_what_a_record_says_is_said_in_chinese(text: str):
    said = say_again(text, CHINESE)
    assert said != text
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said)


def test_what_published_records_say_is_said_in_chinese():
    paths = (path for path in RECORDS.rglob("*.json") if is_record(path.name))
    records = [read_record(path) for path in paths]
    notes = {note for record in records for note in (*record.notes, record.selected_on) if note}
    assert len(notes) > 3
    assert [note for note in notes if say_again(note, CHINESE) == note] == []
    rules = {name for record in records for name in record.protocol.parameters}
    assert [name for name in rules if not CHINESE.get(f"rules.{name}")] == []


def test_values_are_kept_and_those_that_are_sentences_are_said_again():
    told = selected("best", {**TRAINED, "before_fine_tuning": {"steps": 20}})
    assert say_again(told, CHINESE) == "只用验证集选定：40 步中的第 3 步；自第 20 步起微调"
    assert "重抽样 1,000 次" in say_again("95 %, speakers resampled 1000 times, logit-t", CHINESE)
    digits = "it was made with lock 123456789012 of d, which is not this benchmark's; check out 1"
    assert " 123456789012 " in say_again(digits, CHINESE)


def test_reasons_why_scores_are_not_here_are_said_again(published):
    path, record = published("speaker/quick/speechocean762/campplus-aam")
    loaded = load(None)
    with pytest.raises(NotHereError) as without:
        find_rescoring(loaded, record, path.with_name("elsewhere.json"))
    protocol = record.protocol.model_copy(update={"suite": "unknown"})
    with pytest.raises(NotHereError) as unknown:
        find_rescoring(loaded, record.model_copy(update={"protocol": protocol}), path)
    for error in (without, unknown):
        assert say_again(str(error.value), CHINESE) != str(error.value)


def test_what_no_pattern_knows_stays():
    assert say_again("a sentence of tomorrow", CHINESE) == "a sentence of tomorrow"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pattern_has_its_text(language: str):
    texts = read_words(language).texts
    assert {f"recorded.{name}" for name in PATTERNS} == {
        name for name in texts if name.startswith("recorded.")
    }


def test_a_run_says_why_its_scores_are_lacking(published, tmp_path: Path):
    path, record = published("speaker/quick/open-26666/campplus-aam")
    copied = tmp_path / path.name
    copied.write_bytes(path.read_bytes())
    (run,) = find_runs([str(copied)], tmp_path, load(None))
    assert isinstance(run, Run)
    assert say_again(run.lacking, CHINESE).startswith("它的得分不在旁边（")
    said = head.lacking(run, CHINESE, [run])
    assert said == CHINESE("head.lacking", reason=say_again(run.lacking, CHINESE))
    assert head.lacking(run, CHINESE, [run, run]) == f"{run.name}：{said}"
    section = head.section([run], CHINESE)
    assert said in [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert record.state == "done"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "letters (changed: ema=0.9, lr=0.1)"), ("zh-Hant", "letters（改為 ema=0.9, lr=0.1）")],
)
def test_what_a_call_changed_of_a_recipe_is_said_in_the_language(language: str, said: str):
    words = read_words(language)
    assert say_recipe("letters with ema=0.9, lr=0.1", words) == said
    assert say_recipe("letters", words) == "letters"
    assert say_recipe(None, words) == ""
