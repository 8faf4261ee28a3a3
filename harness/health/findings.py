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


@dataclass(frozen=True)
class Check:
    """One question of the checklist.

    Attributes:
        text: id of the question.
        answer: `yes`, `no`, or `cannot tell`.
        rests_on: the finding that answers it; empty where there is none.
    """

    text: str
    answer: Literal["yes", "no", "cannot tell"]
    rests_on: str = ""


RECENTLY = ("recently_improving", "recently_flat", "recently_declining")

QUESTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "loss_sound": (
        ("loss_falls", "loss_flat", "loss_open"),
        ("diverged_broken", "diverged_rose", "loss_rises"),
    ),
    "improves": (("improving",), ("declining", "flat")),
    "enough": (
        ("improving", "declining", "flat", *RECENTLY),
        ("once", "too_few"),
    ),
    "steady": (("steady",), ("unsteady",)),
    "carries_over": (
        ("carries_over_eer", "carries_over_accuracy"),
        (
            "memorised_eer",
            "memorised_accuracy",
            "learnt_gap_eer",
            "learnt_gap_accuracy",
            "overfits",
        ),
    ),
    "threshold_settled": (("threshold_settled",), ("threshold_moves",)),
    "finished": (
        ("recently_flat", "rate_ended"),
        ("recently_improving", "rate_open", "hardly_learnt"),
    ),
}
"""Question -> findings that say yes, and findings that say no; no goes first."""


def checklist(findings: tuple[HealthFinding, ...]) -> tuple[Check, ...]:
    """Answer every question from the findings."""
    return tuple(_answers({each.text for each in findings}))


def _answers(texts: set[str]) -> Iterator[Check]:
    for question, (yes, no) in QUESTIONS.items():
        against = next((text for text in no if text in texts), "")
        speaks_for = next((text for text in yes if text in texts), "")
        if against:
            yield Check(question, "no", against)
        elif speaks_for:
            yield Check(question, "yes", speaks_for)
        else:
            yield Check(question, "cannot tell")
