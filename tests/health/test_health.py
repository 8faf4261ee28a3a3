"""The health of whole trainings: logs of four kinds, and what is said of each."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from docs.simulation.health.draws import noise
from harness.cli import main
from harness.health.advice import RULES
from harness.health.document import health_document
from harness.health.findings import QUESTIONS
from harness.health.health import Health, assess
from harness.health.milestones import divergence
from harness.health.training_findings import settled_loss
from harness.health.validation_curves import Curve, read_name
from harness.report.health_words import say_advice, say_finding, say_headline
from harness.report.text import LANGUAGES, read_words
from harness.series.reading import read_series
from harness.series.series import Mark, Series, StepVector, scalar_frame
from tests.foreign_logs import write_campplus, write_training


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


def health_of(folder: Path, kind: str) -> Health:
    (series,) = read_series(write_training(folder, kind))
    return assess(series)


def of_values(
    marks: tuple[Mark, ...] = (), *, leaky: bool = False, **values: list[float]
) -> Health:
    """A training whose names are written with `_` for the first `/`."""
    rows = [
        (name.replace("_", "/", 1), step, float(step), math.nan, value)
        for name, held in values.items()
        for step, value in enumerate(held, start=1)
    ]
    return assess(Series("log", scalar_frame(rows), marks=marks), leaky=leaky)


def loss_curve(values: np.ndarray) -> Curve:
    steps = np.arange(1, len(values) + 1)
    return Curve("Train/Loss", "loss", steps.astype(float), values, steps, "epoch")


def answer_of(health: Health, question: str) -> tuple[str, str]:
    (found,) = (each for each in health.checks if each.text == question)
    return found.answer, found.rests_on


def texts(health: Health) -> set[str]:
    return {each.text for each in health.findings}


def advised(health: Health) -> list[str]:
    return [each.text for each in health.advice]


def sentences(health: Health, language: str = "en") -> str:
    words = read_words(language)
    said = [say_finding(each, words) for each in health.findings]
    return "\n".join(said + [say_advice(each, health, words) for each in health.advice])


def test_a_healthy_training_has_no_worrying_sign(folder: Path):
    health = health_of(folder, "healthy")
    assert health.signed("worrying") == ()
    assert {"improving", "carries_over_eer", "threshold_settled", "rate_ended"} <= texts(health)
    assert "regularise" not in advised(health)
    answers = {each.text: each.answer for each in health.checks}
    assert [answers[each] for each in ("loss_sound", "improves", "carries_over")] == ["yes"] * 3


def test_a_network_that_memorised_its_speakers_is_called_so(folder: Path):
    health = health_of(folder, "memorised")
    assert {"memorised_eer", "overfits", "recently_declining"} <= texts(health)
    assert "improving" not in texts(health)
    said = "over the last tenth, EER of the last validation 23.1 %: the network memorised its"
    assert f"Training accuracy 100.0 % {said} speakers." in sentences(health)
    said = "100.0 %，最后一次验证的 EER 为 23.1 %：网络记住了训练说话人。"
    assert f"训练准确率（最后十分之一的均值）{said}" in sentences(health, "zh-Hans")
    assert {"regularise", "keep_best", "patience"} <= set(advised(health))
    assert "longer" not in advised(health)


def test_a_slope_over_long_steps_is_told_for_a_thousand_of_them():
    rows = [("Test/eer", 400 * n, math.nan, math.nan, 0.5 - 0.01 * n) for n in range(1, 13)]
    said = sentences(assess(Series("log", scalar_frame(rows))))
    assert "Theil-Sen slope -2.5 percentage points per 1,000 steps." in said


def test_a_training_that_hardly_learnt_has_not_come_to_its_end():
    health = of_values(Train_Accuracy=[0.0, 0.01], Train_lr=[0.1, 0.0001], Test_eer=[0.45])
    answers = {each.text: (each.answer, each.rests_on) for each in health.checks}
    assert answers["finished"] == ("no", "hardly_learnt")
    learnt = of_values(Train_Accuracy=[0.0, 0.95], Train_lr=[0.1, 0.0001], Test_eer=[0.45])
    assert {each.text: each.answer for each in learnt.checks}["finished"] == "yes"


def test_the_headline_of_few_validations_says_that_they_are_few():
    words = read_words("en")
    assert say_headline(of_values(Test_eer=[0.4, 0.3]), words).startswith(
        "too few validations for a trend; best Test/eer of 2 validations: 30.0 % at epoch 2;"
    )


def test_a_margin_that_moved_between_few_validations_is_one_line():
    marks = tuple(Mark("margin", step) for step in (2, 3, 4))
    health = of_values(marks, Test_eer=[0.4, 0.3, 0.25, 0.2, 0.18])
    about = [each for each in health.findings if each.about == "interruptions"]
    assert [each.text for each in about] == ["leaps_unknown_margin"]
    assert "The margin or scale changed from step 2 to step 4: too few validations" in sentences(
        health
    )
    one = of_values(marks[:1], Test_eer=[0.4, 0.3, 0.25, 0.2, 0.18])
    assert "leap_unknown_margin" in texts(one)


def test_of_a_training_that_diverged_only_that_and_its_best_is_said(folder: Path):
    health = health_of(folder, "diverged")
    assert texts(health) == {"diverged_broken", "best_before"}
    assert advised(health) == ["lower_rate", "keep_best"]
    assert health.forecasts == ()
    assert "`train_loss` is not finite from epoch 16 on" in sentences(health)
    assert {each.answer for each in health.checks} == {"no", "cannot tell"}


def test_a_training_that_stopped_too_early_is_told_to_go_on(folder: Path):
    health = health_of(folder, "stopped")
    assert {"improving", "recently_improving", "best_last", "rate_open"} <= texts(health)
    assert "longer" in advised(health)
    (advice,) = (each for each in health.advice if each.text == "longer")
    assert advice.rests_on == ("recently_improving", "rate_open")


def test_tensorboard_of_others_is_read_as_well(tmp_path: Path):
    write_campplus(tmp_path / "campplus")
    (series,) = read_series(tmp_path / "campplus")
    health = assess(series)
    assert {"memorised_eer", "improving", "best_before"} <= texts(health)


def test_flat_and_run_out_says_that_more_epochs_will_not_help():
    rates = list(np.linspace(1e-3, 1e-6, 80))
    values = list(0.2 + 0.002 * np.random.default_rng(4).standard_normal(80))
    health = of_values(Test_eer=values, Train_lr=rates)
    assert {"recently_flat", "rate_ended"} <= texts(health)
    assert "no_longer" in advised(health)
    assert "longer" not in advised(health)


def test_a_changing_margin_makes_losses_incomparable_and_a_later_part_judged():
    loss = list(np.linspace(2, 9, 60))
    moving = of_values(Train_Loss=loss, Train_margin=list(np.linspace(0, 0.2, 60)))
    assert texts(moving) == {"loss_rules_moved"}
    falling = loss[:30] + list(np.linspace(9, 3, 30))
    margin = list(np.linspace(0, 0.2, 30)) + [0.2] * 30
    assert texts(of_values(Train_Loss=falling, Train_margin=margin)) == {"loss_falls"}
    assert texts(of_values(Train_Loss=loss)) == {"diverged_rose"}


def test_a_loss_of_ever_more_trusted_items_has_not_diverged():
    loss, share = list(np.linspace(2, 9, 60)), list(np.linspace(0, 0.8, 60))
    found = texts(of_values(Train_Loss=loss, Train_trusted_share=share))
    assert "loss_rules_moved" in found
    assert "diverged_rose" not in found


def test_a_divergence_names_the_levels_that_it_compares():
    loss = [9.0, *np.linspace(2, 8, 59)]  # its first value alone lies above its end
    (found,) = of_values(Train_Loss=loss).findings
    assert found.text == "diverged_rose"
    assert found.values["first"] == pytest.approx(np.mean(loss[:6]))
    assert found.values["last"] == pytest.approx(np.mean(loss[-6:]))


def test_few_validations_say_little():
    assert {"once"} <= texts(of_values(Test_eer=[0.3]))
    few = of_values(Test_eer=[0.3, 0.2, 0.1])
    assert texts(few) == {"too_few", "best_last"}
    assert advised(few) == ["validate_more"]
    assert texts(of_values(Other_thing=[1.0, 2.0])) == set()


@pytest.mark.parametrize(
    ("train", "finding", "answer"), [(0.01, "gap_large", "no"), (0.4, "gap_small", "yes")]
)
def test_training_items_judged_alike_are_set_beside_the_validation(train, finding, answer):
    health = of_values(Test_eer=[0.3, 0.2], **{"TrainEval_eer": [0.1, train]})
    assert finding in texts(health)
    assert answer_of(health, "carries_over") == (answer, finding)
    said = f"a gap of {100 * abs(0.2 - train):.0f} percentage points"
    assert said in sentences(health)


@pytest.mark.parametrize("train", [0.01, 0.4])
def test_a_validation_with_copies_of_training_items_is_not_compared_with_them(train):
    values = {"TrainEval_eer": [0.1, train], "Train_Accuracy": [1.0] * 20}
    honest, leaky = (of_values(Test_eer=[0.3, 0.2], **values, leaky=each) for each in (False, True))
    assert {"gap_large", "gap_small", "memorised_eer"} & texts(honest)
    assert texts(leaky) == {"leaky"} | (texts(honest) - QUESTIONS["carries_over"].keys())
    assert answer_of(leaky, "carries_over") == ("cannot tell", "leaky")
    assert leaky.findings[0].text == "leaky"


def test_one_loss_that_is_not_finite_is_no_divergence():
    loss = list(np.linspace(9, 2, 30))
    loss[10] = math.nan
    health = of_values(Train_Loss=loss, Test_eer=[0.4, 0.3, 0.2])
    assert {"loss_broken", "loss_falls", "best_last"} <= texts(health)
    assert answer_of(health, "loss_sound") == ("no", "loss_broken")
    assert "lower_rate" not in advised(health)
    loss[20:] = [math.nan] * 10
    ended = of_values(Train_Loss=loss)
    assert texts(ended) == {"diverged_broken"}
    assert ended.findings[0].values["at"].number == 21


def test_a_flat_loss_whose_neighbours_are_alike_rarely_diverges():
    curves = noise(np.random.default_rng(5), 300, 60, 0.7)
    found = [divergence(loss_curve(each)) is not None for each in curves]
    assert np.mean(found) <= 0.02
    assert divergence(loss_curve(curves[0] + np.linspace(0, 20, 60))) is not None


def test_a_loss_of_which_no_course_is_borne_out_is_not_called_sound():
    loss = list(3 + 0.1 * np.random.default_rng(0).standard_normal(14))
    found = [of_values(Train_Loss=each) for each in (loss, sorted(loss))]
    assert [answer_of(health, "loss_sound") for health in found] == [
        ("cannot tell", "loss_open"),
        ("no", "diverged_rose"),
    ]


def test_a_loss_counts_from_the_epoch_in_which_its_rules_are_the_last():
    share = [0.5, 1.0] + [1.0] * 14
    loss = [4.2] + [4.5] * 15  # an epoch of half the items has another loss
    rows = [("Train/trusted_share", 10 * e + 1, math.nan, math.nan, s) for e, s in enumerate(share)]
    rows += [
        ("Train/Loss", step, math.nan, math.nan, loss[(step - 1) // 10] + 0.01 * (step % 3))
        for step in range(1, 161)
    ]
    settled = settled_loss(Series("log", scalar_frame(rows)))
    assert settled is not None
    assert settled.steps[0] == 11


def test_a_training_accuracy_that_still_rises_has_not_come_to_its_end():
    accuracy = [0.6 + 0.002 * step for step in range(100)]
    rates = list(np.linspace(1e-3, 1e-6, 100))
    health = of_values(Train_Accuracy=accuracy, Train_lr=rates, Test_eer=[0.2])
    assert "accuracy_rises" in texts(health)
    assert answer_of(health, "finished") == ("no", "accuracy_rises")
    assert "learn_longer" in advised(health)
    settled = of_values(Train_Accuracy=[*accuracy[:50], *[0.7] * 50], Train_lr=rates)
    assert "accuracy_rises" not in texts(settled)


def test_a_curve_that_settled_has_come_to_its_end_though_its_later_half_improves():
    random = np.random.default_rng(8)
    time = np.arange(1, 41)
    values = 0.025 + 0.3 * np.exp(-time / 6) + 0.0008 * random.standard_normal(40)
    ended = of_values(Test_eer=list(values), Train_lr=list(np.linspace(1e-3, 1e-6, 40)))
    assert {"recently_improving", "forecast_same"} <= texts(ended)
    assert answer_of(ended, "finished") == ("yes", "forecast_same")
    going = of_values(Test_eer=list(values), Train_lr=[1e-3] * 40)
    assert answer_of(going, "finished") == ("no", "rate_open")


def test_a_curve_that_has_passed_its_best_has_come_to_its_end_though_its_later_half_improves():
    random = np.random.default_rng(9)
    falling = np.linspace(0.45, 0.2, 34)
    values = np.concatenate([falling, np.linspace(0.201, 0.215, 6)])
    rates = list(np.linspace(1e-3, 1e-6, 40))
    turned = of_values(Test_eer=list(values + 0.0003 * random.standard_normal(40)), Train_lr=rates)
    assert {"recently_improving", "best_before"} <= texts(turned)
    assert answer_of(turned, "finished") == ("yes", "best_before")
    assert {"longer", "new_schedule"}.isdisjoint(advised(turned))
    assert "keep_best" in advised(turned)


def test_flat_under_a_high_rate_asks_for_a_lower_one():
    values = list(0.2 + 0.002 * np.random.default_rng(4).standard_normal(80))
    health = of_values(Test_eer=values, Train_lr=[1e-3] * 80)
    assert {"recently_flat", "rate_open"} <= texts(health)
    assert "anneal" in advised(health)
    assert "no_longer" not in advised(health)


def test_a_rate_that_ends_at_a_twentieth_has_run_out():
    assert "rate_ended" in texts(of_values(Train_lr=[1e-3, 5e-5]))
    assert "rate_open" in texts(of_values(Train_lr=[1e-3, 6e-5]))


def test_validations_that_bear_nothing_out_do_not_suffice():
    values = list(0.3 + 0.02 * np.random.default_rng(0).standard_normal(7))
    health = of_values(Test_eer=values)
    assert "cannot_tell" in texts(health)
    assert answer_of(health, "enough") == ("no", "cannot_tell")


@pytest.mark.parametrize(
    ("counts", "said"), [((9.0, 0.0, 11.0), False), ((90.0, 0.0, 110.0), True)]
)
def test_counts_of_a_batch_say_nothing_of_classes(counts, said):
    vector = StepVector("Train/class_counts", 9, 1.0, counts)
    health = assess(Series("log", scalar_frame([]), (vector,)))
    assert ("classes_empty" in texts(health)) is said


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Test/eer", ("validation", "eer")),
        ("Valid/EER", ("validation", "eer")),
        ("val_acc", ("validation", "accuracy")),
        ("Train/Acc", ("training", "accuracy")),
        ("train/loss", ("training", "loss")),
        ("lr", ("training", "lr")),
        ("learning_rate", ("training", "lr")),
        ("Train/LearningRate", ("training", "lr")),
        ("NMI", ("validation", "nmi")),
        ("acc", ("", "accuracy")),
    ],
)
def test_names_of_several_programs_have_one_meaning(name: str, meaning: tuple[str, str]):
    assert read_name(name) == meaning


@pytest.mark.parametrize("scale", [1, 100])
def test_percent_and_shares_are_the_same(scale: int):
    health = of_values(
        Train_Accuracy=[0.1 * scale, 0.95 * scale], Test_eer=[0.4 * scale, 0.2 * scale]
    )
    assert (
        "Training accuracy 95.0 % over the last tenth, EER of the last validation 20.0 %"
        in sentences(health)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_found_has_a_sentence(folder: Path, language: str):
    words = read_words(language)
    kinds = ("healthy", "memorised", "diverged", "stopped")
    for health in (health_of(folder, kind) for kind in kinds):
        assert sentences(health, language)
        assert all(words(f"checks.{each.text}") for each in health.checks)
    marks = (Mark("restart", 10, 10.0), Mark("margin", 20, 20.0))
    counts = StepVector("Train/selected", 30, 30.0, (400.0, 3.0))
    rows = [("Test/eer", step, float(step), math.nan, 0.3 - step / 300) for step in range(1, 31)]
    assert sentences(assess(Series("log", scalar_frame(rows), (counts,), marks)), language)


def test_rules_and_questions_name_findings_and_sentences_that_there_are():
    known = {name.removeprefix("findings.") for name in read_words("en").texts}
    for rule in RULES:
        assert {*rule.needs, *rule.any_of, *rule.unless} <= known
    for answers in QUESTIONS.values():
        assert answers.keys() <= known


def test_the_document_has_the_field_s_names_and_is_json(folder: Path):
    document = health_document(health_of(folder, "healthy"))
    assert document["performance_trend"] == "improving"
    assert document["best_performance"]["epoch"] == 36
    assert 0.9 < document["stability_score"] <= 1
    assert document["total_improvements"] > document["total_degradations"]
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for advice in document["advice"]:
        assert set(advice["rests_on"]) <= {each["finding"] for each in document["findings"]}


def test_the_command_prints_it_and_gives_it_as_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    log = write_training(folder, "memorised")

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["harness", "health", str(log), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return capsys.readouterr().out

    assert "memorised" in call()  # a table breaks its sentences where it likes
    (training,) = json.loads(call("--json"))["trainings"]
    assert any("memorised its speakers" in each["sentence"] for each in training["findings"])
    (training,) = json.loads(call("--json", "--lang", "zh"))["trainings"]
    assert training["performance_trend"] == "cannot tell"
    assert any("记住了训练说话人" in each["sentence"] for each in training["findings"])
