"""Advice: each rule names the findings that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.health.findings import RECENTLY, Advice, HealthFinding


@dataclass(frozen=True)
class Rule:
    """When some advice is given.

    Attributes:
        text: id of the advice.
        needs: findings that all have to be there.
        any_of: of these one at least, where there are any.
        unless: findings of which none may be there.
    """

    text: str
    needs: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def advise(self, findings: Mapping[str, HealthFinding]) -> Advice | None:
        """Return the advice, with the values of what it rests on; None if the rule does not hold.

        Args:
            findings: id -> finding.
        """
        one = next((each for each in self.any_of if each in findings), None)
        lacking = any(each not in findings for each in self.needs) or (self.any_of and one is None)
        if lacking or any(each in findings for each in self.unless):
            return None
        rests_on = self.needs + ((one,) if one else ())
        values = {key: value for each in rests_on for key, value in findings[each].values.items()}
        return Advice(self.text, rests_on, values)


DIVERGED = ("diverged_broken", "diverged_rose")
OVER_FITTED = ("memorised_eer", "memorised_accuracy", "overfits")
NOT_LONGER = (*DIVERGED, *OVER_FITTED, "forecast_same", "best_before")

RULES = (
    Rule("lower_rate", any_of=DIVERGED),
    Rule("regularise", any_of=OVER_FITTED, unless=DIVERGED),
    Rule("no_longer", ("recently_flat", "rate_ended"), unless=DIVERGED),
    Rule("little_left", ("recently_improving", "forecast_same"), unless=DIVERGED),
    Rule("longer", ("recently_improving", "rate_open"), unless=NOT_LONGER),
    Rule("new_schedule", ("recently_improving", "rate_ended"), unless=NOT_LONGER),
    Rule("learn_longer", ("accuracy_rises",), unless=(*NOT_LONGER, *RECENTLY)),
    Rule("anneal", ("recently_flat", "rate_open"), unless=(*DIVERGED, *OVER_FITTED)),
    Rule("keep_best", ("best_before",)),
    Rule("patience", ("patience", "best_before")),
    Rule("patience", ("patience",), unless=("best_before", "recently_improving")),
    Rule("validate_more", any_of=("once", "too_few"), unless=DIVERGED),
    Rule("larger_validation", ("unsteady",), unless=DIVERGED),
    Rule("more_evidence", ("cannot_tell",), unless=(*DIVERGED, *OVER_FITTED, *RECENTLY)),
    Rule("watch_threshold", ("threshold_moves",), unless=DIVERGED),
    Rule("mend_classes", any_of=("classes_empty", "classes_uneven")),
    Rule("larger_delta", ("trust_open", "recently_improving"), unless=DIVERGED),
    Rule("smaller_delta", ("trust_outgrew",), unless=DIVERGED),
    Rule("smaller_thres", ("trust_began",), unless=DIVERGED),
    Rule("settle_clusters", ("clusters_move",), unless=DIVERGED),
    Rule("larger_base", ("dimensions_full",), unless=DIVERGED),
    Rule("smaller_base", ("dimensions_idle",), unless=DIVERGED),
    Rule("keep_trust", ("trust_full", "trust_held"), unless=DIVERGED),
    Rule("keep_trust", ("trust_open", "trust_held"), unless=(*DIVERGED, "recently_improving")),
    Rule("keep_rate", ("clusters_settled",), unless=DIVERGED),
    Rule("keep_base", ("dimensions_some",), unless=DIVERGED),
)
"""In the order in which advice is given."""


def advise(findings: tuple[HealthFinding, ...]) -> tuple[Advice, ...]:
    """Return the advice that the findings bear out."""
    known = {each.text: each for each in findings}
    return tuple(found for rule in RULES if (found := rule.advise(known)) is not None)
