"""What a training's curves bear out, each with a sign: good, worrying, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from harness.health.validation_curves import Moment

Sign = Literal["good", "worrying", ""]


class Share(float):
    """A share of one, shown in percent."""


class PercentagePoints(float):
    """A difference of shares, shown in percentage points."""


Value = str | int | float | Share | PercentagePoints | Moment


@dataclass(frozen=True)
class HealthFinding:
    """One thing that a curve bears out, in no language.

    Attributes:
        text: id of its sentence; stable, so that advice and programs can name it.
        about: what it is about: trend, choice, stability, learning, end, rate, ...
        sign: whether that is good for the training.
        values: those that the sentence names; numbers as they are.
    """

    text: str
    about: str
    sign: Sign = ""
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Advice:
    """What to do, and which findings say so.

    Attributes:
        text: id of its sentence.
        rests_on: ids of the findings that the rule needs.
        values: those that the sentence names.
    """

    text: str
    rests_on: tuple[str, ...]
    values: dict[str, Value] = field(default_factory=dict)


Answer = Literal["yes", "no", "cannot tell"]


@dataclass(frozen=True)
class Check:
    """One question of the checklist.

    Attributes:
        text: id of the question.
        answer: `yes`, `no`, or `cannot tell`.
        rests_on: the finding that answers it; empty where there is none.
    """

    text: str
    answer: Answer
    rests_on: str = ""


RECENTLY = ("recently_improving", "recently_flat", "recently_declining")


def _all(answer: Answer, *texts: str) -> dict[str, Answer]:
    return dict.fromkeys(texts, answer)


QUESTIONS: dict[str, dict[str, Answer]] = {
    "loss_sound": {
        **_all("no", "diverged_broken", "diverged_rose", "loss_broken", "loss_rises"),
        **_all("yes", "loss_falls", "loss_flat"),
        "loss_open": "cannot tell",
    },
    "improves": {"improving": "yes", "declining": "no", "flat": "no"},
    "enough": {
        **_all("no", "once", "too_few"),
        **_all("yes", "improving", "declining", "flat", *RECENTLY),
        "cannot_tell": "no",
    },
    "steady": {"steady": "yes", "unsteady": "no"},
    "carries_over": {
        "leaky": "cannot tell",
        **_all("no", "memorised_eer", "memorised_accuracy", "overfits"),
        **_all("no", "learnt_gap_eer", "learnt_gap_accuracy", "gap_large"),
        **_all("yes", "carries_over_eer", "carries_over_accuracy", "gap_small"),
    },
    "threshold_settled": {"threshold_settled": "yes", "threshold_moves": "no"},
    "finished": {
        **_all("no", "diverged_broken", "diverged_rose"),
        **_all("no", "hardly_learnt", "accuracy_rises", "rate_open"),
        "forecast_same": "yes",
        "best_before": "yes",  # past its best, its later half may still lie above its earlier one
        "recently_improving": "no",
        **_all("yes", "recently_flat", "rate_ended"),
    },
}
"""Question -> findings that answer it, and how; the first that is there does."""


def checklist(findings: tuple[HealthFinding, ...]) -> tuple[Check, ...]:
    """Answer every question from the findings."""
    return tuple(_answers({each.text for each in findings}))


def _answers(texts: set[str]) -> Iterator[Check]:
    for question, answers in QUESTIONS.items():
        text = next((each for each in answers if each in texts), "")
        yield Check(question, answers[text] if text else "cannot tell", text)
