"""Predictions are made once, kept for ever after, and told while they are made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from harness.config.loader import load
from harness.job.spec import Embedding
from harness.plan.jobs import component
from harness.plan.predictions import Predictions, Training
from harness.records.record import Component

ROOT = Path(__file__).resolve().parents[2]
GIB = 2**30


@pytest.fixture(scope="module")
def xvector() -> Component:
    table = load(ROOT / "benchmark.toml").benchmark.models["xvector"]
    return component("xvector", table, "models.xvector")


@pytest.fixture(scope="module")
def aam() -> Component:
    table = load(ROOT / "benchmark.toml").benchmark.losses["aam"]
    return component("aam", table, "losses.aam")


def trained(predictions: Predictions, model: Component, loss: Component) -> Training:
    recipe = load(ROOT / "benchmark.toml").benchmark.recipes["speaker-quick"]
    return predictions.training(model, loss, recipe, classes=10, seconds=0.5)


def test_what_was_predicted_is_not_predicted_again(tmp_path, xvector, aam):
    said: list[str] = []
    first = trained(Predictions(tmp_path, GIB, said.append), xvector, aam)
    assert said == ["xvector + aam: predicting the memory of a training step"]
    again = trained(Predictions(tmp_path, GIB, said.append), xvector, aam)
    assert again == first
    assert len(said) == 1


def test_another_budget_is_another_prediction(tmp_path, xvector, aam):
    large = trained(Predictions(tmp_path, GIB, print), xvector, aam)
    small = trained(Predictions(tmp_path, GIB // 4, print), xvector, aam)
    assert large.largest
    assert small.largest
    assert small.largest < large.largest
    assert small.prediction == large.prediction


def test_embedding_is_told_at_every_batch_that_may_be_measured(tmp_path, xvector):
    found = Predictions(tmp_path, GIB, print).embedding(xvector)
    assert list(found.at) == [2**power for power in range(11)]
    assert found.largest
    below, above = (2 ** (found.largest.bit_length() + step) for step in (-1, 0))
    assert found.at[below].reserved <= GIB < found.at[above].reserved


@pytest.mark.parametrize("content", ["", "{}", '{"inputs": {}, "predicted": {"part": "many"}}'])
def test_what_another_program_left_there_is_made_anew(tmp_path, xvector, content):
    first = Predictions(tmp_path, GIB, print).embedding(xvector)
    (path,) = tmp_path.rglob("*.json")
    path.write_text(content)
    assert Predictions(tmp_path, GIB, print).embedding(xvector) == first
    assert json.loads(path.read_text())["predicted"]["largest"] == first.largest


def test_nothing_is_told_of_a_network_that_cannot_be_gone_through(tmp_path, xvector, aam):
    broken = xvector.model_copy(update={"adapter": "tests.plan.test_predictions:Stubborn"})
    broken = broken.model_copy(update={"fields": {}})
    predictions = Predictions(tmp_path, GIB, print)
    assert predictions.embedding(broken) == Embedding()
    assert trained(predictions, broken, aam).why == "ValueError: not today"


@dataclass(frozen=True)
class Stubborn:
    """A model whose network cannot be built."""

    embedding_size: ClassVar[int] = 8
    version: ClassVar[int] = 1

    def inputs(self):
        """Those of an x-vector."""
        from harness.adapter import Fbank

        return Fbank(bins=24)

    def build(self):
        """Refuse."""
        raise ValueError("not today")
