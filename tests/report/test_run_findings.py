"""Findings are true of the numbers that they name."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.records.record import Metric
from harness.report.comparisons import comparisons
from harness.report.finding import Finding
from harness.report.run import Run
from harness.report.run_facts import facts
from harness.report.run_findings import findings
from harness.report.section import Paragraph
from harness.report.sections import head
from harness.report.sections.conclusions import next_steps
from harness.report.text import read_words
from harness.series.series import Mark, Series, scalar_frame
from harness.tasks.verification import Verification

SPEECH = "speaker/quick/speechocean762/"


def of_series(marks: tuple[Mark, ...] = (), **values: list[float]) -> Run:
    """A log of series whose names are written with `_` for `/`."""
    rows = [
        (name.replace("_", "/", 1), step, math.nan, math.nan, value)
        for name, held in values.items()
        for step, value in enumerate(held, start=1)
    ]
    return Run("log", Path("log"), series=Series("log", scalar_frame(rows), marks=marks))


def named(found: list[Finding]) -> dict[str, dict]:
    return {each.text: each.values for each in found}


def test_marks_are_counted():
    marks = (Mark("resume", 3), Mark("resume", 5), Mark("chosen", 5))
    assert named(findings(of_series(marks, Test_eer=[0.4])))["resumed"] == {"count": 2}


def test_the_errors_at_the_threshold_are_those_of_the_record(published):
    path, record = published(SPEECH + "campplus-aam")
    values = named(findings(Run("one", path, record)))["threshold"]
    counts = record.dataset.counts["test"]
    miss = record.metrics["miss_at_threshold"].value
    assert int(values["missed"].replace(",", "")) == pytest.approx(
        miss * counts["targets"], abs=0.5
    )
    assert values["miss"] == f"{100 * miss:.1f} %"
    assert values["nontargets"] == f"{counts['trials'] - counts['targets']:,}"


def test_a_leaky_test_is_told_before_all_else_with_the_call_that_counts(published):
    path, record = published("leak/quick/omniglot-leaky/efficientnet-b0")
    run, words = Run("one", path, record), read_words("en")
    assert findings(run)[0] == Finding("leak", "leak", {"honest": "omniglot-latin"})
    (step,) = [each for each in next_steps(run, words) if "without the leak" in each]
    assert "--dataset omniglot-latin " in step
    assert (
        Paragraph(words("head.leaky", honest="omniglot-latin")) in head.section([run], words).blocks
    )
    honest = published("leak/quick/omniglot-latin/efficientnet-b0")
    assert "leak" not in named(findings(Run("one", *honest)))


@pytest.mark.parametrize(
    ("licence", "text"), [("CC-BY-4.0", "step_errors"), ("free for research", "step_errors_silent")]
)
def test_players_are_pointed_to_only_where_the_licence_lets_the_page_have_them(
    published, monkeypatch, licence: str, text: str
):
    path, record = published(SPEECH + "campplus-aam")
    record = record.model_copy(
        update={"dataset": record.dataset.model_copy(update={"licence": licence})}
    )
    words = read_words("en")
    monkeypatch.setattr(Run, "task", Verification())
    steps = list(next_steps(Run("one", path, record), words))
    assert words(f"conclusions.{text}") in steps


@pytest.mark.parametrize(
    ("language", "told"), [("en", ": `adapters.wespeaker:"), ("zh-Hans", "：`adapters.wespeaker:")]
)
def test_components_are_written_as_the_language_writes_lists(published, language: str, told: str):
    run = Run("one", *published(SPEECH + "campplus-aam"))
    found = facts(run, read_words(language))["model"]
    assert found.startswith(f"campplus{told}")
    assert ("，" in found) is (language != "en")


FLAT = {"Test_eer": [0.4, 0.3, *[0.2, 0.201] * 9], "Train_lr": [1e-3] * 19 + [1e-6]}
RISING = {"Train_Accuracy": [step / 100 for step in range(60)]}


@pytest.mark.parametrize(
    ("accuracy", "curves", "is_told"),
    [
        (0.7, {}, True),
        (0.95, {}, False),
        (None, {}, False),
        (0.7, FLAT, False),
        (None, RISING, True),
    ],
)
def test_longer_training_is_told_unless_the_curves_speak_against_it(
    published, accuracy: float | None, curves: dict[str, list[float]], is_told: bool
):
    path, record = published(SPEECH + "campplus-aam")
    learnt = {} if accuracy is None else {"training_accuracy": Metric(value=accuracy, unit="%")}
    others = {key: value for key, value in record.metrics.items() if key != "training_accuracy"}
    run = Run("one", path, record.model_copy(update={"metrics": others | learnt}))
    if curves:
        run = replace(run, series=of_series(**curves).series)
    steps = [*next_steps(run, read_words("en"))]
    assert any("the schedules stretch" in each for each in steps) == is_told
    assert not any("new schedule" in each or "before judging" in each for each in steps)


@pytest.mark.parametrize(
    ("accuracy", "state"), [(0.2, "hardly"), (0.7, "partly"), (0.95, "learnt")]
)
def test_training_accuracy_decides_what_is_said_of_learning(published, accuracy: float, state: str):
    path, record = published(SPEECH + "campplus-aam")
    metrics = record.metrics | {"training_accuracy": Metric(value=accuracy, unit="%")}
    run = Run("one", path, record.model_copy(update={"metrics": metrics}))
    said = named(findings(run))
    assert {"hardly", "partly", "learnt"} & said.keys() == {state}
    assert ("chance" in said) == (state == "hardly")
    assert ("gap_eer" in said) == (state == "learnt")


@pytest.mark.parametrize(("accuracy", "is_said"), [(0.7, True), (0.95, False)])
def test_what_augmentation_hides_of_learning_is_told(published, accuracy: float, is_said: bool):
    path, record = published(SPEECH + "campplus-aam")
    metrics = record.metrics | {"training_accuracy": Metric(value=accuracy, unit="%")}
    series = of_series(TrainEval_accuracy=[0.5, 0.983]).series
    run = Run("one", path, record.model_copy(update={"metrics": metrics}), series=series)
    said = named(findings(run))
    assert said.get("same_mode") == ({"accuracy": "98.3 %"} if is_said else None)


def test_validation_is_held_against_the_interval_of_test(published):
    path, record = published(SPEECH + "campplus-aam")
    metric = record.metrics["eer"]
    assert metric.low is not None
    assert metric.high is not None
    for value, text in (
        (metric.value, "validation_inside"),
        (metric.low / 2, "validation_better"),
        (metric.high * 1.5, "validation_worse"),
    ):
        run = Run("one", path, record)
        run.__dict__["results"] = {"train": {"validation": {"eer": value}}}
        said = named(findings(run))
        assert {name for name in said if name.startswith("validation")} == {text}


def test_runs_are_told_apart_as_the_published_table_tells_them(published):
    """There ecapa-512 is first alone, campplus and the row without training share a rank."""
    names = ("ecapa-512-aam", "campplus-aam", "mfcc")
    runs = [Run(name, *published(SPEECH + name)) for name in names]
    said = [(each.text, each.values["better"], each.values["worse"]) for each in comparisons(runs)]
    assert ("apart", "ecapa-512-aam", "campplus-aam") in said
    assert ("apart", "ecapa-512-aam", "mfcc") in said
    assert [text for text, *pair in said if set(pair) == {"campplus-aam", "mfcc"}] == ["not_apart"]


def test_runs_that_were_not_trained_alike_are_said_to_be_so(published):
    runs = [Run(name, *published(SPEECH + name)) for name in ("ecapa-512-aam", "campplus-aam")]
    assert "unlike_trainings" not in {each.text for each in comparisons(runs)}
    shorter = {**runs[1].record.recipe, "steps": 7, "augment": {"time_mask": 10}}
    other = replace(runs[1], record=runs[1].record.model_copy(update={"recipe": shorter}))
    steps = runs[0].record.recipe["steps"]
    (said,) = (each for each in comparisons([runs[0], other]) if each.text == "unlike_trainings")
    assert said.values == {"keys": f"augment, steps ({steps} / 7)"}


def test_runs_of_other_tests_are_not_compared(published):
    runs = [Run(name, *published(SPEECH + name)) for name in ("ecapa-512-aam", "campplus-aam")]
    assert comparisons(runs[:1]) == []
    other = runs[1].record.dataset.model_copy(update={"lock": "0" * 64})
    elsewhere = replace(runs[1], record=runs[1].record.model_copy(update={"dataset": other}))
    assert comparisons([runs[0], elsewhere]) == []


def test_a_forecast_without_gain_speaks_against_a_longer_training(published):
    path, record = published(SPEECH + "campplus-aam")
    metrics = record.metrics | {"training_accuracy": Metric(value=0.7, unit="%")}
    noise = 0.004 * np.random.default_rng(0).standard_normal(20)
    settled = of_series(Test_eer=list(0.2 + 0.2 * np.exp(-np.arange(20.0)) + noise))
    run = Run("one", path, record.model_copy(update={"metrics": metrics}), series=settled.series)
    assert run.health is not None
    assert "forecast_same" in {each.text for each in run.health.findings}
    assert "longer_may_help" not in named(findings(run))
    assert not any("Train longer" in each for each in next_steps(run, read_words("en")))
    open_ended = replace(run, series=None)
    assert "longer_may_help" in named(findings(open_ended))
    assert any("Train longer" in each for each in next_steps(open_ended, read_words("en")))


@pytest.mark.parametrize(
    ("chosen", "is_advised"), [("last weights", True), ("validation, step 10 of 20", False)]
)
def test_the_best_weights_are_advised_where_others_were_kept(
    published, monkeypatch: pytest.MonkeyPatch, chosen: str, is_advised: bool
):
    path, record = published(SPEECH + "campplus-aam")
    noise = 0.002 * np.random.default_rng(0).standard_normal(20)
    course = [*np.linspace(0.4, 0.1, 10), *np.linspace(0.1, 0.2, 10)]
    log = of_series(Test_eer=list(course + noise))
    changed = record.model_copy(update={"selected_on": chosen})
    run = Run("one", path, changed, series=log.series)
    monkeypatch.setattr(Run, "results", {"train": {"selected_step": 20}})
    monkeypatch.setattr(Run, "artefact", lambda *_: Path("weights.safetensors"))
    steps = list(next_steps(run, read_words("en")))
    assert any("weights.safetensors" in step for step in steps)
    assert any(step.startswith("Keep the weights of") for step in steps) == is_advised


def test_a_speaker_is_a_class_at_each_speed_in_which_it_is_heard(published):
    path, record = published(SPEECH + "campplus-aam")
    hardly = record.metrics["training_accuracy"].model_copy(update={"value": 0.1})
    metrics = record.metrics | {"training_accuracy": hardly}
    speakers = record.dataset.counts["train"]["units"]

    def told(augment: dict) -> dict[str, dict]:
        changed = {"metrics": metrics, "recipe": {**(record.recipe or {}), "augment": augment}}
        return named(findings(Run("one", path, record.model_copy(update=changed))))

    assert told({})["chance"]["classes"] == f"{speakers:,}"
    assert told({"speeds": [0.9, 1.0, 1.1]})["chance_of_speeds"] == {
        "classes": f"{3 * speakers:,}",
        "chance": f"{100 / (3 * speakers):.1f} %",
        "speakers": f"{speakers:,}",
        "speeds": "3",
    }
