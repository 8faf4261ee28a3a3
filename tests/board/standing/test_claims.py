"""Claims about losses, from the records and series behind a table."""

from __future__ import annotations

import json

import pytest

from harness.board.standing.claims import CROSS_ENTROPIES, table_claims
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.claims_text import TITLE, claim_sentences
from harness.board.writing.json_document import document
from harness.board.writing.markdown import section
from harness.health.training_end import TrainingEnd
from harness.records.record import RecordedComponent
from tests.board.conftest import Make

BALANCE = {"softmax": (0.60, 0.61, 0.59), "ghm": (0.90, 0.92, 0.91), "focal": (0.60, 0.62, 0.59)}


def table_of(
    make: Make, balance: dict[str, tuple[float, ...]], cross_entropy: str = CROSS_ENTROPIES[0]
) -> Table:
    """Three losses on one network, with error rates from 5 %, and what their series say."""
    filed = []
    for place, (loss, values) in enumerate(balance.items()):
        adapter = cross_entropy if loss == "softmax" else f"adapters.losses:{loss}"
        component = RecordedComponent(name=loss, adapter=adapter, version=1, fields={})
        for seed, value in enumerate(values):
            rate = 0.05 - 0.02 * place + 0.0003 * seed
            record = make("cnn", loss, value=rate, seed=seed)
            record = record.model_copy(update={"loss": component})
            end = TrainingEnd(evidence={"balance": value} if value else {})
            filed.append(FiledRecord(record, f"{loss}-{seed}.json", end=end))
    (table,) = tables(filed)
    return table


@pytest.fixture
def losses(make: Make) -> Table:
    return table_of(make, BALANCE)


@pytest.mark.parametrize("cross_entropy", CROSS_ENTROPIES)
def test_each_loss_is_held_against_cross_entropy(make: Make, cross_entropy: str) -> None:
    losses = table_of(make, BALANCE, cross_entropy)
    found = {(each.fact, each.loss.rpartition(" ")[2]): each for each in table_claims(losses)}
    assert found["balance", "ghm"].verdict == "holds"
    assert found["balance", "focal"].verdict == "cannot tell"
    assert found["hardest_weight", "ghm"].verdict == "not known"
    # An error rate of 3 % against 5 % on the same speakers: the table's own test.
    accuracy = found["accuracy", "ghm"]
    assert (accuracy.verdict, accuracy.pairs) == ("holds", 3)
    assert accuracy.value < accuracy.baseline
    assert not [loss for _, loss in found if loss == "softmax"]


def test_the_page_and_the_document_say_so(losses: Table) -> None:
    told = claim_sentences(losses)
    (balance,) = [line for line in told if "ghm: It balances gradients" in line]
    assert "borne out" in balance
    assert "0.910, under cross-entropy 0.600" in balance
    assert "3 trainings of each" in balance
    assert f"**{TITLE}**" in section(losses)
    claims = json.loads(json.dumps(document([losses]), allow_nan=False))["tables"][0]["claims"]
    assert len(claims) == len(told)
    assert claims[0]["fact"] == "balance"


@pytest.mark.parametrize("lacking", ["softmax", "ghm"])
def test_without_evidence_of_both_nothing_is_said(make: Make, lacking: str) -> None:
    two = {name: BALANCE[name] for name in ("softmax", "ghm")}
    table = table_of(make, {**two, lacking: (0.0, 0.0, 0.0)})
    assert table_claims(table) == []
    assert TITLE not in section(table)
    assert "claims" not in document([table])["tables"][0]


def test_two_trainings_conclude_nothing(make: Make) -> None:
    table = table_of(make, {name: BALANCE[name][:2] for name in ("softmax", "ghm")})
    assert {each.verdict for each in table_claims(table)} == {"not known"}
    assert any("3 are needed" in line for line in claim_sentences(table))
