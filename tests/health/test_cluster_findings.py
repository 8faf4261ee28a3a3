"""What is said of trusted items, clusters that move and dimensions in use, and the advice on it."""

from __future__ import annotations

import math

import pytest

from harness.health.health import Health, assess
from harness.report.health_words import say_advice, say_finding
from harness.report.text import LANGUAGES, read_words
from harness.series.series import Series, scalar_frame

GROWS = [0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def health_of(**curves: list[float]) -> Health:
    rows = [
        (name.replace("_", "/", 1), step, float(step), math.nan, value)
        for name, held in curves.items()
        for step, value in enumerate(held, start=1)
    ]
    return assess(Series("log", scalar_frame(rows)))


def texts(health: Health) -> set[str]:
    return {each.text for each in health.findings if each.about == "clusters"}


def advised(health: Health) -> set[str]:
    return {each.text for each in health.advice}


def peaking_at(place: int) -> list[float]:
    """A validation with little noise that falls by far after one of its twelve values."""
    return [0.4 - 0.02 * abs(step - place) + 0.001 * (step % 2) for step in range(12)]


def test_a_validation_that_falls_while_trust_grows_asks_for_a_smaller_delta():
    health = health_of(Test_nmi=peaking_at(5), Train_trusted_share=GROWS)
    assert "trust_outgrew" in texts(health)
    assert "smaller_delta" in advised(health)
    assert "smaller_thres" not in advised(health)


def test_one_that_falls_from_the_first_clusters_on_asks_for_a_smaller_thres():
    health = health_of(Test_nmi=peaking_at(1), Train_trusted_share=GROWS)
    assert "trust_began" in texts(health)
    assert "smaller_thres" in advised(health)


def test_one_that_rises_to_the_end_asks_for_neither():
    rising = [0.1 + 0.02 * step + 0.001 * (step % 2) for step in range(12)]
    health = health_of(Test_nmi=rising, Train_trusted_share=GROWS)
    assert texts(health) == {"trust_full", "trust_held"}
    assert "keep_trust" in advised(health)
    slow = health_of(Test_nmi=rising, Train_trusted_share=[0.4 * share for share in GROWS])
    assert texts(slow) == {"trust_open", "trust_held"}
    assert "larger_delta" in advised(slow)
    assert "keep_trust" not in advised(slow)
    assert not {"smaller_delta", "smaller_thres", "larger_delta"} & advised(health)


@pytest.mark.parametrize(("last", "text"), [(0.2, "clusters_move"), (0.01, "clusters_settled")])
def test_clusters_that_still_move_ask_for_a_lower_rate(last, text):
    health = health_of(Train_moved_share=[0.5, 0.3, last])
    assert texts(health) == {text}
    assert ("settle_clusters" in advised(health)) is (text == "clusters_move")
    assert ("keep_rate" in advised(health)) is (text == "clusters_settled")


@pytest.mark.parametrize(
    ("used", "advice"), [(0.6, "larger_base"), (0.01, "smaller_base"), (0.2, "keep_base")]
)
def test_dimensions_in_use_advise_on_base_dim(used, advice):
    assert advised(health_of(Train_used_dimensions=[0.3, used])) == {advice}


def test_a_share_that_another_program_writes_as_thres_is_read_beside_its_delta():
    falling, delta = peaking_at(5), [0.1] * 12
    assert "trust_outgrew" in texts(health_of(nmi=falling, thres=GROWS, delta=delta))
    # A threshold alone may be that of any decision, and one that stays is a setting.
    assert texts(health_of(nmi=falling, thres=GROWS)) == set()
    constant = health_of(nmi=falling, thres=[0.1] * 12, delta=delta, lr=[0.1] * 12)
    assert texts(constant) == {"settings_unjudged"}
    (found,) = (each for each in constant.findings if each.about == "clusters")
    assert found.values == {"settings": "thres, delta, lr", "curves": "trusted_share, moved_share"}


def test_settings_that_are_judged_are_not_said_to_be_unjudged():
    health = health_of(
        nmi=peaking_at(5),
        Train_trusted_share=GROWS,
        Train_used_dimensions=[0.1] * 12,
        delta=[0.1] * 12,
        base_dim=[256.0] * 12,
    )
    assert "settings_unjudged" not in texts(health)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_said_in_each_language(language):
    words = read_words(language)
    for health in (
        health_of(Test_nmi=peaking_at(5), Train_trusted_share=GROWS, Train_moved_share=[0.1, 0.2]),
        health_of(Test_nmi=peaking_at(1), Train_trusted_share=GROWS, Train_moved_share=[0.1, 0.0]),
        health_of(Train_used_dimensions=[0.7], Train_trusted_share=[0.1, 0.2]),
        health_of(Train_used_dimensions=[0.01]),
        health_of(Train_used_dimensions=[0.1], base_dim=[256.0], delta=[0.05]),
    ):
        said = [say_finding(each, words) for each in health.findings]
        said += [say_advice(each, health, words) for each in health.advice]
        assert said
        assert all("{" not in sentence for sentence in said)


def test_a_training_without_clusters_says_nothing_of_them():
    assert texts(health_of(Test_eer=[0.2, 0.1], Train_Loss=[2.0, 1.0])) == set()
