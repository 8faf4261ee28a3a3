"""Claims about recipes: which pairs speak of them, their tests, and their sentences."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.board.standing.recipe_claims import MARGIN, recipe_claims
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.json_document import document
from harness.board.writing.markdown import section
from harness.board.writing.recipe_claims_text import TITLE, recipe_sentences
from harness.records.record import Metric, MetricFacts, Record

FACTS = {"accuracy": MetricFacts(title="accuracy", unit="%", higher_is_better=True)}
AFFINE: dict[str, Any] = {
    "steps": 100,
    "augment": {"pictures": {"rotation": 15.0}},
    "learning_rate": {"shape": "cosine", "warmup": 0.1},
}
PLAIN = {**AFFINE, "augment": {}}
RESTARTS = {
    **AFFINE,
    "learning_rate": {"shape": "warm-restarts", "warmup": 0.1, "cycles": 3.0},
}
PATIENCE = {**AFFINE, "patience": 10}


@pytest.fixture
def entry(make, protocol, data) -> Callable[..., Record]:
    def one(recipe: dict[str, Any], name: str, value: float, units: int = 24) -> Record:
        draw = random.Random(name)
        left = {f"d{i:02}": value + draw.gauss(0, 0.0008) for i in range(units)}
        return make(
            "b0", "softmax", seed=0, recipe=recipe, recipe_name=name,
            protocol=protocol(primary="accuracy", facts=FACTS),
            dataset=data(unit="drawer", counts={"test": {"units": units, "items": 520}}),
            metrics={"accuracy": Metric(value=value, unit="%")},
            left_one_out={"accuracy": left},
        )  # fmt: skip

    return one


def made(*records: Record) -> Table:
    (table,) = tables(FiledRecord(record) for record in records)
    return table


def test_a_gain_is_tested_on_the_same_units(entry: Callable[..., Record]) -> None:
    affine, plain = entry(AFFINE, "affine", 0.9), entry(PLAIN, "plain", 0.8)
    (found,) = recipe_claims(made(affine, plain))
    assert (found.claim, found.verdict, found.units) == ("augmentation", "holds", 24)
    ours, theirs = (np.array([*each.left_one_out["accuracy"].values()]) for each in (affine, plain))
    gaps = ours - theirs
    error = np.sqrt(23 / 24 * np.square(gaps - gaps.mean()).sum())
    reach = stats.t(23).ppf(0.975) * error
    assert (found.low, found.high) == (pytest.approx(0.1 - reach), pytest.approx(0.1 + reach))
    assert found.p == pytest.approx(2 * stats.t(23).sf(0.1 / error))


def test_p_values_are_corrected_over_the_claims(entry: Callable[..., Record]) -> None:
    records = [
        entry(AFFINE, "affine", 0.9),
        entry(PLAIN, "plain", 0.893),
        entry(RESTARTS, "restarts", 0.905),
        entry(PATIENCE, "patience", 0.899),
    ]
    together = {each.claim: each for each in recipe_claims(made(*records))}
    assert together.keys() == {"augmentation", "restarts", "patience"}
    for claim, place in (("augmentation", 1), ("restarts", 2), ("patience", 3)):
        (alone,) = recipe_claims(made(records[0], records[place]))
        assert alone.claim == claim
        assert alone.p <= together[claim].p <= min(1.0, 3 * alone.p) + 1e-12


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.90, "holds"), (0.93, "holds"), (0.88, "cannot tell"),
                           (0.80, "contrary")],
)  # fmt: skip
def test_patience_may_cost_a_little(
    entry: Callable[..., Record], value: float, verdict: str
) -> None:
    (found,) = recipe_claims(made(entry(AFFINE, "a", 0.9), entry(PATIENCE, "b", value)))
    assert (found.claim, found.verdict) == ("patience", verdict)
    assert (found.value, found.baseline) == (value, 0.9)
    assert MARGIN == 0.02


def test_patience_that_ended_nothing_says_nothing(entry: Callable[..., Record]) -> None:
    without = entry(AFFINE, "a", 0.9)
    equal = without.model_copy(update={"recipe": PATIENCE, "recipe_name": "b"})
    (found,) = recipe_claims(made(without, equal))
    assert (found.claim, found.verdict, found.p) == ("patience", "cannot tell", 1.0)


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.91, "holds"), (0.9001, "cannot tell"), (0.85, "contrary")]
)
def test_restarts_must_gain(entry: Callable[..., Record], value: float, verdict: str) -> None:
    (found,) = recipe_claims(made(entry(AFFINE, "a", 0.9), entry(RESTARTS, "b", value)))
    assert (found.claim, found.verdict) == ("restarts", verdict)


def test_few_units_conclude_nothing(entry: Callable[..., Record]) -> None:
    table = made(entry(AFFINE, "a", 0.9, units=6), entry(PLAIN, "b", 0.5, units=6))
    (found,) = recipe_claims(table)
    assert found.verdict == "too few units"
    (told,) = recipe_sentences(table)
    assert "nothing can be concluded" in told
    assert "20 drawers are needed" in told


def test_recipes_that_differ_in_more_say_nothing(entry: Callable[..., Record]) -> None:
    other = {**PLAIN, "steps": 200}
    assert recipe_claims(made(entry(AFFINE, "a", 0.9), entry(other, "b", 0.5))) == []
    assert recipe_claims(made(entry(PATIENCE, "a", 0.9), entry(RESTARTS, "b", 0.5))) == []


def test_the_page_says_what_was_found(entry: Callable[..., Record]) -> None:
    table = made(entry(AFFINE, "affine", 0.9), entry(PLAIN, "plain", 0.8))
    (told,) = recipe_sentences(table)
    assert told.startswith("Augmentation helps: borne out. The accuracy is 90.00 % of")
    assert "paired over 24 drawers" in told
    text = section(table)
    assert TITLE in text
    assert "Augmentation helps: borne out." in text
    (claim,) = document([table])["tables"][0]["recipe_claims"]
    assert claim["verdict"] == "holds"
