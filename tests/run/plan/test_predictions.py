"""Predictions are made once, kept for ever after, and told while they are made."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pandas as pd
import pytest

from harness.budget.fit_to_budget import embedding_step, largest_inference, without_workspaces
from harness.budget.prediction import Workload, predict_training
from harness.config.loader import load
from harness.errors import JobFailed
from harness.feeding.front_end import raw_shape
from harness.records.record import RecordedComponent
from harness.run.job.results import ITEM_SECONDS
from harness.run.job.spec import Embedding
from harness.run.plan.adapter_workers import adapter_facts
from harness.run.plan.memory_questions import EmbeddedBatch, Training, TrainingStep
from harness.run.plan.predictions import FEW, Predictions, fit_entry
from harness.run.plan.questions import make_adapter
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("preloaded_workers")

GIB = 2**30
CLASSES = 10


@pytest.fixture(scope="module")
def xvector() -> RecordedComponent:
    table = load(ROOT / "benchmark.toml").benchmark.models["xvector"]
    return adapter_facts("models", "xvector", table).component


@pytest.fixture(scope="module")
def aam() -> RecordedComponent:
    table = load(ROOT / "benchmark.toml").benchmark.losses["aam"]
    return adapter_facts("losses", "aam", table).component


def trained(
    predictions: Predictions,
    model: RecordedComponent,
    loss: RecordedComponent,
    seconds: float = 0.5,
) -> Training:
    recipe = load(ROOT / "benchmark.toml").benchmark.recipes["matched"]
    return predictions.training(TrainingStep(model, loss, recipe, CLASSES, seconds))


def test_what_was_predicted_is_not_predicted_again(tmp_path, xvector, aam):
    said: list[str] = []
    first = trained(Predictions(tmp_path, GIB, said.append), xvector, aam)
    assert said == ["xvector + aam: predicting the memory of a training step"]
    again = trained(Predictions(tmp_path, GIB, said.append), xvector, aam)
    assert again == first
    assert len(said) == 1


def test_many_are_made_by_several_processes_as_one_makes_them(tmp_path, xvector, monkeypatch):
    monkeypatch.setattr("harness.run.plan.predictions.cores", lambda: 2)
    widths = range(16, 16 + FEW + 1)
    asked = [EmbeddedBatch(fields(xvector, embedding_size=width)) for width in widths]
    said: list[str] = []
    together = Predictions(tmp_path / "together", GIB, said.append)
    together.make([*asked, asked[0]])
    assert said == [f"memory: {FEW + 1} predictions to make, 2 at a time"]
    alone = Predictions(tmp_path / "alone", GIB, print)
    assert [together.embedding(each) for each in asked] == [alone.embedding(each) for each in asked]
    assert content(tmp_path / "together") == content(tmp_path / "alone")
    together.make(asked)
    assert len(said) == 1


def test_a_few_are_left_to_be_made_when_they_are_wanted(tmp_path, xvector):
    Predictions(tmp_path, GIB, print).make([EmbeddedBatch(xvector)] * (FEW + 1))
    assert content(tmp_path) == {}


def test_an_adapter_that_ends_its_process_is_its_jobs_to_tell(tmp_path, xvector, aam, monkeypatch):
    monkeypatch.setattr("harness.run.plan.predictions.cores", lambda: 2)
    asked = [EmbeddedBatch(fields(xvector, embedding_size=width)) for width in range(16, 20)]
    predictions = Predictions(tmp_path, GIB, print)
    dying = deadly(xvector, status=9)
    predictions.make([*asked, EmbeddedBatch(dying)])
    assert len(content(tmp_path)) == len(asked), "what it could not answer is not kept"
    assert all(predictions.embedding(each).largest for each in asked)
    assert predictions.embedding(EmbeddedBatch(dying)) == Embedding()
    assert "its process ended with status 9" in trained(predictions, dying, aam).why


def test_a_process_that_the_system_ends_leaves_nothing_to_plan_with(tmp_path, xvector, aam):
    killed = deadly(xvector, status=-9)
    with pytest.raises(JobFailed, match="ended by SIGKILL"):
        trained(Predictions(tmp_path, GIB, print), killed, aam)


def deadly(model: RecordedComponent, status: int) -> RecordedComponent:
    """A model whose process ends while its network is built."""
    dying = {"adapter": "tests.run.plan.test_predictions:Dying", "fields": {"status": status}}
    return model.model_copy(update=dying)


def fields(model: RecordedComponent, **changed: object) -> RecordedComponent:
    return model.model_copy(update={"fields": {**model.fields, **changed}})


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.json")}


def test_another_budget_is_another_prediction(tmp_path, xvector, aam):
    large = trained(Predictions(tmp_path, GIB, print), xvector, aam)
    small = trained(Predictions(tmp_path, GIB // 4, print), xvector, aam)
    assert large.largest
    assert small.largest
    assert small.largest < large.largest
    assert small.prediction == large.prediction


def test_what_would_leave_kernels_no_room_is_computed_in_parts(tmp_path, xvector, aam):
    whole = trained(Predictions(tmp_path, GIB, print), xvector, aam).prediction
    assert whole
    tight = trained(Predictions(tmp_path, whole.reserved, print), xvector, aam)
    assert tight.part is not None
    assert tight.fits
    assert tight.prediction
    assert tight.prediction.reserved <= without_workspaces(whole.reserved)


def test_embedding_is_told_at_every_batch_that_may_be_measured(tmp_path, xvector):
    found = Predictions(tmp_path, GIB, print).embedding(EmbeddedBatch(xvector))
    assert list(found.at) == [2**power for power in range(11)]
    assert found.largest
    below, above = (2 ** (found.largest.bit_length() + step) for step in (-1, 0))
    room = without_workspaces(GIB)
    assert found.at[below].peak <= room < found.at[above].reserved
    network = make_adapter(xvector.adapter, xvector.fields, "xvector")
    item = raw_shape(network.inputs(), ITEM_SECONDS)
    step = embedding_step(Workload(network, None, 0, item))
    assert found.largest == largest_inference(step, room) < largest_inference(step, GIB)


def test_a_step_is_predicted_within_the_limit_that_it_is_measured_under(tmp_path, aam):
    table = load(ROOT / "benchmark.toml").benchmark.models["campplus"]
    campplus = adapter_facts("models", "campplus", table).component  # its tensors differ in size
    network, head = (make_adapter(each.adapter, each.fields, "-") for each in (campplus, aam))
    recipe = load(ROOT / "benchmark.toml").benchmark.recipes["matched"]
    item = raw_shape(network.inputs(), 1.0)
    step = predict_training(Workload(network, head, CLASSES, item, recipe), recipe.batch, None)
    limits = range(step.peak, 2 * step.peak, 2**23)
    limit = next(each for each in limits if step.reserved(without_workspaces(each)))
    told = trained(Predictions(tmp_path, limit, print), campplus, aam, seconds=1.0)
    assert told.part is None
    assert told.prediction
    assert told.prediction.reserved == step.reserved(limit) <= limit
    assert told.prediction.unlimited == step.reserved() > limit


@pytest.mark.parametrize("content", ["", "{}", '{"inputs": {}, "predicted": {"part": "many"}}'])
def test_what_another_program_left_there_is_made_anew(tmp_path, xvector, content):
    first = Predictions(tmp_path, GIB, print).embedding(EmbeddedBatch(xvector))
    (path,) = tmp_path.rglob("*.json")
    path.write_text(content)
    assert Predictions(tmp_path, GIB, print).embedding(EmbeddedBatch(xvector)) == first
    assert json.loads(path.read_text())["predicted"]["largest"] == first.largest


def test_nothing_is_told_of_a_network_that_cannot_be_gone_through(tmp_path, xvector, aam):
    broken = xvector.model_copy(update={"adapter": "tests.run.plan.test_predictions:Stubborn"})
    broken = broken.model_copy(update={"fields": {}})
    predictions = Predictions(tmp_path, GIB, print)
    assert predictions.embedding(EmbeddedBatch(broken)) == Embedding()
    assert trained(predictions, broken, aam).why == "ValueError: not today"


def test_a_row_says_why_the_memory_of_its_training_is_not_predicted(tmp_path, xvector, aam):
    broken = xvector.model_copy(update={"adapter": "tests.run.plan.test_predictions:Stubborn"})
    broken = broken.model_copy(update={"fields": {}})
    recipe = load(ROOT / "benchmark.toml").benchmark.recipes["speaker-quick"]
    entry: Any = SimpleNamespace(model=broken, loss=aam, recipe=recipe)
    items = pd.DataFrame({"seconds": [2.0]})
    listing: Any = SimpleNamespace(
        items=items, classes=tuple("ab"), corpus=SimpleNamespace(kind="audio")
    )
    found = fit_entry(entry, listing, Predictions(tmp_path, GIB, print), "32-true")
    assert found["prediction"] is None
    assert found["notes"] == (
        "the memory of a training step is not predicted: ValueError: not today",
    )


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


@dataclass(frozen=True)
class Dying(Stubborn):
    """A model that ends its process by an exit status, or as a system without memory does."""

    status: int = 0

    def build(self):
        """Go."""
        if self.status < 0:
            os.kill(os.getpid(), -self.status)
        os._exit(self.status)
